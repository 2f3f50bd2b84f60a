//! What people keep beside orders, as `api` asks for it.

mod conversation;
mod folders;

use std::collections::BTreeSet;

use kit::Failure;
use types::{OrderId, Tenant};

use crate::domain::order::Order;
use crate::ops::calls::asking::unexpected;
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Answer, Asked, DeskAnswer, DeskWish, Wish};
use crate::store::orders;

impl Orders {
    /// What a wish made, or the resource that the request made before.
    async fn ask_desk(&self, asked: Asked, wish: DeskWish) -> Result<Result<DeskAnswer, String>, Failure> {
        match self.ask(asked, Wish::Desk(wish)).await? {
            Answer::Desk(answer) => Ok(Ok(*answer)),
            Answer::AcceptedBefore(resource) => Ok(Err(resource)),
            _ => Err(unexpected()),
        }
    }

    /// An order without its lines.
    async fn head(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Order, Failure> {
        let key = BTreeSet::from([(tenant.clone(), order_id.clone())]);
        let found = self.reading(async |tx| orders::heads(tx, &key).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }
}
