//! Attention items lie over orders and changes: an item opens and closes with its cause, and is never a state of the order.

use saga::SagaRow;
use types::{AttentionId, ChangeOrderId, OrderId, Reason, Refusal, Tenant};

use crate::domain::attention::{AttentionItem, Cause};
use crate::domain::history::{Entry, Fact, Happened, Visibility};
use crate::domain::order::Actor;
use crate::domain::outside::Leg;
use crate::ops::books::Books;
use crate::ops::command::Asked;
use crate::ops::plans;
use crate::store::attention::AttentionKey;
use crate::store::keys::OrderKey;

/// The subject of items about a saga.
pub const SAGA: &str = "saga";

/// Something a person has to look at.
pub struct Raised {
    pub tenant: Tenant,
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    pub subject_type: String,
    pub subject_id: String,
    pub cause: Refusal,
    /// What may be done, where the subject's state decides it. Empty where the cause alone does.
    pub allowed_actions: Vec<String>,
}

impl Books {
    /// Opens an item, unless one with the same subject and reason is open already.
    pub fn raise(&mut self, raised: Raised) {
        let same = |item: &AttentionItem| {
            item.subject_type == raised.subject_type
                && item.subject_id == raised.subject_id
                && item.cause.reason == raised.cause.reason
        };
        if self.open_items(&raised.tenant, same).next().is_some() {
            return;
        }
        let mut allowed_actions = raised.allowed_actions;
        if allowed_actions.is_empty() {
            let cause = Cause::of(&raised.subject_type, raised.cause.reason);
            allowed_actions = cause.actions.iter().map(ToString::to_string).collect();
        }
        let item = AttentionItem {
            attention_id: self.ids.mint(),
            subject_type: raised.subject_type,
            subject_id: raised.subject_id,
            order_id: raised.order_id,
            change_order_id: raised.change_order_id,
            cause: raised.cause,
            allowed_actions,
            opened_at: self.now,
            closed_at: None,
            closed_by: String::new(),
            closing_note: String::new(),
        };
        let key: AttentionKey = (raised.tenant.clone(), item.attention_id.clone());
        self.attention.insert(key, item.clone());
        let summary = format!(
            "somebody has to look at {} {}: {}",
            item.subject_type, item.subject_id, item.cause.message
        );
        let fact = Fact::AttentionOpened { item: item.clone() };
        let entry = Entry::new(self.now, Actor::system(), "attention.opened", summary)
            .because(item.cause.reason.as_str(), "");
        self.overlay(&raised.tenant, &item, 1, entry, Some(fact));
    }

    /// Opens an item for each cart that was told of a cancellation when the order stands again: carts cannot be told that, so a person has to.
    pub(crate) fn ask_to_take_back(&mut self, row: &SagaRow, told: &[Leg]) {
        for leg in told {
            let message = format!(
                "{} was told that {} is cancelled, and it stands again: tell it so",
                leg.integration, leg.external_number
            );
            self.raise(Raised {
                tenant: row.key.tenant.clone(),
                order_id: plans::order_of(&row.params),
                change_order_id: None,
                subject_type: "cart".to_owned(),
                subject_id: leg.task_id.clone(),
                cause: Refusal::new(Reason::Withdrawn, message).detail("task_id", &leg.task_id),
                allowed_actions: Vec::new(),
            });
        }
    }

    /// Closes all open items about a subject.
    pub(crate) fn close(&mut self, tenant: &Tenant, subject_type: &str, subject_id: &str) {
        let about = |item: &AttentionItem| item.subject_type == subject_type && item.subject_id == subject_id;
        let open: Vec<AttentionId> = self.open_items(tenant, about).map(|(_, id)| id.clone()).collect();
        for id in open {
            let now = self.now;
            let item = self.attention.update(&(tenant.clone(), id), |item| {
                item.closed_at = Some(now);
                item.clone()
            });
            let item = item.expect("the item was just found");
            let summary = format!("{} {} needs nobody any more", item.subject_type, item.subject_id);
            let entry = Entry::new(self.now, Actor::system(), "attention.closed", summary)
                .because(item.cause.reason.as_str(), "");
            self.overlay(tenant, &item, -1, entry, None);
        }
    }

    /// Closes an item because a person has looked at it.
    pub fn acknowledge(
        &mut self,
        asked: &Asked,
        attention_id: &AttentionId,
        note: &str,
    ) -> Result<AttentionItem, Refusal> {
        let key: AttentionKey = (asked.tenant.clone(), attention_id.clone());
        let (actor, now) = (&asked.actor, self.now);
        let closed = self
            .attention
            .update(&key, |item| item.acknowledge(&actor.user, note, now).map(|()| item.clone()));
        let item = closed.ok_or_else(|| Refusal::not_found("AttentionItem", attention_id.as_str()))??;
        let summary = format!("{} {} was looked at", item.subject_type, item.subject_id);
        let entry = Entry::new(now, actor.clone(), "attention.acknowledged", summary);
        let because = entry.because(item.cause.reason.as_str(), note);
        self.overlay(&asked.tenant, &item, -1, because, None);
        Ok(item)
    }

    fn open_items<'a>(
        &'a self,
        tenant: &'a Tenant,
        matches: impl Fn(&AttentionItem) -> bool + 'a,
    ) -> impl Iterator<Item = &'a AttentionKey> {
        self.attention
            .iter()
            .filter(move |((of, _), item)| of == tenant && item.closed_at.is_none() && matches(item))
            .map(|(key, _)| key)
    }

    /// Counts an item on its order and its change, and notes it in the timeline. An item about an unknown order appears only in the
    /// list.
    fn overlay(&mut self, tenant: &Tenant, item: &AttentionItem, by: i64, entry: Entry, fact: Option<Fact>) {
        let Some(order_id) = &item.order_id else { return };
        let key: OrderKey = (tenant.clone(), order_id.clone());
        let Some(mut order) = self.orders.get(&key).cloned() else { return };
        order.attention_open += by;
        order.version += 1;
        let change_id = item.change_order_id.clone();
        let change =
            change_id.and_then(|id| self.changes.get(&(tenant.clone(), id)).cloned()).map(|mut change| {
                change.attention_open += by;
                change.version += 1;
                change
            });

        let mut entry = entry.visible_to(Visibility::Internal);
        entry.change_order_id.clone_from(&item.change_order_id);
        let happened = Happened::default().entry(entry);
        let happened = match fact {
            Some(fact) => happened.fact(fact),
            None => happened,
        };
        self.put(order, change, happened, None);
    }
}
