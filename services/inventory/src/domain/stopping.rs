//! Asking fulfilment partners to stop held units, and recording their answers. Nothing counts as stopped without an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use types::{FulfilmentId, PartnerTaskId, Reason, Refusal, ReservationId, Timestamp};

use super::goods::{Goods, Moment};
use super::integration::{IntegrationKey, Integrations};
use super::label::backoff_micros;
use super::partner::{Ask, PartnerAnswer, PartnerTask, TaskState, UNUSABLE, Unconfirmed, Word};
use super::reservation::Reservation;
use super::warehouse::{WarehouseKind, Warehouses};

/// The combined answer of all partners of one change order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// Some answer is still missing.
    Waiting,
    /// All agreed, or the change goes on without an answer.
    Agreed(Vec<PartnerTaskId>),
    Refused(Refusal),
}

impl Goods {
    /// Asks every partner that works on units which this saga holds, once per fulfilment. Returns how many were asked.
    pub fn ask_partners(
        &mut self,
        saga_id: &str,
        ask: &Ask,
        warehouses: &Warehouses,
        integrations: &Integrations,
        moment: Moment<'_>,
    ) -> Result<usize, Refusal> {
        let at_partners = self.with_partners(saga_id, warehouses);
        let asked = at_partners.len();
        for (fulfilment_id, rows) in at_partners {
            let units = rows.iter().map(|id| self.reservations[id].quantity).sum();
            let task =
                self.task(&fulfilment_id, saga_id, ask, units, (warehouses, integrations), moment.at)?;
            let task_id: PartnerTaskId = moment.ids.mint();
            self.tasks.insert(task_id.clone(), task);
            for id in rows {
                self.row(&id).packed.as_mut().expect("submitted units are packed").task =
                    Some(task_id.clone());
            }
        }
        Ok(asked)
    }

