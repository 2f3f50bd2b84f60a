//! Changes that the policy's cancellation rules do not decide: who asks for them, and how they begin.

use types::{ChangeOrderId, Reason, Refusal, SagaId, Timestamp};

use crate::domain::change::{
    ChangeOrder, ChangeState, ChangeType, Channel, InConfidence, LabelAction, Parts, Settlement, Terms,
};
use crate::domain::order::{Actor, Order};
use crate::domain::placing::human_number;
use crate::domain::policy::{Permission, Policy};

/// Who asks, under which policy, and the ids that the change gets.
#[derive(Debug, Clone)]
pub struct Author<'a> {
    pub policy: &'a Policy,
    pub change_order_id: ChangeOrderId,
    pub saga_id: SagaId,
    pub actor: Actor,
    pub now: Timestamp,
}

impl Author<'_> {
    /// Refuses a caller whose role does not have the permission.
    pub fn must_have(&self, permission: Permission) -> Result<(), Refusal> {
        if self.policy.permits(&self.actor.role, permission) {
            return Ok(());
        }
        let message = format!("the role does not have the permission {}", permission.as_str());
        Err(self.explained(Refusal::new(Reason::PermissionDenied, message), permission.as_str()))
    }

    pub fn explained(&self, refusal: Refusal, rule: &str) -> Refusal {
        refusal
            .detail("rule_id", rule)
            .detail("policy_version", self.policy.version_text())
            .detail("role", &self.actor.role)
    }

    /// A change of this type without lines and amounts, in EXECUTING.
    pub(super) fn opened(&self, order: &Order, kind: ChangeType, rule: &str) -> ChangeOrder {
        ChangeOrder {
            tenant: order.tenant.clone(),
            change_order_id: self.change_order_id.clone(),
            order_id: order.order_id.clone(),
            number: human_number("CO", self.change_order_id.as_str()),
            change_type: kind,
            state: ChangeState::Executing,
            saga_id: self.saga_id.clone(),
            settlement: Settlement::Auto,
            label_action: LabelAction::Keep,
            channel: Channel::Api,
            stage: order.state(),
            reason_code: String::new(),
            note: String::new(),
            requested_by: self.actor.clone(),
            quote_id: String::new(),
            policy_version: self.policy.version_text(),
            rule: rule.to_owned(),
            terms: Terms { money: self.policy.document.money_terms(), ..Terms::default() },
            in_confidence: InConfidence::default(),
            expires_at: None,
            amounts: Parts::default(),
            new_total_minor: order.total_minor(),
            cause: None,
            refund_owed_minor: 0,
            exceptions: Vec::new(),
            refunds: Vec::new(),
            version: 1,
            created_at: self.now,
            decided_at: None,
            finished_at: None,
            shipped_groups: Vec::new(),
            attention_open: 0,
            lines: Vec::new(),
        }
    }
}
