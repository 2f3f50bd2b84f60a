//! What the order service is told: a line in the outbox, in the transaction of what it tells of.

use prost::Message;
use proto::events::v1::{AttentionCleared, AttentionRaised, GoodsProgressed, LineProgress, StepSettled};
use storage::NewEvent;
use types::{Reason, Refusal};

use super::books::{Books, Cause};
use crate::domain::Goods;
use crate::store::goods::OrderKey;

/// Order keeps the events of one order in sequence, whoever of us they are about.
const AGGREGATE: &str = "order";

/// What somebody has to look at, or has not to look at any more.
pub struct About<'a> {
    pub subject_type: &'a str,
    pub subject_id: &'a str,
    pub change_order_id: &'a str,
}

impl Books {
    /// Tells of the lines whose counters have moved; nothing if none has.
    pub fn tell_progress(
        &mut self,
        key: &OrderKey,
        before: &Goods,
        goods: &mut Goods,
        tracking_number: &str,
        cause: &Cause<'_>,
    ) {
        let lines: Vec<LineProgress> = goods
            .progressed_since(before)
            .into_iter()
            .map(|(line_id, counters)| LineProgress {
                line_id: line_id.to_string(),
                allocated: counters.allocated,
                deallocated: counters.deallocated,
                submitted: counters.submitted,
                shipped: counters.shipped,
                unshipped: counters.unshipped,
                delivered: counters.delivered,
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        let event = GoodsProgressed {
            order_id: key.1.to_string(),
            lines,
            tracking_number: tracking_number.to_owned(),
        };
        self.tell(key, goods, "countermand.events.v1.GoodsProgressed", &event, cause);
    }

    /// Units left the door before the order's placement was undone: somebody has to get them back.
    pub fn tell_shipped_too_early(
        &mut self,
        key: &OrderKey,
        units: i64,
        goods: &mut Goods,
        cause: &Cause<'_>,
    ) {
        let refusal =
            Refusal::new(Reason::ShippedFirst, "units were shipped before the placement was undone");
        let event = AttentionRaised {
            subject_type: AGGREGATE.to_owned(),
            subject_id: key.1.to_string(),
            order_id: key.1.to_string(),
            change_order_id: String::new(),
            cause: Some(kit::answer::to_wire(&refusal.detail("units", units))),
        };
        self.tell(key, goods, "countermand.events.v1.AttentionRaised", &event, cause);
    }

    /// The saga asks for the outcome when it hears that there is one.
    pub fn tell_step_settled(
        &mut self,
        key: &OrderKey,
        goods: &mut Goods,
        (saga_id, step): (&str, &str),
        cause: &Cause<'_>,
    ) {
        let event = StepSettled { saga_id: saga_id.to_owned(), step: step.to_owned() };
        self.tell(key, goods, "countermand.events.v1.StepSettled", &event, cause);
    }

    pub fn tell_attention(
        &mut self,
        key: &OrderKey,
        goods: &mut Goods,
        about: &About<'_>,
        refusal: &Refusal,
        cause: &Cause<'_>,
    ) {
        let event = AttentionRaised {
            subject_type: about.subject_type.to_owned(),
            subject_id: about.subject_id.to_owned(),
            order_id: key.1.to_string(),
            change_order_id: about.change_order_id.to_owned(),
            cause: Some(kit::answer::to_wire(refusal)),
        };
        self.tell(key, goods, "countermand.events.v1.AttentionRaised", &event, cause);
    }

    pub fn tell_cleared(&mut self, key: &OrderKey, goods: &mut Goods, about: &About<'_>, cause: &Cause<'_>) {
        let event = AttentionCleared {
            subject_type: about.subject_type.to_owned(),
            subject_id: about.subject_id.to_owned(),
            order_id: key.1.to_string(),
            change_order_id: about.change_order_id.to_owned(),
        };
        self.tell(key, goods, "countermand.events.v1.AttentionCleared", &event, cause);
    }

    pub(super) fn tell(
        &mut self,
        key: &OrderKey,
        goods: &mut Goods,
        kind: &'static str,
        event: &impl Message,
        cause: &Cause<'_>,
    ) {
        goods.event_seq += 1;
        let event = NewEvent {
            tenant: key.0.clone(),
            event_id: cause.moment.ids.mint(),
            aggregate_type: AGGREGATE,
            aggregate_id: key.1.to_string(),
            aggregate_seq: goods.event_seq,
            kind,
            payload: event.encode_to_vec(),
            traceparent: cause.traceparent.map(str::to_owned),
            occurred_at: cause.moment.at,
        };
        self.events.insert((key.clone(), event.aggregate_seq), event);
    }
}
