//! What the order service is told of labels and partners: whatever of it is not as it was.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::common::v1::Money;
use proto::events::v1::{FulfilmentSubmitted, LabelChanged, PartnerAsked};
use types::{FulfilmentId, LabelId, PartnerTaskId, Reason, Refusal};

use super::books::{Books, Cause};
use super::events::About;
use crate::domain::{Goods, Label, Method, PartnerTask, State, TaskState};
use crate::store::goods::OrderKey;

impl Books {
    /// Tells of everything that differs between the two.
    pub fn tell_changes(
        &mut self,
        key: &OrderKey,
        before: &Goods,
        goods: &mut Goods,
        tracking_number: &str,
        cause: &Cause<'_>,
    ) {
        self.tell_progress(key, before, goods, tracking_number, cause);
        self.tell_left_all_the_same(key, before, goods, cause);
        let now = goods.clone();
        for id in now.fulfilments.keys() {
            let was = before.fulfilments.get(id).and_then(|fulfilment| fulfilment.partner.as_ref());
            if was != now.fulfilments[id].partner.as_ref() {
                self.tell_submitted(key, goods, id, cause);
            }
        }
        for (id, label) in &now.labels {
            let was = before.labels.get(id);
            if was.is_none_or(|was| was.state != label.state) {
                self.tell(
                    key,
                    goods,
                    "countermand.events.v1.LabelChanged",
                    &label_changed(key, id, label),
                    cause,
                );
            }
            let waiting = |goods: &Goods| goods.restock_waiting(id, self.warehouses(&key.0));
            match (waiting(before), waiting(&now)) {
                (0, 0) => {}
                (0, units) => self.tell_homeless(key, goods, (id, units), cause),
                (_, 0) => self.tell_cleared(key, goods, &about_label(id), cause),
                (_, _) => {}
            }
        }
        for (id, task) in &now.tasks {
            let was = before.tasks.get(id);
            if was.is_none_or(|was| is_news(was, task)) {
                let event = partner_asked(key, id, task, was);
                self.tell(key, goods, "countermand.events.v1.PartnerAsked", &event, cause);
            }
            let about = About {
                subject_type: "partner_task",
                subject_id: id.as_str(),
                change_order_id: &task.ask.change_order_id,
            };
            if was.is_some_and(|was| waited_for_person(was) && has_moved_on(was, task)) {
                self.tell_cleared(key, goods, &about, cause);
            }
            if let Some(refusal) = alarm(id, was, task, cause) {
                let subject_type = if is_cart_that_refuses(task) { "cart" } else { about.subject_type };
                self.tell_attention(key, goods, &About { subject_type, ..about }, &refusal, cause);
            }
        }
    }

    /// Units of a warehouse of our own have left although they were cancelled. What a partner shipped is told with its task.
    fn tell_left_all_the_same(
        &mut self,
        key: &OrderKey,
        before: &Goods,
        goods: &mut Goods,
        cause: &Cause<'_>,
    ) {
        let mut left: BTreeMap<FulfilmentId, i64> = BTreeMap::new();
        for (id, row) in &goods.reservations {
            let line = row.packed.as_ref().filter(|line| line.task.is_none());
            let is_new = before.reservations.get(id).is_none_or(|was| was.state != row.state);
            if let (Some(line), State::ShippedAfterCancel { .. }, true) = (line, &row.state, is_new) {
                *left.entry(line.fulfilment_id.clone()).or_default() += row.quantity;
            }
        }
        for (id, units) in left {
            let message = format!("{units} cancelled units have left all the same; count the shelf");
            let refusal = Refusal::new(Reason::ShippedAfterCancel, message)
                .detail("units", units)
                .detail("fulfillment_id", &id);
            let about = About { subject_type: "fulfilment", subject_id: id.as_str(), change_order_id: "" };
            self.tell_attention(key, goods, &about, &refusal, cause);
        }
    }

