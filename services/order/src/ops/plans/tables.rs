//! Which saga table carries out a change. A version that was shipped never changes: a new form of a table gets the next version number.

use saga::{StepName, Version};

use crate::domain::change::{ChangeOrder, ChangeType};

pub const PLACE: StepName = "place";
pub const PLACE_VERSION: Version = Version(1);
pub const CANCEL: StepName = "cancel";
pub const CANCEL_VERSION: Version = Version(1);

pub const CANCEL_ELIGIBLE: StepName = "cancel_eligible";
pub const CANCEL_ELIGIBLE_VERSION: Version = Version(1);

pub const RESTORE: StepName = "restore";
pub const RESTORE_VERSION: Version = Version(3);
pub const PAY: StepName = "pay";
pub const PAY_VERSION: Version = Version(1);
pub const REFUND_ONLY: StepName = "refund_only";
pub const REFUND_ONLY_VERSION: Version = Version(1);

pub const ADJUST: StepName = "adjust";
pub const ADJUST_VERSION: Version = Version(1);

pub const TAKE_BACK: StepName = "take_back";
pub const TAKE_BACK_VERSION: Version = Version(1);

pub const SHORT_SHIP: StepName = "short_ship";
pub const SHORT_SHIP_VERSION: Version = Version(1);

pub const AMEND: StepName = "amend";
pub const AMEND_VERSION: Version = Version(1);

pub const READDRESS: StepName = "readdress";
pub const READDRESS_VERSION: Version = Version(1);

/// The name and version of the table that carries out a change.
pub fn table_of(change: &ChangeOrder) -> (StepName, Version) {
    if change.terms.added.is_empty() { definition_of(change.change_type) } else { (AMEND, AMEND_VERSION) }
}

/// The same for a type of change that brings no lines.
const fn definition_of(kind: ChangeType) -> (StepName, Version) {
    match kind {
        ChangeType::AllEligible => (CANCEL_ELIGIBLE, CANCEL_ELIGIBLE_VERSION),
        ChangeType::CancelOrder
        | ChangeType::CancelItems
        | ChangeType::EditQuantity
        | ChangeType::Withdrawal
        | ChangeType::Expire => (CANCEL, CANCEL_VERSION),
        ChangeType::Return => (TAKE_BACK, TAKE_BACK_VERSION),
        ChangeType::ShortShip => (SHORT_SHIP, SHORT_SHIP_VERSION),
        ChangeType::ShippingAdjust | ChangeType::PriceAdjust => (ADJUST, ADJUST_VERSION),
        ChangeType::AddItem | ChangeType::ReplaceItem => (AMEND, AMEND_VERSION),
        ChangeType::Address => (READDRESS, READDRESS_VERSION),
        ChangeType::RefundOnly => (REFUND_ONLY, REFUND_ONLY_VERSION),
        ChangeType::Restore => (RESTORE, RESTORE_VERSION),
        ChangeType::Payment => (PAY, PAY_VERSION),
    }
}
