//! The verbs about one order, for a person at a terminal.

pub mod can;
pub mod cancel;
pub mod list;
pub mod money;
mod pay_out;
pub mod place;
mod proposals;
pub mod remedies;
pub mod show;
pub mod steering;
pub mod timeline;

use anyhow::{Context, Result};
use proto::order::v1::{GetOrderRequest, Order};

use crate::clients::Clients;

/// A fresh name for a request that changes something.
pub fn request_id() -> String {
    types::Ids::random(types::Clock::System).mint::<types::EventId>().to_string()
}

/// Finds an order by its id (`ord_…`) or by its number.
pub async fn find(clients: &Clients, id_or_number: &str) -> Result<Order> {
    let request = if id_or_number.starts_with("ord_") {
        GetOrderRequest { order_id: id_or_number.to_owned(), ..GetOrderRequest::default() }
    } else {
        GetOrderRequest { number: id_or_number.to_owned(), ..GetOrderRequest::default() }
    };
    let answer = clients.orders().get_order(request).await?.into_inner();
    answer.order.context("the answer holds no order")
}