    /// Records what the worker heard. False if the task no longer waits for it.
    pub fn partner_answered(
        &mut self,
        id: &PartnerTaskId,
        answer: &PartnerAnswer,
        integrations: &Integrations,
        now: Timestamp,
    ) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        if task.remind(now) {
            return true;
        }
        if task.state != TaskState::Requested {
            return false;
        }
        match answer {
            PartnerAnswer::Taken { detail } if task.confirmation_required => {
                task.sent = true;
                task.answer.clone_from(detail);
                "the request was taken and its word is awaited".clone_into(&mut task.detail);
                task.due_at = task.deadline_at.unix_micros();
            }
            PartnerAnswer::Taken { detail } => {
                task.answer.clone_from(detail);
                task.end(TaskState::Accepted, "partner", "", now);
            }
            PartnerAnswer::Refused { detail } => {
                task.answer.clone_from(detail);
                task.end(TaskState::Rejected, "partner", "", now);
            }
            PartnerAnswer::Unknown { detail } => {
                task.answer.clone_from(detail);
                task.tries += 1;
                let again = now.unix_micros() + backoff_micros(task.tries);
                task.due_at = again.min(task.deadline_at.unix_micros());
            }
            PartnerAnswer::Unusable { why } => {
                let detail = format!("{UNUSABLE}{why}");
                self.use_next_method(id, detail, integrations, now);
            }
            PartnerAnswer::NotSent => {}
        }
        self.mind_the_time(id, integrations, now);
        true
    }

    /// Whether the task's request may be sent by its method now. The time window is checked here, when it is sent: a partner would accept a late
    /// request and not follow it.
    pub fn may_send(&self, id: &PartnerTaskId, integrations: &Integrations, now: Timestamp) -> bool {
        self.tasks.get(id).is_some_and(|task| {
            task.is_to_be_sent() && now < task.deadline_at && self.in_window(task, integrations, now)
        })
    }

    /// Records an answer from outside: the partner's own, or one that an operator has heard. Late answers count, too, because they tell where the
    /// goods are.
    pub fn partner_word(
        &mut self,
        id: &PartnerTaskId,
        word: Word,
        (by, note): (&str, &str),
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let task = self.tasks.get_mut(id).ok_or_else(|| Refusal::not_found("partner task", id))?;
        let said = match word {
            Word::Accepted => TaskState::Accepted,
            Word::Rejected => TaskState::Rejected,
        };
        match task.state {
            TaskState::Requested | TaskState::Unconfirmed => task.end(said, by, note, now),
            // The change was rejected meanwhile: a yes means that the partner has stopped units that are wanted after all.
            TaskState::Withdrawn | TaskState::Expired => {
                task.end(task.state, by, note, now);
                if word == Word::Accepted {
                    self.mark_for_resubmission(id);
                }
            }
            TaskState::Accepted | TaskState::Rejected => {
                let message = format!("the partner's word is known: {}", task.state.as_str());
                return Err(Refusal::new(Reason::AlreadyDecided, message).detail("task_id", id));
            }
        }
        Ok(())
    }

    /// A person has asked the partner by hand; the answer is awaited.
    pub fn asked_by_hand(&mut self, id: &PartnerTaskId, note: &str) -> Result<(), Refusal> {
        let task = self.tasks.get_mut(id).ok_or_else(|| Refusal::not_found("partner task", id))?;
        if task.state != TaskState::Requested {
            let message = format!("the task is {}", task.state.as_str());
            return Err(Refusal::new(Reason::StateConflict, message).detail("task_id", id));
        }
        task.sent = true;
        task.due_at = task.deadline_at.unix_micros();
        note.clone_into(&mut task.detail);
        Ok(())
    }

    /// The combined answer of this saga's partners. One refusal refuses the change, even if other partners agreed.
    pub fn stopped(&self, saga_id: &str) -> Stopped {
        let mut agreed = Vec::new();
        let mut waiting = false;
        for (id, task) in self.tasks.iter().filter(|(_, task)| task.saga_id == saga_id) {
            match task.state {
                TaskState::Accepted | TaskState::Unconfirmed => agreed.push(id.clone()),
                TaskState::Requested => waiting = true,
                TaskState::Rejected => return Stopped::Refused(said_no(id, task)),
                TaskState::Expired | TaskState::Withdrawn => return Stopped::Refused(no_word(id, task)),
            }
        }
        if waiting { Stopped::Waiting } else { Stopped::Agreed(agreed) }
    }

    /// The undo of a stop. Units that a partner has stopped already have to be submitted to it again.
    pub fn withdraw_stops(&mut self, saga_id: &str, now: Timestamp) -> usize {
        let mine: Vec<PartnerTaskId> = self.tasks_of(saga_id).cloned().collect();
        for id in &mine {
            let task = self.tasks.get_mut(id).expect("its id was just read");
            match task.state {
                TaskState::Accepted | TaskState::Unconfirmed => {
                    task.end(TaskState::Withdrawn, "system", "", now);
                    self.mark_for_resubmission(id);
                }
                TaskState::Requested => task.end(TaskState::Withdrawn, "system", "", now),
                TaskState::Rejected | TaskState::Expired | TaskState::Withdrawn => {}
            }
        }
        mine.len()
    }

    /// Applies time windows and deadlines, whatever was answered.
    fn mind_the_time(&mut self, id: &PartnerTaskId, integrations: &Integrations, now: Timestamp) {
        let task = &self.tasks[id];
        if task.state != TaskState::Requested {
            return;
        }
        if now >= task.deadline_at {
            self.tasks.get_mut(id).expect("it was just read").run_out(now);
        } else if task.is_to_be_sent() && !self.in_window(task, integrations, now) {
            let detail = format!("too late for {}", task.method.as_str());
            self.use_next_method(id, detail, integrations, now);
        }
    }

    fn use_next_method(
        &mut self,
        id: &PartnerTaskId,
        detail: String,
        integrations: &Integrations,
        now: Timestamp,
    ) {
        let task = &self.tasks[id];
        let integration = integrations.of(&task.integration);
        let next = integration.usable(task.method_index + 1, self.since_submission(task, now));
        let task = self.tasks.get_mut(id).expect("it was just read");
        task.detail = detail;
        task.use_method(next, &integration.method(next), now);
        task.confirmation_required = integration.needs_confirmation(next);
    }

    fn in_window(&self, task: &PartnerTask, integrations: &Integrations, now: Timestamp) -> bool {
        let integration = integrations.of(&task.integration);
        let since = self.since_submission(task, now);
        integration.usable(task.method_index, since) == task.method_index
    }

    fn since_submission(&self, task: &PartnerTask, now: Timestamp) -> Duration {
        let fulfilment = task.fulfilment_id.as_ref().and_then(|id| self.fulfilments.get(id));
        let submitted = fulfilment.and_then(|fulfilment| fulfilment.submitted_at);
        submitted.map_or(Duration::ZERO, |at| now.since(at))
    }

    fn task(
        &self,
        fulfilment_id: &FulfilmentId,
        saga_id: &str,
        ask: &Ask,
        units: i64,
        (warehouses, integrations): (&Warehouses, &Integrations),
        now: Timestamp,
    ) -> Result<PartnerTask, Refusal> {
        let fulfilment = &self.fulfilments[fulfilment_id];
        let warehouse = warehouses.get(&fulfilment.warehouse_id);
        let (key, external_number) =
            match (&fulfilment.partner, warehouse.and_then(|own| own.integration.clone())) {
                (Some(partner), _) => (partner.integration.clone(), partner.external_number.clone()),
                (None, known) => (known.unwrap_or_else(IntegrationKey::unknown), fulfilment_id.to_string()),
            };
        let integration = integrations.of(&key);
        let partner_reason = integration.reason(&ask.reason_code)?;
        let since = fulfilment.submitted_at.map_or(Duration::ZERO, |at| now.since(at));
        let index = integration.usable(0, since);
        let profile = integration.method(index);
        let mut task = PartnerTask::new(key, external_number, ask.clone(), units, now);
        task.fulfilment_id = Some(fulfilment_id.clone());
        saga_id.clone_into(&mut task.saga_id);
        task.partner_reason = partner_reason;
        task.confirmation_required = integration.needs_confirmation(index);
        task.use_method(index, &profile, now);
        Ok(task)
    }

    /// The units this saga holds that a third party is working on, by fulfilment.
    fn with_partners(
        &self,
        saga_id: &str,
        warehouses: &Warehouses,
    ) -> BTreeMap<FulfilmentId, Vec<ReservationId>> {
        let mut at_partners: BTreeMap<FulfilmentId, Vec<ReservationId>> = BTreeMap::new();
        for id in self.held_by(saga_id) {
            let row = &self.reservations[&id];
            if let Some(fulfilment_id) = row.with_partner(warehouses) {
                at_partners.entry(fulfilment_id.clone()).or_default().push(id);
            }
        }
        at_partners
    }

    /// The units are wanted and the partner has stopped them, so they must be submitted again under another number.
    fn mark_for_resubmission(&mut self, id: &PartnerTaskId) {
        let stopped = self.select(|row| {
            let line = row.packed.as_ref();
            row.is_reserved() && line.is_some_and(|line| line.submitted && line.task.as_ref() == Some(id))
        });
        for row_id in stopped {
            let line = self.row(&row_id).packed.as_mut().expect("only packed rows were picked");
            line.submitted = false;
            line.resubmit_needed = true;
        }
    }

    pub(super) fn tasks_of(&self, saga_id: &str) -> impl Iterator<Item = &PartnerTaskId> {
        self.tasks.iter().filter(move |(_, task)| task.saga_id == saga_id).map(|(id, _)| id)
    }
}

