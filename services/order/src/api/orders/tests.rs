//! What CreateOrder refuses before anything is computed, and by which path.

use proto::common::v1::ExternalReference;
use proto::order::v1::{
    CreateOrderRequest, ExternalPaymentInput, LineInput, LineTax, Parties, ShippingInput, TenderInput,
};
use types::Reason;

use super::new_order::{LINES_MAX, new_order};
use crate::domain::placing::NewOrder;

fn line() -> LineInput {
    LineInput { sku: "TEA".to_owned(), quantity: 2, unit_price: "2.55".to_owned(), ..LineInput::default() }
}

fn request() -> CreateOrderRequest {
    CreateOrderRequest {
        request_id: "r-1".to_owned(),
        currency_code: "GBP".to_owned(),
        lines: vec![line()],
        tenders: vec![TenderInput {
            gateway: "sandbox".to_owned(),
            payment_token: "tok_ok".to_owned(),
            amount_minor: 510,
            capture_now: true,
        }],
        ..CreateOrderRequest::default()
    }
}

fn parsed(change: fn(&mut CreateOrderRequest)) -> NewOrder {
    let mut request = request();
    change(&mut request);
    new_order(&request).unwrap()
}

#[test]
fn a_plain_request_is_parsed() {
    let new = parsed(|_| {});

    assert_eq!(new.lines.len(), 1);
    assert_eq!(new.lines[0].warehouse_id, None);
    assert_eq!(new.number, None);
    assert_eq!(new.tenders[0].amount_minor, 510);
}

#[test]
fn every_bad_field_is_named_by_its_path() {
    type Spoiling = fn(&mut CreateOrderRequest);
    let table: [(Spoiling, Reason, &str); 24] = [
        (|r| r.lines.clear(), Reason::FieldRequired, "lines"),
        (|r| r.lines = vec![line(); LINES_MAX + 1], Reason::TooManyLines, "lines"),
        (|r| r.currency_code = "gbp".to_owned(), Reason::CurrencyUnknown, "currency_code"),
        (|r| r.number = "n".repeat(65), Reason::FieldTooLong, "number"),
        (|r| r.lines[0].sku = " ".to_owned(), Reason::FieldRequired, "lines[0].sku"),
        (|r| r.lines[0].sku = "s".repeat(65), Reason::FieldTooLong, "lines[0].sku"),
        (|r| r.lines[0].description = "a\0b".to_owned(), Reason::FieldInvalid, "lines[0].description"),
        (|r| r.lines[0].quantity = 0, Reason::QuantityOutOfRange, "lines[0].quantity"),
        (|r| r.lines[0].quantity = 1_000_001, Reason::QuantityOutOfRange, "lines[0].quantity"),
        (|r| r.lines[0].unit_price = "-1".to_owned(), Reason::FieldInvalid, "lines[0].unit_price"),
        (|r| r.lines[0].unit_price = "1.1234567".to_owned(), Reason::FieldInvalid, "lines[0].unit_price"),
        (|r| r.lines[0].line_discount_minor = -1, Reason::AmountOutOfRange, "lines[0].line_discount_minor"),
        (
            |r| r.lines[0].tax = Some(LineTax { amount_minor: -1, included: true }),
            Reason::AmountOutOfRange,
            "lines[0].tax.amount_minor",
        ),
        (|r| r.order_discount_minor = -1, Reason::AmountOutOfRange, "order_discount_minor"),
        (|r| r.order_tax_minor = i64::MAX, Reason::AmountOutOfRange, "order_tax_minor"),
        (
            |r| r.shipping = vec![ShippingInput::default(); 2],
            Reason::FieldInvalid,
            "shipping[1].delivery_group",
        ),
        (|r| r.tenders[0].amount_minor = 0, Reason::AmountOutOfRange, "tenders[0].amount_minor"),
        (|r| r.tenders[0].gateway.clear(), Reason::FieldRequired, "tenders[0].gateway"),
        (
            |r| {
                r.external_payments = vec![ExternalPaymentInput {
                    gateway: "bank".to_owned(),
                    reference: "r".to_owned(),
                    authorised_minor: 5,
                    captured_minor: 6,
                    attested: false,
                }];
            },
            Reason::AmountOutOfRange,
            "external_payments[0].captured_minor",
        ),
        (
            |r| r.parties = Some(Parties { buyer: "b".repeat(129), ..Parties::default() }),
            Reason::FieldTooLong,
            "parties.buyer",
        ),
        (
            |r| r.external_references = vec![ExternalReference::default()],
            Reason::FieldRequired,
            "external_references[0].system",
        ),
        (
            |r| {
                let twice = ExternalReference { system: "shop".to_owned(), reference: "7".to_owned() };
                r.external_references = vec![twice.clone(), twice];
            },
            Reason::FieldInvalid,
            "external_references[1].reference",
        ),
        (|r| r.placed_at = "yesterday".to_owned(), Reason::FieldInvalid, "placed_at"),
        (|r| r.placed_at = "2011-02-30T00:00:00Z".to_owned(), Reason::FieldInvalid, "placed_at"),
    ];

    for (spoil, reason, field) in table {
        let mut request = request();
        spoil(&mut request);

        let refusal = new_order(&request).unwrap_err();

        assert_eq!((refusal.reason, refusal.field.as_deref()), (reason, Some(field)));
    }
}

#[test]
fn an_instant_may_have_any_number_of_decimals() {
    for (text, expected) in [
        ("2010-12-01T08:26:00Z", "2010-12-01T08:26:00.000000Z"),
        ("2010-12-01T08:26:00.5Z", "2010-12-01T08:26:00.500000Z"),
        ("2010-12-01T08:26:00.123456789Z", "2010-12-01T08:26:00.123456Z"),
    ] {
        let mut request = request();
        request.placed_at = text.to_owned();

        assert_eq!(new_order(&request).unwrap().placed_at.unwrap().to_string(), expected);
    }
}

#[test]
fn the_request_id_and_the_wish_to_wait_are_not_part_of_the_content() {
    let plain = parsed(|_| {}).content;

    assert_eq!(parsed(|r| r.request_id = "r-2".to_owned()).content, plain);
    assert_eq!(parsed(|r| r.wait = 2).content, plain);
    assert_ne!(parsed(|r| r.lines[0].quantity = 3).content, plain);
    assert_ne!(parsed(|r| r.customer_id = "c".to_owned()).content, plain);
}
