//! Moves of an order that need nothing but the order: ConfirmOrder and StartProcessing.

use types::{Fingerprint, OrderId, Refusal, Timestamp};

use super::{UseCase, Work};
use crate::domain::history::Happened;
use crate::domain::lifecycle;
use crate::domain::order::{Actor, Order};
use crate::ops::command::Named;

pub struct ConfirmOrder {
    pub order_id: OrderId,
}

pub struct StartProcessing {
    pub order_id: OrderId,
}

impl UseCase for ConfirmOrder {
    const METHOD: &'static str = "ConfirmOrder";
    type Answer = Order;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.order_id.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.order_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Order, Refusal> {
        move_on(work, &self.order_id, lifecycle::confirm)
    }
}

impl UseCase for StartProcessing {
    const METHOD: &'static str = "StartProcessing";
    type Answer = Order;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.order_id.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.order_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Order, Refusal> {
        move_on(work, &self.order_id, lifecycle::start_processing)
    }
}

fn move_on(
    work: &mut Work<'_>,
    order_id: &OrderId,
    transition: fn(&mut Order, Actor, Timestamp) -> Result<Happened, Refusal>,
) -> Result<Order, Refusal> {
    let mut order = work.order(order_id)?;
    let happened = transition(&mut order, work.asked.actor.clone(), work.books.now)?;
    work.put(order.clone(), None, happened);
    Ok(order)
}
