//! What a tenant's edition holds of the program. It never says who may do something, only whether anybody of the tenant
//! can; cancelling an order as a whole is in every edition.

use std::collections::BTreeSet;

use types::{Reason, Refusal};

use super::Units;
use crate::domain::change::{ChangeLine, ChangeRequest, Selection, Skipped};
use crate::domain::order::Order;

/// The name where no edition was set.
const FULL: &str = "full";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    pub name: String,
    /// Everything else is there, so that what is new is in every edition until it is left out.
    pub withheld: BTreeSet<Capability>,
}

/// A part of the program that an edition may leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    PartialCancellation,
    CancelAfterShip,
    Batches,
    Proposals,
    Rules,
    Restoring,
    Goodwill,
}

impl Default for Edition {
    fn default() -> Self {
        Self { name: FULL.to_owned(), withheld: BTreeSet::new() }
    }
}

impl Edition {
    /// Refuses what the edition does not hold.
    pub fn check(&self, capability: Capability) -> Result<(), Refusal> {
        if !self.withheld.contains(&capability) {
            return Ok(());
        }
        let message = format!("the edition {:?} does not hold {}", self.name, capability.as_str());
        Err(Refusal::new(Reason::CapabilityNotIncluded, message)
            .detail("capability", capability.as_str())
            .detail("edition", &self.name))
    }

    /// Everything that is left out, as refusals.
    pub fn blockers(&self) -> Vec<Refusal> {
        self.withheld.iter().filter_map(|capability| self.check(*capability).err()).collect()
    }

    /// Holds a priced change against the edition; `order` is as it was before.
    pub fn check_change(
        &self,
        order: &Order,
        request: &ChangeRequest,
        lines: &[ChangeLine],
        skipped: &[Skipped],
    ) -> Result<(), Refusal> {
        if matches!(request.selection, Selection::Items(_)) || !skipped.is_empty() {
            self.check(Capability::PartialCancellation)?;
        }
        let has_shipped = |taken: &ChangeLine| {
            let line = order.lines.iter().find(|line| line.line_id == taken.line_id);
            line.is_some_and(|line| taken.quantity > line.quantities.open)
        };
        if lines.iter().any(has_shipped) {
            self.check(Capability::CancelAfterShip)?;
        }
        Ok(())
    }

    /// Which units can be cancelled under this edition, of those that the policy lets go.
    pub fn units(&self, units: Units) -> Units {
        match units {
            Units::OpenOrShipped if self.withheld.contains(&Capability::CancelAfterShip) => Units::Open,
            Units::Open | Units::Unallocated | Units::OpenOrShipped => units,
        }
    }
}

impl Capability {
    pub const ALL: [Self; 7] = [
        Self::PartialCancellation,
        Self::CancelAfterShip,
        Self::Batches,
        Self::Proposals,
        Self::Rules,
        Self::Restoring,
        Self::Goodwill,
    ];

    /// The text that is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartialCancellation => "partial_cancellation",
            Self::CancelAfterShip => "cancel_after_ship",
            Self::Batches => "batches",
            Self::Proposals => "proposals",
            Self::Rules => "rules",
            Self::Restoring => "restoring",
            Self::Goodwill => "goodwill",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == text)
    }
}
