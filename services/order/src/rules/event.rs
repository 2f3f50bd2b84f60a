//! A recorded event as rules see it: what happened, the order as it is now, the change it was about.

use std::collections::BTreeSet;

use kit::Failure;
use prost::Message as _;
use proto::events::v1 as events;
use types::{ChangeOrderId, EventId, Tenant};

use super::ask::Rules;
use super::domain::{self, Trigger};
use super::store;
use crate::domain::change::ChangeOrder;
use crate::domain::condition::{EventFacts, Facts};
use crate::domain::history::Told;
use crate::domain::order::Order;
use crate::store::folders;

pub struct RuleEvent {
    pub event_id: EventId,
    pub order: Order,
    /// Where the order stands now.
    pub folder: String,
    pub change: Option<ChangeOrder>,
    /// How many rules in a row led to it.
    pub depth: i64,
    moved: Option<Moved>,
}

struct Moved {
    folder: String,
    before: String,
}

/// The payload's message of a trigger.
pub const fn kind_of(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::OrderPlaced => "countermand.events.v1.OrderPlaced",
        Trigger::OrderProgressed => "countermand.events.v1.OrderProgressed",
        Trigger::OrderFolderChanged => "countermand.events.v1.OrderFolderChanged",
        Trigger::ChangeAccepted => "countermand.events.v1.ChangeOrderAccepted",
        Trigger::ChangeCommitted => "countermand.events.v1.ChangeOrderCommitted",
        Trigger::ChangeRejected => "countermand.events.v1.ChangeOrderRejected",
        Trigger::ChangeCompleted => "countermand.events.v1.ChangeOrderCompleted",
    }
}

pub fn kinds_of(triggers: impl IntoIterator<Item = Trigger>) -> Vec<String> {
    let kinds: BTreeSet<&str> = triggers.into_iter().map(kind_of).collect();
    kinds.into_iter().map(str::to_owned).collect()
}

impl RuleEvent {
    pub fn facts(&self, trigger: Trigger) -> Facts {
        let (folder, before_folder) = match &self.moved {
            Some(moved) => (moved.folder.clone(), moved.before.clone()),
            None => (self.folder.clone(), self.folder.clone()),
        };
        let event = EventFacts { r#type: trigger.as_str().to_owned(), folder, before_folder };
        domain::facts(event, &self.order, &self.folder, self.change.as_ref())
    }
}

impl Rules {
    pub async fn rule_event(&self, tenant: &Tenant, told: &Told) -> Result<RuleEvent, Failure> {
        let order = self.orders.order(tenant, &told.order_id).await?;
        let (moved, change_id, mut depth) = read(told).map_err(Failure::internal)?;
        let change = match &change_id {
            Some(id) => Some(self.orders.change(tenant, id).await?.change),
            None => None,
        };
        // An order progresses by the change that cancelled it, too.
        let caused_by = change_id.or_else(|| order.cancelled_by_change.clone());
        let key = BTreeSet::from([(tenant.clone(), told.order_id.clone())]);
        let (folder, by_rules) = self
            .orders
            .reading(async |tx| {
                let folder = folders::names(tx, &key).await?.remove(&told.order_id);
                let by_rules = match &caused_by {
                    Some(id) => store::depth_of_change(tx, tenant, id).await?,
                    None => 0,
                };
                Ok((folder, by_rules))
            })
            .await?;
        depth = if moved.is_some() { depth } else { by_rules };
        Ok(RuleEvent {
            event_id: told.event_id.clone(),
            order,
            folder: folder.map_or_else(String::new, |folder| folder.name),
            change,
            depth,
            moved,
        })
    }
}

type Payload = (Option<Moved>, Option<ChangeOrderId>, i64);

fn read(told: &Told) -> Result<Payload, String> {
    let payload = told.payload.as_slice();
    let change = |change: Option<proto::order::v1::ChangeOrder>| {
        let id = change.map(|change| change.change_order_id).unwrap_or_default();
        ChangeOrderId::parse(&id).map(|id| (None, Some(id), 0)).map_err(|problem| problem.to_string())
    };
    let malformed = |problem: prost::DecodeError| format!("event {}: {problem}", told.event_id);
    match told.kind.as_str() {
        "countermand.events.v1.OrderFolderChanged" => {
            let event = events::OrderFolderChanged::decode(payload).map_err(malformed)?;
            Ok((Some(Moved { folder: event.folder, before: event.before_folder }), None, event.depth))
        }
        "countermand.events.v1.ChangeOrderAccepted" => {
            change(events::ChangeOrderAccepted::decode(payload).map_err(malformed)?.change_order)
        }
        "countermand.events.v1.ChangeOrderCommitted" => {
            change(events::ChangeOrderCommitted::decode(payload).map_err(malformed)?.change_order)
        }
        "countermand.events.v1.ChangeOrderRejected" => {
            change(events::ChangeOrderRejected::decode(payload).map_err(malformed)?.change_order)
        }
        "countermand.events.v1.ChangeOrderCompleted" => {
            change(events::ChangeOrderCompleted::decode(payload).map_err(malformed)?.change_order)
        }
        _ => Ok((None, None, 0)),
    }
}
