//! Orders and changes for the tests: small, named, and the same in every run.

use std::sync::LazyLock;

use types::{
    ChangeOrderId, Clock, Currency, Fingerprint, Ids, Quantity, Refusal, SagaId, Tenant, Timestamp, UnitPrice,
};

use crate::domain::change::{
    ChangeOrder, ChangeRequest, Channel, LabelAction, LineKey, Said, SelectedLine, Selection, Settlement,
};
use crate::domain::lifecycle::{self, Settled, Submission, accept, commit, finish, open_order};
use crate::domain::order::{Actor, Order, Parties};
use crate::domain::placing::{NewLine, NewOrder, NewShipping, NewTender, Placed, place};
use crate::domain::policy::{Bundle, default_policy};
use crate::domain::pricing::PricedChange;
use crate::domain::reason::Catalogue;

pub fn ids() -> Ids {
    Ids::seeded(Clock::manual(now()), 7)
}

/// Ids that [`ids`] never mints.
pub fn foreign_ids() -> Ids {
    Ids::seeded(Clock::manual(now()), 8)
}

pub fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T22:37:12.000000Z").unwrap()
}

pub fn actor() -> Actor {
    Actor { user: "ada".to_owned(), organisation: "shop".to_owned(), role: "staff".to_owned() }
}

/// The seeds alone.
pub fn catalogue() -> &'static Catalogue {
    static SEEDS: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::with([]));
    &SEEDS
}

pub fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub fn new_line(quantity: i64, unit_price: &str) -> NewLine {
    NewLine {
        sku: "TEA".to_owned(),
        description: String::new(),
        quantity: Quantity::parse(quantity).unwrap(),
        unit_price: UnitPrice::parse(unit_price).unwrap(),
        line_discount_minor: 0,
        tax_minor: 0,
        tax_included: false,
        warehouse_id: None,
        delivery_group: String::new(),
        bundle: None,
        own_stock: false,
    }
}

/// An order of these lines in pounds, not yet paid for.
pub fn new_order(lines: Vec<NewLine>) -> NewOrder {
    NewOrder {
        number: None,
        currency: currency("GBP"),
        lines,
        order_discount_minor: 0,
        order_tax_minor: 0,
        shipping: Vec::new(),
        tenders: Vec::new(),
        external_payments: Vec::new(),
        parties: Parties::default(),
        address: None,
        customer_id: String::new(),
        references: Vec::new(),
        confirm_later: false,
        reissue_of: None,
        bundles: Bundle::ParentPriced,
        placed_at: None,
        content: Fingerprint::of(&[b"order"]),
    }
}

pub fn shipping(delivery_group: &str, amount_minor: i64, tax_minor: i64) -> NewShipping {
    NewShipping { delivery_group: delivery_group.to_owned(), amount_minor, tax_minor }
}

pub fn tender(amount_minor: i64) -> NewTender {
    NewTender {
        gateway: "sandbox".to_owned(),
        payment_token: "tok_ok".to_owned(),
        amount_minor,
        capture_now: true,
    }
}

/// Places an order with one tender over whatever it comes to.
pub fn placed(mut new: NewOrder, ids: &Ids) -> Placed {
    new.tenders = Vec::new();
    let owed = match place(new.clone(), Tenant::DEFAULT, actor(), ids, now()) {
        Ok(free) => return free,
        Err(refusal) => refusal.details["total_minor"].parse().unwrap(),
    };
    new.tenders = vec![tender(owed)];
    place(new, Tenant::DEFAULT, actor(), ids, now()).unwrap()
}

/// An order that stands and was confirmed.
pub fn open(new: NewOrder, ids: &Ids) -> Order {
    let mut order = placed(new, ids).order;
    let _told = open_order(&mut order, true, now()).unwrap();
    order
}

pub fn everything(order: &Order) -> ChangeRequest {
    request(order, Selection::Everything)
}

/// Cancels quantities of lines by number.
pub fn items(order: &Order, items: &[(i64, i64)]) -> ChangeRequest {
    let selected = items.iter().map(|(number, quantity)| SelectedLine {
        line: LineKey::Number(*number),
        quantity: Quantity::parse(*quantity).unwrap(),
        reason_code: String::new(),
        note: String::new(),
        children: None,
    });
    request(order, Selection::Items(selected.collect()))
}

pub fn request(order: &Order, selection: Selection) -> ChangeRequest {
    ChangeRequest {
        order_id: order.order_id.clone(),
        content: Fingerprint::of(&[format!("{selection:?}").as_bytes()]),
        selection,
        settlement: Some(Settlement::Auto),
        label_action: LabelAction::Keep,
        channel: Channel::Api,
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        note: String::new(),
        said: Said::default(),
    }
}

/// The price of a change under the default policy.
pub fn preview(order: &Order, request: &ChangeRequest) -> Result<PricedChange, Refusal> {
    lifecycle::preview(order, request, default_policy(), catalogue(), &actor(), now())
        .map(|previewed| previewed.priced)
}

pub fn submission<'a>(request: &'a ChangeRequest, ids: &Ids) -> Submission<'a> {
    Submission {
        request,
        policy: default_policy(),
        catalogue: catalogue(),
        quote: None,
        change_order_id: ids.mint::<ChangeOrderId>(),
        saga_id: ids.mint::<SagaId>(),
        actor: actor(),
        now: now(),
    }
}

pub fn accepted(order: &mut Order, request: &ChangeRequest, ids: &Ids) -> Result<ChangeOrder, Refusal> {
    accept(order, submission(request, ids)).map(|(change, _told)| change)
}

/// Accepts, commits and finishes a change.
pub fn cancelled(order: &mut Order, request: &ChangeRequest, ids: &Ids) -> Result<ChangeOrder, Refusal> {
    let mut change = accepted(order, request, ids)?;
    let _told = commit(order, &mut change, now()).unwrap();
    let _told = finish(order, &mut change, Settled::default(), now()).unwrap();
    Ok(change)
}
