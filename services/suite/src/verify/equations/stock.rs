//! Stock: balances are sums of the ledger, nothing is oversold, nothing moves twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;

type Key<'a> = (&'a str, &'a str);

pub fn ledger_matches_stock(facts: &Facts) -> Option<String> {
    let mut sums: HashMap<Key<'_>, (i64, i64, i64)> = HashMap::new();
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        let sum = sums.entry((entry.text("warehouse_id"), entry.text("sku"))).or_default();
        sum.0 += entry.number("on_hand_delta");
        sum.1 += entry.number("reserved_delta");
        sum.2 += 1;
    }
    let mut known = HashSet::new();
    for stock in facts.rows(Service::Inventory, "stock") {
        let key = (stock.text("warehouse_id"), stock.text("sku"));
        known.insert(key);
        let (on_hand, reserved, entries) = sums.get(&key).copied().unwrap_or_default();
        let what = |column: &str| format!("stock {}/{} {column}", key.0, key.1);
        let broken = differs(&what("on_hand"), stock.number("on_hand"), on_hand)
            .or_else(|| differs(&what("reserved"), stock.number("reserved"), reserved))
            .or_else(|| differs(&what("ledger_seq"), stock.number("ledger_seq"), entries));
        if broken.is_some() {
            return broken;
        }
    }
    let orphan = facts
        .rows(Service::Inventory, "stock_ledger")
        .find(|entry| !known.contains(&(entry.text("warehouse_id"), entry.text("sku"))));
    orphan.map(|entry| format!("a ledger entry without stock: {}", entry.describe()))
}

pub fn reserved_matches_reservations(facts: &Facts) -> Option<String> {
    let dropship: HashSet<&str> = facts
        .rows(Service::Inventory, "warehouse")
        .filter(|warehouse| warehouse.text("kind") == "dropship")
        .map(|warehouse| warehouse.text("warehouse_id"))
        .collect();
    let mut reserved: BTreeMap<Key<'_>, i64> = BTreeMap::new();
    for reservation in facts.rows(Service::Inventory, "reservation") {
        let warehouse = reservation.text("warehouse_id");
        if matches!(reservation.text("state"), "active" | "held") && !dropship.contains(warehouse) {
            *reserved.entry((warehouse, reservation.text("sku"))).or_default() +=
                reservation.number("quantity");
        }
    }
    for stock in facts.rows(Service::Inventory, "stock") {
        let key = (stock.text("warehouse_id"), stock.text("sku"));
        let units = reserved.remove(&key).unwrap_or_default();
        let broken = differs(&format!("stock {}/{} reserved", key.0, key.1), stock.number("reserved"), units);
        if broken.is_some() {
            return broken;
        }
    }
    let left = reserved.first_key_value();
    left.map(|((warehouse, sku), units)| {
        format!("{units} units of {sku} are reserved in {warehouse} without a stock row")
    })
}

pub fn never_oversold(facts: &Facts) -> Option<String> {
    facts
        .rows(Service::Inventory, "stock")
        .find(|stock| stock.number("reserved") < 0 || stock.number("reserved") > stock.number("on_hand"))
        .map(Row::describe)
}

pub fn effects_once(facts: &Facts) -> Option<String> {
    let mut seen = HashSet::new();
    for entry in facts.rows(Service::Inventory, "stock_ledger") {
        let effect = ["saga_id", "step", "direction", "reservation_id"].map(|column| entry.text(column));
        if !seen.insert(effect) {
            return Some(format!("a second stock movement: {}", entry.describe()));
        }
    }
    let mut seen = HashSet::new();
    for entry in facts.rows(Service::Payment, "money_ledger") {
        let effect = ["saga_id", "step", "direction", "account", "reference_id", "kind"]
            .map(|column| entry.text(column));
        if !seen.insert(effect) {
            return Some(format!("a second money movement: {}", entry.describe()));
        }
    }
    None
}
