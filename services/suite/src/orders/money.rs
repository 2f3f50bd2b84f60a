//! `countermand money`: an order's money, in words that are never one.

use anyhow::{Context, Result};
use proto::payment::v1::{GetMoneyPositionRequest, MoneyPosition, TenderPosition};

use crate::clients::Clients;
use crate::render;

const HEADER: [&str; 11] = [
    "tender",
    "charged",
    "owed",
    "reserved",
    "in flight",
    "confirmed",
    "reversed",
    "disputed",
    "lost",
    "refundable",
    "state",
];

pub async fn run(clients: &Clients, id_or_number: &str, json: bool) -> Result<()> {
    let order = super::find(clients, id_or_number).await?;
    let request = GetMoneyPositionRequest { order_id: order.order_id.clone() };
    let answer = clients.payments().get_money_position(request).await?.into_inner();
    let position = answer.position.context("the answer holds no position")?;
    if json {
        return render::print_json(&render::proto_json("countermand.payment.v1.MoneyPosition", &position)?);
    }
    say!("{}  {}", render::heading(&order.number), render::dim(&order.order_id));
    say!("\n{}", table(&position));
    say!("\n{}", summary(&position));
    Ok(())
}

/// Tender by tender, and their sum in the last row.
pub fn table(position: &MoneyPosition) -> String {
    let mut rows: Vec<Vec<String>> =
        position.tenders.iter().map(|tender| row(&position.currency_code, tender)).collect();
    rows.push(row(&position.currency_code, &sum(position)));
    render::table(&HEADER, &[1, 2, 3, 4, 5, 6, 7, 8, 9], rows)
}

fn row(currency: &str, tender: &TenderPosition) -> Vec<String> {
    let amounts = [
        tender.captured_minor,
        tender.owed_minor,
        tender.reserved_minor,
        tender.in_flight_minor,
        tender.confirmed_minor,
        tender.reversed_minor,
        tender.disputed_minor,
        tender.paid_by_dispute_minor,
        tender.refundable_minor,
    ];
    let state = render::short(tender.state().as_str_name(), "PAYMENT_STATE_");
    let state = if tender.payment_id.is_empty() { "" } else { state };
    let mut cells = vec![tender.gateway.clone()];
    cells.extend(
        amounts.map(|minor| if minor == 0 { "-".to_owned() } else { render::money(currency, minor) }),
    );
    cells.push(state.to_owned());
    cells
}

fn sum(position: &MoneyPosition) -> TenderPosition {
    TenderPosition {
        gateway: "sum".to_owned(),
        captured_minor: position.captured_minor,
        owed_minor: position.owed_minor,
        reserved_minor: position.reserved_minor,
        in_flight_minor: position.in_flight_minor,
        confirmed_minor: position.confirmed_minor,
        reversed_minor: position.reversed_minor,
        disputed_minor: position.disputed_minor,
        paid_by_dispute_minor: position.paid_by_dispute_minor,
        refundable_minor: position.tenders.iter().map(|tender| tender.refundable_minor).sum(),
        ..TenderPosition::default()
    }
}

fn summary(position: &MoneyPosition) -> String {
    let money = |minor| render::money(&position.currency_code, minor);
    let mut text = format!(
        "kept {}, the order is worth {}",
        money(position.position_minor),
        money(position.capture_ceiling_minor)
    );
    for (minor, what) in [
        (position.elsewhere_minor, "of the confirmed were made at the gateway by somebody else"),
        (position.by_hand_minor, "of the confirmed were paid by hand"),
        (position.store_credit_minor, "are store credit"),
    ] {
        if minor != 0 {
            text = format!("{text}\n{} {what}", money(minor));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_own_column_and_the_sum_is_last() {
        let tender = TenderPosition {
            payment_id: "pay_1".to_owned(),
            gateway: "sandbox".to_owned(),
            captured_minor: 10_000,
            reserved_minor: 500,
            confirmed_minor: 2_000,
            refundable_minor: 7_500,
            ..TenderPosition::default()
        };
        let position = MoneyPosition {
            currency_code: "GBP".to_owned(),
            captured_minor: 10_000,
            reserved_minor: 500,
            confirmed_minor: 2_000,
            tenders: vec![tender],
            ..MoneyPosition::default()
        };

        let text = table(&position);

        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[2].starts_with("sum"), "{text}");
        for amount in ["GBP 100.00", "GBP 5.00", "GBP 20.00", "GBP 75.00"] {
            assert!(lines[1].contains(amount) && lines[2].contains(amount), "{amount}: {text}");
        }
    }
}
