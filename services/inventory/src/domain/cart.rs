//! Telling the carts that sold an order that it is cancelled. A cart cannot refuse: no change waits for its answer, and nothing counts as cancelled
//! in the cart without one.

use types::{PartnerTaskId, Reason, Refusal};

use super::goods::{Goods, Moment};
use super::integration::{Integration, IntegrationKey, IntegrationKind, Integrations};
use super::partner::{Ask, PartnerTask, Unconfirmed};

/// What a cart is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartNotice {
    /// The cart's profile: its key is the external system's name in the order.
    pub cart: IntegrationKey,
    /// The cart's own name of the order.
    pub reference: String,
    pub change_order_id: String,
    pub reason_code: String,
    pub note: String,
    pub units: i64,
    pub teller: Teller,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Teller {
    /// The cancellation itself.
    Change,
    Rule,
}

/// Why a cart is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untold {
    NoProfile,
    NotACart,
    TakesNoNotification,
    OnlyByARule,
    NotByARule,
}

impl Integrations {
    /// The profile of a cart that is told of cancellations in this way, or why it is not.
    pub fn told_cart(&self, cart: &IntegrationKey, teller: Teller) -> Result<&Integration, Untold> {
        let profile = self.named(cart).ok_or(Untold::NoProfile)?;
        match (profile.kind, teller) {
            (IntegrationKind::Fulfillment, _) => Err(Untold::NotACart),
            (IntegrationKind::Cart, _) if !profile.accepts_cancel_notification => {
                Err(Untold::TakesNoNotification)
            }
            (IntegrationKind::Cart, Teller::Change) if profile.rule_required => Err(Untold::OnlyByARule),
            (IntegrationKind::Cart, Teller::Rule) if !profile.rule_triggerable => Err(Untold::NotByARule),
            (IntegrationKind::Cart, Teller::Change | Teller::Rule) => Ok(profile),
        }
    }
}

impl Goods {
    /// Begins to tell a cart. One that was told of this change before is not told again: the task there is answers.
    pub fn tell_cart(
        &mut self,
        notice: &CartNotice,
        integrations: &Integrations,
        moment: Moment<'_>,
    ) -> Result<PartnerTaskId, Refusal> {
        let profile = integrations
            .told_cart(&notice.cart, notice.teller)
            .map_err(|untold| untold.refusal(&notice.cart))?;
        let told = self.tasks.iter().find(|(_, task)| {
            task.fulfilment_id.is_none()
                && task.integration == notice.cart
                && task.ask.change_order_id == notice.change_order_id
        });
        if let Some((id, _)) = told {
            return Ok(id.clone());
        }
        // A cart that wants its own reasons gets ours where it knows none: the order is cancelled whatever it makes of it.
        let reason = profile.reason(&notice.reason_code).unwrap_or_else(|_| notice.reason_code.clone());
        let ask = Ask {
            change_order_id: notice.change_order_id.clone(),
            reason_code: notice.reason_code.clone(),
            note: notice.note.clone(),
            unconfirmed: Unconfirmed::Commit,
        };
        let mut task =
            PartnerTask::new(notice.cart.clone(), notice.reference.clone(), ask, notice.units, moment.at);
        task.partner_reason = reason;
        let index = profile.usable(0, std::time::Duration::ZERO);
        task.confirmation_required = profile.needs_confirmation(index);
        task.use_method(index, &profile.method(index), moment.at);
        let id: PartnerTaskId = moment.ids.mint();
        self.tasks.insert(id.clone(), task);
        Ok(id)
    }
}

impl Untold {
    /// For programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoProfile => "no_profile",
            Self::NotACart => "not_a_cart",
            Self::TakesNoNotification => "takes_no_notification",
            Self::OnlyByARule => "only_by_a_rule",
            Self::NotByARule => "not_by_a_rule",
        }
    }

    fn refusal(self, cart: &IntegrationKey) -> Refusal {
        let message = match self {
            Self::NoProfile => format!("no profile describes {cart}"),
            Self::NotACart => format!("{cart} is no cart"),
            Self::TakesNoNotification => format!("{cart} takes no notification of a cancellation"),
            Self::OnlyByARule => format!("{cart} is told by a rule only"),
            Self::NotByARule => format!("{cart} is not told by rules"),
        };
        Refusal::new(Reason::StateConflict, message).detail("integration", cart).detail("why", self.as_str())
    }
}
