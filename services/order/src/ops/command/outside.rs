//! Parsing events about labels and partners.

use prost::Message as _;
use proto::events::v1::{FulfilmentSubmitted, LabelChanged, PartnerAsked};
use types::{OrderId, Timestamp};

use crate::domain::outside::{self, Handed, Label, Leg, LegState, PartnerMail};

/// What one event has to say.
pub enum News {
    Label(Label),
    Handover(Handed),
    Leg(Leg),
    /// A leg that begins with a mail.
    Mail(Box<PartnerMail>),
}

impl News {
    /// The partner's part that it tells of.
    pub fn leg(&self) -> Option<&outside::Leg> {
        match self {
            Self::Leg(leg) => Some(leg),
            Self::Mail(mail) => Some(&mail.leg),
            Self::Label(_) | Self::Handover(_) => None,
        }
    }
}

/// The order and the news; None for an event of another kind.
pub fn read(kind: &str, payload: &[u8], at: Timestamp) -> Option<Result<(OrderId, News), String>> {
    let read = match kind {
        "countermand.events.v1.LabelChanged" => LabelChanged::decode(payload).map_err(text).and_then(label),
        "countermand.events.v1.FulfilmentSubmitted" => {
            FulfilmentSubmitted::decode(payload).map_err(text).and_then(handover)
        }
        "countermand.events.v1.PartnerAsked" => {
            PartnerAsked::decode(payload).map_err(text).and_then(|event| leg(event, at))
        }
        _ => return None,
    };
    Some(read.map_err(|problem| format!("{kind}: {problem}")))
}

fn label(event: LabelChanged) -> Result<(OrderId, News), String> {
    let cost = event.cost.unwrap_or_default();
    let label = Label {
        label_id: event.label_id,
        fulfillment_id: event.fulfillment_id,
        tracking_number: event.tracking_number,
        state: event.state,
        credit: event.credit,
        refusal: event.refusal,
        currency: cost.currency_code,
        cost_minor: cost.minor_units,
    };
    Ok((OrderId::parse(&event.order_id).map_err(text)?, News::Label(label)))
}

fn handover(event: FulfilmentSubmitted) -> Result<(OrderId, News), String> {
    let handed = Handed {
        fulfillment_id: event.fulfillment_id,
        integration: event.integration,
        external_number: event.external_number,
        submitted_at: event.submitted_at,
        method: event.method,
        window_closes_at: event.window_closes_at,
        confirmation_required: event.confirmation_required,
        needs_reason: event.needs_reason,
        reasons: event.reasons,
    };
    Ok((OrderId::parse(&event.order_id).map_err(text)?, News::Handover(handed)))
}

fn leg(event: PartnerAsked, at: Timestamp) -> Result<(OrderId, News), String> {
    let state = LegState::of_task(&event.state, &event.method, event.sent);
    let leg = Leg {
        state: state.ok_or_else(|| format!("a task is never {:?}", event.state))?,
        task_id: event.task_id,
        change_order_id: event.change_order_id,
        fulfillment_id: event.fulfillment_id,
        integration: event.integration,
        external_number: event.external_number,
        method: event.method,
        detail: event.detail,
        shipped_after_cancel: event.shipped_after_cancel,
        updated_at: at.to_string(),
    };
    let news = if event.send_mail && !event.address.is_empty() {
        News::Mail(Box::new(PartnerMail {
            address: event.address,
            units: event.units,
            reason: event.reason,
            note: event.note,
            deadline_at: event.deadline_at,
            leg,
        }))
    } else {
        News::Leg(leg)
    };
    Ok((OrderId::parse(&event.order_id).map_err(text)?, news))
}

fn text(problem: impl std::fmt::Display) -> String {
    problem.to_string()
}