impl Reservation {
    /// The fulfilment under which a third party is working on the units.
    pub fn with_partner(&self, warehouses: &Warehouses) -> Option<&FulfilmentId> {
        let line = self.packed.as_ref().filter(|line| line.submitted && self.is_reserved())?;
        let kind = warehouses.get(&self.warehouse_id).map(|warehouse| warehouse.kind);
        (kind == Some(WarehouseKind::Dropship)).then_some(&line.fulfilment_id)
    }
}

impl PartnerTask {
    /// The deadline has passed without an answer.
    fn run_out(&mut self, now: Timestamp) {
        match self.ask.unconfirmed {
            Unconfirmed::Commit => self.go_on_without_word(now),
            Unconfirmed::Reject => self.end(TaskState::Expired, "system", "no word by the deadline", now),
            Unconfirmed::Wait => {
                "no word by the deadline; the change waits for it".clone_into(&mut self.detail);
                self.due_at = 0;
            }
        }
    }
}

fn said_no(id: &PartnerTaskId, task: &PartnerTask) -> Refusal {
    let message = format!("{} does not stop {}", task.integration, task.external_number);
    Refusal::new(Reason::PartnerRejected, message)
        .detail("task_id", id)
        .detail("integration", &task.integration)
}

fn no_word(id: &PartnerTaskId, task: &PartnerTask) -> Refusal {
    let message = format!("{} did not answer about {} in time", task.integration, task.external_number);
    Refusal::new(Reason::NoAnswerInTime, message)
        .detail("task_id", id)
        .detail("integration", &task.integration)
}
