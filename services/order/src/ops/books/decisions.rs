//! Recording what policies decided in a batch, with the facts that they decided from. A refused command is rolled back and leaves nothing
//! else behind; its refusal is recorded, because a simulation asks what another policy would have said.

use storage::{DbError, Overlay, Tx};
use types::{Fingerprint, Refusal, Timestamp};

use crate::domain::change::{ChangeOrder, ChangeRequest};
use crate::domain::decided::{Decided, Facts, Outcome};
use crate::domain::order::Order;
use crate::domain::policy::Shelf;
use crate::domain::simulation;
use crate::ops::command::Asked;
use crate::store::decisions;

#[derive(Default)]
pub struct Decisions {
    made: Vec<Decided>,
    marked: usize,
}

impl Decisions {
    pub fn extend(&mut self, decided: Option<Decided>) {
        self.made.extend(decided);
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        decisions::append(tx, &self.made).await
    }
}

impl Overlay for Decisions {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        Vec::new()
    }

    fn mark(&mut self) {
        self.marked = self.made.len();
    }

    fn rollback(&mut self) {
        let of_command = self.made.split_off(self.marked);
        let stays = |decided: &Decided| matches!(decided.outcome, Outcome::Refused(_));
        self.made.extend(of_command.into_iter().filter(stays));
    }
}

/// The record of an accepted change. `order` is the order as it was before.
pub fn allowed(order: &Order, request: &ChangeRequest, change: &ChangeOrder) -> Decided {
    Decided {
        tenant: order.tenant.clone(),
        decision_id: change.change_order_id.to_string(),
        order_id: order.order_id.clone(),
        order_number: order.number.clone(),
        currency: order.currency,
        at: change.created_at,
        asked_by: change.requested_by.clone(),
        policy_version: change.policy_version.clone(),
        rule: change.rule.clone(),
        outcome: Outcome::Allowed {
            change_order_id: change.change_order_id.clone(),
            amount_minor: change.amounts.amount,
            fee_minor: change.amounts.fee,
        },
        facts: Facts::of(order, request),
    }
}

/// The record of a refused request, if the policy or the units it allows decided that. A busy order or an old quote is no
/// decision.
pub fn refused(
    order: &Order,
    request: &ChangeRequest,
    shelf: &Shelf,
    asked: &Asked,
    refusal: &Refusal,
    now: Timestamp,
) -> Option<Decided> {
    let policy = shelf.of(order);
    let verdict = simulation::decide(policy, &shelf.catalogue, order, request, &asked.actor, now);
    if verdict.outcome.err()?.reason != refusal.reason {
        return None;
    }
    let version = policy.version_text();
    // The role is part of it: the policy may decide otherwise for another role.
    let decided_for = [asked.key.subject.as_str(), &asked.actor.role, request.content.as_str(), &version];
    let decision_id = Fingerprint::of(&decided_for.map(str::as_bytes)).to_string();
    Some(Decided {
        tenant: order.tenant.clone(),
        decision_id,
        order_id: order.order_id.clone(),
        order_number: order.number.clone(),
        currency: order.currency,
        at: now,
        asked_by: asked.actor.clone(),
        policy_version: version,
        rule: verdict.rule,
        outcome: Outcome::Refused(refusal.clone()),
        facts: Facts::of(order, request),
    })
}
