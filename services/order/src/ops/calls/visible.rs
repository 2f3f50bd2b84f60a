//! Whether what is asked about is there for who asks.

use std::collections::BTreeSet;

use kit::Failure;

use crate::domain::readers::Reader;
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Asked, Named};
use crate::store::keys::OrderKey;
use crate::store::{lists, orders};

impl Orders {
    /// Whoever does not see everything is told that something is absent by one statement, whether it is or is hidden: what
    /// is read for a decision is more of an order that exists than of one that does not.
    pub async fn is_there_for(&self, asked: &Asked, about: Option<Named<'_>>) -> Result<(), Failure> {
        let Some(named) = about.filter(|_| !asked.reach.is_tenant()) else { return Ok(()) };
        let tenant = &asked.tenant;
        let head = self
            .reading(async |tx| match &named {
                Named::Order(id) => {
                    let key: OrderKey = (tenant.clone(), (*id).clone());
                    Ok(orders::heads(tx, &BTreeSet::from([key])).await?.pop())
                }
                Named::Change(id) => lists::head_of_change(tx, &(tenant.clone(), (*id).clone())).await,
                Named::Return(id) => lists::head_of_return(tx, &(tenant.clone(), (*id).clone())).await,
            })
            .await?;
        match head.filter(|order| Reader::of(asked.reach, &asked.actor, order).sees_the_order()) {
            Some(_) => Ok(()),
            None => Err(Failure::from(named.absent())),
        }
    }
}
