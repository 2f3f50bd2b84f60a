//! Notes and folders: what people keep beside orders.

mod conversation;
mod folders;

use std::collections::BTreeSet;

use kit::Failure;
use types::{OrderId, Tenant};

use crate::domain::order::Order;
use crate::ops::calls::orders::Orders;
use crate::store::orders;

impl Orders {
    /// An order without its lines.
    async fn head(&self, tenant: &Tenant, order_id: &OrderId) -> Result<Order, Failure> {
        let key = BTreeSet::from([(tenant.clone(), order_id.clone())]);
        let found = self.reading(async |tx| orders::heads(tx, &key).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Order", order_id.as_str()))
    }
}
