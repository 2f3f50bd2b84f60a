//! A recorded decision about a request to cancel, with its facts: the order as it was, and the request. It is kept so that another policy can
//! decide the same request again, however the order has moved since. It holds no contact and no note.

mod facts;

use types::{ChangeOrderId, Currency, Fingerprint, OrderId, QuantityError, Refusal, Tenant, Timestamp};

pub use self::facts::Facts;
use super::change::{ChangeRequest, Channel, LabelAction, MoneyWish, Said};
use super::order::{Actor, Order, Parties, Placement};
use super::outside::Outside;
use super::position::Position;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub tenant: Tenant,
    /// The change's id. For a refusal, a fingerprint of who asked for what under which policy.
    pub decision_id: String,
    pub order_id: OrderId,
    pub order_number: String,
    pub currency: Currency,
    pub at: Timestamp,
    pub asked_by: Actor,
    pub policy_version: String,
    pub rule: String,
    pub outcome: Outcome,
    pub facts: Facts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Allowed {
        change_order_id: ChangeOrderId,
        amount_minor: i64,
        fee_minor: i64,
    },
    /// The policy refused it.
    Refused(Refusal),
}

/// The place of a decision in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub at: String,
    pub decision_id: String,
}

impl Decided {
    pub fn place(&self) -> Place {
        Place { at: self.at.to_string(), decision_id: self.decision_id.clone() }
    }

    /// The order as it stood, as far as a policy looks at it.
    pub fn order(&self) -> Order {
        let facts = &self.facts.order;
        let [placed_minor, reversed_minor, fees_minor, goodwill_minor] = facts.money;
        let (user, organisation) = facts.creator.clone();
        Order {
            tenant: self.tenant.clone(),
            order_id: self.order_id.clone(),
            number: self.order_number.clone(),
            currency: self.currency,
            placement: if facts.placing { Placement::Placing } else { Placement::Open },
            confirmed_at: facts.confirmed_at,
            processing_at: facts.processing_at,
            delivered_at: None,
            created_at: facts.created_at,
            placed_at: None,
            created_by: Actor { user, organisation, role: String::new() },
            customer_id: String::new(),
            parties: Parties {
                buyer: facts.buyer.clone(),
                supplier: facts.supplier.clone(),
                source_router: facts.source_router.clone(),
                client_contact: String::new(),
            },
            address: None,
            awaits_payment: None,
            placed_minor,
            reversed_minor,
            fees_minor,
            goodwill_minor,
            worth_version: 1,
            position: Position { worth_version: 1, ..Position::default() },
            next_position: None,
            change_in_progress: None,
            version: 1,
            pricing_version: 1,
            event_seq: 0,
            timeline_seq: 0,
            attention_open: 0,
            cancelled_by_change: None,
            reissue_of: None,
            outside: Outside::default(),
            lines: facts.lines.iter().map(facts::LineFacts::line).collect(),
            groups: facts.groups.iter().map(facts::GroupFacts::group).collect(),
            references: Vec::new(),
        }
    }

    /// What was asked for, as far as a policy looks at it.
    pub fn request(&self) -> Result<ChangeRequest, QuantityError> {
        let facts = &self.facts.request;
        Ok(ChangeRequest {
            order_id: self.order_id.clone(),
            selection: facts.select.selection()?,
            settlement: facts.settlement,
            label_action: if facts.void_label { LabelAction::Void } else { LabelAction::Keep },
            channel: Channel::Api,
            reason_code: facts.reason.clone(),
            note: facts::note(facts.noted),
            said: Said {
                supplier_contacted: facts.supplier_contacted,
                supplier_contact_ref: String::new(),
                confirmed: facts.confirmed,
                force: facts.forced,
                shipping: facts.shipping.clone(),
                tenders: Vec::new(),
                money: MoneyWish::default(),
                staff_note: String::new(),
                without_mail_to: Vec::new(),
            },
            content: Fingerprint::of(&[self.decision_id.as_bytes()]),
        })
    }
}
