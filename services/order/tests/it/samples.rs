//! Orders and changes as callers ask for them.

use kit::Principal;
use order::domain::change::{
    ChangeRequest, Channel, LabelAction, LineKey, Said, SelectedLine, Selection, Settlement,
};
use order::domain::order::Parties;
use order::domain::placing::{NewLine, NewOrder, NewShipping, NewTender};
use order::domain::policy::Bundle;
use types::{Currency, Fingerprint, OrderId, Quantity, RequestId, Role, RoleMap, Tenant, UnitPrice};

pub fn caller() -> Principal {
    acting("ann", "shop", "staff")
}

/// Somebody of a role, with what the shipped map grants it.
pub fn acting(user: &str, organisation: &str, role: &str) -> Principal {
    let role = Role::parse(role).unwrap();
    Principal {
        tenant: Tenant::DEFAULT,
        issuer: String::new(),
        user: user.to_owned(),
        organisation: organisation.to_owned(),
        grants: RoleMap::shipped().grants(&role),
        role,
    }
}

pub fn request_id(text: &str) -> RequestId {
    RequestId::parse(text).unwrap()
}

/// Two lines (3 × 10.00 and 2 × 2.50) and 4.00 shipping: 39.00 in all.
pub fn new_order(name: &str) -> NewOrder {
    NewOrder {
        number: None,
        currency: Currency::parse("GBP").unwrap(),
        lines: vec![line("TEAPOT", 3, "10.00"), line("CUP", 2, "2.50")],
        order_discount_minor: 0,
        order_tax_minor: 0,
        shipping: vec![NewShipping { delivery_group: String::new(), amount_minor: 400, tax_minor: 0 }],
        tenders: vec![NewTender {
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            amount_minor: 3_900,
            capture_now: true,
        }],
        external_payments: Vec::new(),
        parties: Parties::default(),
        address: None,
        customer_id: "customer-1".to_owned(),
        references: Vec::new(),
        confirm_later: false,
        reissue_of: None,
        bundles: Bundle::ParentPriced,
        placed_at: None,
        content: Fingerprint::of(&[name.as_bytes()]),
    }
}

fn line(sku: &str, quantity: i64, price: &str) -> NewLine {
    NewLine {
        sku: sku.to_owned(),
        description: String::new(),
        quantity: Quantity::parse(quantity).unwrap(),
        unit_price: UnitPrice::parse(price).unwrap(),
        line_discount_minor: 0,
        tax_minor: 0,
        tax_included: false,
        warehouse_id: None,
        delivery_group: String::new(),
        bundle: None,
        own_stock: false,
    }
}

pub fn cancel_all(order_id: &OrderId) -> ChangeRequest {
    request(order_id, Selection::Everything)
}

pub fn all_eligible(order_id: &OrderId) -> ChangeRequest {
    request(order_id, Selection::AllEligible)
}

/// Cancels some units of one line.
pub fn cancel_units(order_id: &OrderId, line_number: i64, quantity: i64) -> ChangeRequest {
    let selected = SelectedLine {
        line: LineKey::Number(line_number),
        quantity: Quantity::parse(quantity).unwrap(),
        reason_code: String::new(),
        note: String::new(),
        children: None,
    };
    request(order_id, Selection::Items(vec![selected]))
}

fn request(order_id: &OrderId, selection: Selection) -> ChangeRequest {
    let content = Fingerprint::of(&[order_id.as_str().as_bytes(), format!("{selection:?}").as_bytes()]);
    ChangeRequest {
        order_id: order_id.clone(),
        selection,
        settlement: Some(Settlement::Auto),
        said: Said::default(),
        label_action: LabelAction::Keep,
        channel: Channel::Api,
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        note: "changed their mind".to_owned(),
        content,
    }
}