    fn tell_submitted(&mut self, key: &OrderKey, goods: &mut Goods, id: &FulfilmentId, cause: &Cause<'_>) {
        let fulfilment = goods.fulfilments[id].clone();
        let Some(partner) = fulfilment.partner else { return };
        let integration = self.integrations(&key.0).of(&partner.integration).clone();
        let first = integration.method(integration.usable(0, Duration::ZERO));
        let submitted_at = fulfilment.submitted_at.unwrap_or(cause.moment.at);
        let window = Duration::from_secs(first.window_seconds.into());
        let event = FulfilmentSubmitted {
            order_id: key.1.to_string(),
            fulfillment_id: id.to_string(),
            integration: partner.integration.to_string(),
            external_number: partner.external_number,
            submitted_at: submitted_at.to_string(),
            method: first.method.as_str().to_owned(),
            window_closes_at: if window.is_zero() {
                String::new()
            } else {
                submitted_at.plus(window).to_string()
            },
            confirmation_required: integration.needs_confirmation(integration.usable(0, Duration::ZERO)),
            needs_reason: integration.needs_reason,
            reasons: if integration.needs_reason {
                integration.reason_map.keys().cloned().collect()
            } else {
                Vec::new()
            },
        };
        self.tell(key, goods, "countermand.events.v1.FulfilmentSubmitted", &event, cause);
    }

    /// Units are back from the carrier, and their warehouse takes nothing.
    fn tell_homeless(
        &mut self,
        key: &OrderKey,
        goods: &mut Goods,
        (id, units): (&LabelId, i64),
        cause: &Cause<'_>,
    ) {
        let message = "units of a voided label are back and their warehouse is inactive: choose another";
        let refusal =
            Refusal::new(Reason::WarehouseInactive, message).detail("units", units).detail("label_id", id);
        self.tell_attention(key, goods, &about_label(id), &refusal, cause);
    }
}

fn about_label(id: &LabelId) -> About<'_> {
    About { subject_type: "label", subject_id: id.as_str(), change_order_id: "" }
}

fn label_changed(key: &OrderKey, id: &LabelId, label: &Label) -> LabelChanged {
    LabelChanged {
        order_id: key.1.to_string(),
        label_id: id.to_string(),
        fulfillment_id: label.fulfilment_id.to_string(),
        tracking_number: label.tracking_number.clone(),
        state: label.state.as_str().to_owned(),
        credit: label.state.credit().map_or_else(String::new, |credit| credit.as_str().to_owned()),
        refusal: label.state.refusal().map_or_else(String::new, |refusal| refusal.as_str().to_owned()),
        cost: Some(Money {
            currency_code: label.cost.currency().code().to_owned(),
            minor_units: label.cost.minor(),
        }),
    }
}

/// Retries are nobody's news.
fn is_news(was: &PartnerTask, task: &PartnerTask) -> bool {
    was.state != task.state
        || was.method != task.method
        || was.sent != task.sent
        || was.shipped_after_cancel != task.shipped_after_cancel
}

fn partner_asked(
    key: &OrderKey,
    id: &PartnerTaskId,
    task: &PartnerTask,
    was: Option<&PartnerTask>,
) -> PartnerAsked {
    let mails_before = was.is_some_and(|was| was.method == Method::Email);
    PartnerAsked {
        order_id: key.1.to_string(),
        change_order_id: task.ask.change_order_id.clone(),
        task_id: id.to_string(),
        fulfillment_id: task.fulfilment().to_owned(),
        integration: task.integration.to_string(),
        external_number: task.external_number.clone(),
        state: task.state.as_str().to_owned(),
        method: task.method.as_str().to_owned(),
        address: task.address.clone(),
        send_mail: task.method == Method::Email && task.state == TaskState::Requested && !mails_before,
        units: task.units,
        reason: task.partner_reason.clone(),
        note: task.ask.note.clone(),
        deadline_at: task.deadline_at.to_string(),
        detail: task.detail.clone(),
        shipped_after_cancel: task.shipped_after_cancel,
        sent: task.sent,
    }
}

