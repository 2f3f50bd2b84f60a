//! Which part of the books a row belongs to, so that a part can be checked alone: an order's rows stand together, those of
//! an article do, and what only counts over everything is kept apart.

use std::collections::{HashMap, HashSet};

use super::books::Row;
use super::facts::NAMES;
use super::heads::short;
use crate::clients::Service;

/// Orders of one part; a part is what is in memory at a time.
pub const ORDERS_MAX: usize = 2_000;
/// Each part is a file while the books are read.
const PARTS_MAX: usize = 200;

/// Orders that are not asked for.
const ELSEWHERE: usize = usize::MAX;

/// Books that every part needs: they are small.
const EVERYWHERE: [(Service, &str); 6] = [
    (Service::Inventory, "warehouse"),
    (Service::Inventory, "integration"),
    (Service::Order, "rule"),
    (Service::Order, "folder"),
    (Service::Notification, "webhook_endpoint"),
    (Service::Notification, "digest"),
];

/// What a row's id is called in books whose rows others name without naming the order.
const OWNERS: [(Service, &str, &str); 5] = [
    (Service::Order, "change_order", "change_order_id"),
    (Service::Order, "order_return", "return_id"),
    (Service::Order, "saga", "id"),
    (Service::Payment, "refund", "refund_id"),
    (Service::Notification, "delivery", "delivery_id"),
];

/// The parts, in one row: those of orders, the one of rows of no order, those of articles, the one of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// How many of orders, and how many of articles.
    each: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Of orders, or of no order.
    Orders,
    Articles,
    Whole,
}

impl Parts {
    pub fn for_orders(orders: usize) -> Self {
        Self { each: orders.div_ceil(ORDERS_MAX).clamp(1, PARTS_MAX) }
    }

    pub fn count(self) -> usize {
        2 * self.each + 2
    }

    pub fn kind(self, part: usize) -> Kind {
        match part {
            part if part <= self.each => Kind::Orders,
            part if part < self.count() - 1 => Kind::Articles,
            _ => Kind::Whole,
        }
    }

    fn rest(self) -> usize {
        self.each
    }

    fn whole(self) -> usize {
        self.count() - 1
    }

    fn of_order(self, order: u64) -> usize {
        self.turn(order)
    }

    fn of_article(self, sku: &str) -> usize {
        self.each + 1 + self.turn(short(sku))
    }

    fn turn(self, number: u64) -> usize {
        let bound = u64::try_from(self.each).expect("there are few parts");
        usize::try_from(number % bound).expect("less than the number of parts")
    }
}

/// Reads rows in the order of their books, and says where each one goes.
pub struct Sorter {
    parts: Parts,
    /// Only these orders; all without.
    only: Option<HashSet<u64>>,
    /// The part of each change, saga, return, refund and delivery.
    owners: HashMap<u64, usize>,
    /// Payments that orders share.
    shared: HashSet<u64>,
}

impl Sorter {
    pub fn new(parts: Parts, only: Option<HashSet<u64>>) -> Self {
        Self { parts, only, owners: HashMap::new(), shared: HashSet::new() }
    }

    /// The parts that need the row; none if it belongs to an order that is not asked for.
    pub fn places(&mut self, service: Service, book: &str, row: Row<'_>) -> Vec<usize> {
        if EVERYWHERE.contains(&(service, book)) {
            return (0..self.parts.count()).collect();
        }
        let own = self.own(row);
        if let Some((.., id)) = OWNERS.iter().find(|(of, name, _)| (*of, *name) == (service, book)) {
            self.owners.insert(short(row.text(id)), own);
        }
        let of_no_order = matches!(
            (service, book),
            (Service::Inventory, "stock")
                | (Service::Order, "batch" | "event_log_head")
                | (Service::Payment, "shared_payment")
        );
        if own == ELSEWHERE && !of_no_order {
            return Vec::new();
        }
        let whole = self.only.is_none();
        let mut places = if of_no_order { Vec::new() } else { vec![own] };
        match (service, book) {
            (Service::Inventory, "stock" | "stock_ledger" | "reservation") if whole => {
                places.push(self.parts.of_article(row.text("sku")));
            }
            (Service::Order, "batch" | "batch_item" | "event_log_head")
            | (Service::Payment, "shared_payment")
                if whole =>
            {
                places.push(self.parts.whole());
            }
            (Service::Payment, "payment") if whole && !row.text("shared_payment_id").is_empty() => {
                self.shared.insert(short(row.text("payment_id")));
                places.push(self.parts.whole());
            }
            (Service::Payment, "capture") if self.shared.contains(&short(row.text("payment_id"))) => {
                places.push(self.parts.whole());
            }
            _ => {}
        }
        places
    }

    /// The part of an effect that a gateway recorded under the id of a refund.
    pub fn effect(&self, key: &str) -> Option<usize> {
        match self.owners.get(&short(key)) {
            Some(&ELSEWHERE) => None,
            Some(part) => Some(*part),
            None => self.only.is_none().then(|| self.parts.rest()),
        }
    }

    fn own(&self, row: Row<'_>) -> usize {
        let mut named = NAMES.iter().filter_map(|column| row.if_text(column)).filter(|id| !id.is_empty());
        let part = named.find_map(|id| {
            if !id.starts_with("ord_") {
                return self.owners.get(&short(id)).copied();
            }
            let order = short(id);
            let asked = self.only.as_ref().is_none_or(|only| only.contains(&order));
            Some(if asked { self.parts.of_order(order) } else { ELSEWHERE })
        });
        part.unwrap_or(if self.only.is_none() { self.parts.rest() } else { ELSEWHERE })
    }
}
