//! How far an order that is here has come, beside what the file says of it.

use proto::order::v1::{LineQuantities, Order, OrderLine};

use super::record::Checked;

pub fn quantities(order: &Order, number: i64) -> LineQuantities {
    let line = order.lines.iter().find(|line| line.line_number == number);
    line.and_then(|line| line.quantities).unwrap_or_default()
}

/// Shipped and cancelled units of each line, as they are here.
fn units(order: &Order) -> Vec<(i64, i64)> {
    let units = |line: &OrderLine| {
        let quantities = line.quantities.unwrap_or_default();
        (quantities.fulfilled + quantities.cancelled_after_ship, quantities.cancelled)
    };
    order.lines.iter().map(units).collect()
}

pub fn is_as_wanted(order: &Order, wanted: &Checked) -> bool {
    let as_said = wanted.units.iter().map(|&(_, shipped, cancelled)| (shipped, cancelled));
    units(order).into_iter().eq(as_said) && is_delivered(order, wanted) && order.change_in_progress.is_empty()
}

pub fn is_delivered(order: &Order, wanted: &Checked) -> bool {
    wanted.delivered.iter().all(|&(number, units)| quantities(order, number).delivered >= units)
}

/// More has happened here than the file knows of.
pub fn is_beyond(order: &Order, wanted: &Checked) -> bool {
    let pairs = units(order).into_iter().zip(&wanted.units);
    let mut more = pairs.filter(|((shipped, cancelled), said)| *shipped > said.1 || *cancelled > said.2);
    order.lines.len() != wanted.units.len() || more.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::record::Record;

    #[test]
    fn an_order_whose_units_have_left_but_not_arrived_is_not_done() {
        let text = r#"{"reference": "1", "currency": "GBP",
            "lines": [{"sku": "A", "quantity": 2, "unit_price": "3.00", "shipped": 2, "delivered": 2}],
            "payments": [{"gateway": "sandbox", "reference": "ch_1", "captured": "6.00"}]}"#;
        let wanted = serde_json::from_str::<Record>(text).unwrap().check("shop").unwrap();
        let order = |delivered: i64| {
            let quantities = LineQuantities { ordered: 2, fulfilled: 2, delivered, ..Default::default() };
            let line = OrderLine { line_number: 1, quantities: Some(quantities), ..Default::default() };
            Order { lines: vec![line], ..Default::default() }
        };

        assert_eq!([0, 1, 2].map(|delivered| is_as_wanted(&order(delivered), &wanted)), [false, false, true]);
    }
}