/// What a person has to know of a task that has moved.
fn alarm(
    id: &PartnerTaskId,
    was: Option<&PartnerTask>,
    task: &PartnerTask,
    cause: &Cause<'_>,
) -> Option<Refusal> {
    let about = format!("{} and number {}", task.integration, task.external_number);
    let say = |reason: Reason, message: String| Refusal::new(reason, message).detail("task_id", id);
    if task.shipped_after_cancel && was.is_some_and(|was| !was.shipped_after_cancel) {
        let message = format!("{about}: it shipped what it was told to stop");
        return Some(say(Reason::ShippedAfterCancel, message));
    }
    let before = was.map(|was| was.state);
    match (before, task.state) {
        (Some(TaskState::Requested), TaskState::Unconfirmed) => {
            let message = format!("{about}: no word by the deadline; the order is cancelled without it");
            Some(say(Reason::PartnerUnconfirmed, message))
        }
        (Some(TaskState::Unconfirmed), TaskState::Unconfirmed) if is_reminder(was, task) => {
            let message = format!("{about}: there is still no word; this is the only reminder");
            Some(say(Reason::NoAnswerInTime, message))
        }
        (Some(TaskState::Requested | TaskState::Unconfirmed), TaskState::Rejected)
            if is_cart_that_refuses(task) =>
        {
            let message = format!("{about}: it does not take the cancellation");
            Some(say(Reason::PartnerRejected, message))
        }
        (Some(TaskState::Unconfirmed), TaskState::Rejected) => {
            let message = format!("{about}: it does not stop, and the order is cancelled already");
            Some(say(Reason::PartnerRejected, message))
        }
        (Some(TaskState::Accepted | TaskState::Unconfirmed), TaskState::Withdrawn) => {
            let message =
                format!("{about}: it has stopped what is wanted after all; submit under a new number");
            Some(say(Reason::Withdrawn, message))
        }
        (Some(TaskState::Requested), TaskState::Withdrawn) if task.sent => {
            let message = format!("{about}: it was asked to stop what is wanted after all; tell it to go on");
            Some(say(Reason::Withdrawn, message))
        }
        (Some(TaskState::Withdrawn), TaskState::Withdrawn) if task.answered_by != "system" => {
            let message = format!("{about}: a late word; {}", task.detail);
            Some(say(Reason::Withdrawn, message))
        }
        (_, TaskState::Requested) if is_overdue(was, task, cause) => {
            let message = format!("{about}: no word by the deadline; the change waits for it");
            Some(say(Reason::PartnerUnconfirmed, message))
        }
        (_, TaskState::Requested) if was.is_some_and(|was| loses_program(was, task)) => {
            let message = format!("{about}: {}; it is asked by {}", task.detail, task.method.as_str());
            Some(say(Reason::PartnerUnconfirmed, message))
        }
        (_, TaskState::Requested) if calls_for_person(was, task) => {
            let message = format!("{about}: somebody has to ask by {}", task.method.as_str());
            Some(say(Reason::PartnerUnconfirmed, message))
        }
        _ => None,
    }
}

/// Whether somebody was asked to look at a task.
fn waited_for_person(task: &PartnerTask) -> bool {
    match task.state {
        TaskState::Unconfirmed | TaskState::Rejected => true,
        TaskState::Requested => task.due_at == 0 || task.has_lost_its_program() || is_by_hand(task),
        TaskState::Accepted | TaskState::Expired | TaskState::Withdrawn => false,
    }
}

fn has_moved_on(was: &PartnerTask, task: &PartnerTask) -> bool {
    was.state != task.state || was.shipped_after_cancel != task.shipped_after_cancel
}

fn is_cart_that_refuses(task: &PartnerTask) -> bool {
    task.is_of_cart() && task.state == TaskState::Rejected
}

fn is_overdue(was: Option<&PartnerTask>, task: &PartnerTask, cause: &Cause<'_>) -> bool {
    task.due_at == 0 && cause.moment.at >= task.deadline_at && was.is_some_and(|was| was.due_at != 0)
}

fn is_reminder(was: Option<&PartnerTask>, task: &PartnerTask) -> bool {
    task.due_at == 0 && was.is_some_and(|was| was.due_at != 0)
}

fn loses_program(was: &PartnerTask, task: &PartnerTask) -> bool {
    task.has_lost_its_program() && was.method_index != task.method_index
}

fn calls_for_person(was: Option<&PartnerTask>, task: &PartnerTask) -> bool {
    is_by_hand(task) && was.is_none_or(|was| !is_by_hand(was))
}

/// A mail without an address is somebody's to write.
fn is_by_hand(task: &PartnerTask) -> bool {
    task.method != Method::Api && !task.sent
}
