//! Whether the caller may see what a request names.

use std::collections::BTreeSet;

use kit::Failure;

use crate::domain::readers::Reader;
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Asked, Named};
use crate::store::keys::OrderKey;
use crate::store::{lists, orders};

impl Orders {
    /// Answers NOT_FOUND if the caller may not see the order, change or return that a request names. Absent and hidden run the same one
    /// statement: deciding the request would read more of an order that exists, and so tell them apart.
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
