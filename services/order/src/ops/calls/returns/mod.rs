//! Reading returns, and the clock that ends them.

mod clock;

use std::collections::BTreeSet;

use kit::{Failure, Principal};
use types::{OrderId, ReturnId, Tenant};

use crate::domain::listing::{Concern, Listed, Page};
use crate::domain::returns::{Return, ReturnState};
use crate::ops::calls::asking::actor;
use crate::ops::calls::orders::Orders;
use crate::ops::calls::reads::{cut, sees};
use crate::store::{lists, returns};

impl Orders {
    pub async fn get_return(&self, principal: &Principal, return_id: &ReturnId) -> Result<Return, Failure> {
        let key = (principal.tenant.clone(), return_id.clone());
        let found = self
            .reading(async |tx| {
                let head = lists::head_of_return(tx, &key).await?.filter(|head| sees(principal, head));
                match head {
                    Some(_) => Ok(returns::load(tx, &BTreeSet::from([key])).await?.pop()),
                    None => Ok(None),
                }
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Return", return_id.as_str()))
    }

    pub async fn list_returns(
        &self,
        principal: &Principal,
        order_id: Option<&OrderId>,
        states: &[ReturnState],
        page: &Page,
    ) -> Result<Listed<Return>, Failure> {
        let tenant = &principal.tenant;
        let concern = Concern::of(principal.grants.reach, &actor(principal));
        let found = self
            .reading(async |tx| returns::list(tx, tenant, order_id, states, concern.as_ref(), page).await)
            .await?;
        Ok(cut(found, page, |returned| returned.return_id.to_string()))
    }

    pub async fn return_by_id(&self, tenant: &Tenant, return_id: &ReturnId) -> Result<Return, Failure> {
        let keys = BTreeSet::from([(tenant.clone(), return_id.clone())]);
        let found = self.reading(async |tx| returns::load(tx, &keys).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Return", return_id.as_str()))
    }
}
