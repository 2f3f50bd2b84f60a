//! The two sides of an order, and whose answer a proposal waits for.

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal};

use crate::domain::change::{ChangeOrder, ChangeType};
use crate::domain::order::{Actor, Order};
use crate::domain::policy::{Permission, Policy};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Supplier,
    Buyer,
    /// An operator: answers for whichever side is asked.
    Operator,
}

impl Side {
    /// The side of a caller, by the organisation that the caller acts for now.
    pub fn of(order: &Order, actor: &Actor, policy: &Policy) -> Option<Self> {
        let acts_for = |party: &str| !party.is_empty() && actor.organisation == party;
        if acts_for(&order.parties.supplier) {
            Some(Self::Supplier)
        } else if acts_for(&order.parties.buyer) {
            Some(Self::Buyer)
        } else if policy.permits(&actor.role, Permission::CancelAny) {
            Some(Self::Operator)
        } else {
            None
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Buyer => "buyer",
            Self::Operator => "operator",
        }
    }
}

/// A proposal is answered by the other side, never by its own; a withdrawal by the supplier or the operator.
pub fn may_answer(
    order: &Order,
    change: &ChangeOrder,
    actor: &Actor,
    policy: &Policy,
) -> Result<(), Refusal> {
    let refuse = |message: &str| {
        Err(Refusal::new(Reason::PermissionDenied, message)
            .detail("policy_version", policy.version_text())
            .detail("role", &actor.role))
    };
    let Some(answering) = Side::of(order, actor, policy) else {
        return refuse("only the order's supplier, its buyer and we answer changes of it");
    };
    if change.change_type == ChangeType::Withdrawal {
        return match answering {
            Side::Supplier | Side::Operator => Ok(()),
            Side::Buyer => refuse("a withdrawal is answered by the supplier"),
        };
    }
    let asking = Side::of(order, &change.requested_by, policy);
    let own =
        asking == Some(answering) && (answering != Side::Operator || change.requested_by.user == actor.user);
    if own { refuse("a proposal is answered by the other side") } else { Ok(()) }
}

/// A change may be withdrawn by its author, by the author's side of the order, or by roles that may cancel any order.
pub fn may_withdraw(
    order: &Order,
    change: &ChangeOrder,
    actor: &Actor,
    policy: &Policy,
) -> Result<(), Refusal> {
    let by = &change.requested_by;
    let own = by.user == actor.user && by.organisation == actor.organisation;
    let side = |who: &Actor| Side::of(order, who, policy).filter(|side| *side != Side::Operator);
    let same_side = side(actor).is_some_and(|own| side(by) == Some(own));
    if own || same_side || policy.permits(&actor.role, Permission::CancelAny) {
        return Ok(());
    }
    let message = "a change is taken back by the side that asked for it";
    Err(Refusal::new(Reason::PermissionDenied, message)
        .detail("policy_version", policy.version_text())
        .detail("role", &actor.role))
}
