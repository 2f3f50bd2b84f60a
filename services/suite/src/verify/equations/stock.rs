//! Stock: balances are sums of the ledger, nothing is oversold, nothing moves twice.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::differs;
use crate::clients::Service;
use crate::verify::books::Row;
use crate::verify::facts::Facts;
use crate::verify::findings::Findings;

type Key<'a> = (&'a str, &'a str);

pub fn ledger_matches_stock(facts: &Facts, found: &mut Findings<'_>) {
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
        if let Some(what) = broken {
            found.about(stock, what);
        }
    }
    found.each(facts.rows(Service::Inventory, "stock_ledger"), |entry| {
        let unknown = !known.contains(&(entry.text("warehouse_id"), entry.text("sku")));
        unknown.then(|| format!("a ledger entry without stock: {}", entry.describe()))
    });
}

pub fn reserved_matches_reservations(facts: &Facts, found: &mut Findings<'_>) {
    let dropship: HashSet<&str> = facts
        .rows(Service::Inventory, "warehouse")
        .filter(|warehouse| warehouse.text("kind") == "dropship")
        .map(|warehouse| warehouse.text("warehouse_id"))
        .collect();
    let mut reserved: BTreeMap<Key<'_>, i64> = BTreeMap::new();
    for reservation in facts.rows(Service::Inventory, "reservation") {
        let warehouse = reservation.text("warehouse_id");
        let counted = reservation.number("without_stock") == 0 && !dropship.contains(warehouse);
        if counted && matches!(reservation.text("state"), "active" | "held") {
            *reserved.entry((warehouse, reservation.text("sku"))).or_default() +=
                reservation.number("quantity");
        }
    }
    found.each(facts.rows(Service::Inventory, "stock"), |stock| {
        let key = (stock.text("warehouse_id"), stock.text("sku"));
        let units = reserved.remove(&key).unwrap_or_default();
        differs(&format!("stock {}/{} reserved", key.0, key.1), stock.number("reserved"), units)
    });
    for ((warehouse, sku), units) in reserved {
        found.of("", format!("{units} units of {sku} are reserved in {warehouse} without a stock row"));
    }
}

pub fn never_oversold(facts: &Facts, found: &mut Findings<'_>) {
    let oversold =
        |stock: &Row<'_>| stock.number("reserved") < 0 || stock.number("reserved") > stock.number("on_hand");
    found.all(facts.rows(Service::Inventory, "stock").filter(oversold));
}

pub fn effects_once(facts: &Facts, found: &mut Findings<'_>) {
    let mut seen = HashSet::new();
    found.each(facts.rows(Service::Inventory, "stock_ledger"), |entry| {
        let effect = ["saga_id", "step", "direction", "reservation_id"].map(|column| entry.text(column));
        (!seen.insert(effect)).then(|| format!("a second stock movement: {}", entry.describe()))
    });
    let mut seen = HashSet::new();
    found.each(facts.rows(Service::Payment, "money_ledger"), |entry| {
        let effect = ["saga_id", "step", "direction", "account", "reference_id", "kind"]
            .map(|column| entry.text(column));
        (!seen.insert(effect)).then(|| format!("a second money movement: {}", entry.describe()))
    });
}
