//! Units of one line in one warehouse that move together.

use types::{FulfilmentId, FulfilmentLineId, LabelId, LineId, PartnerTaskId, ReservationId, Timestamp};

use super::names::{Sku, WarehouseId};

/// A reservation and, once it is allocated, the fulfilment line that goes with it. The two are one row here so
/// that they can't disagree; the store keeps them in two tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub line_id: LineId,
    pub warehouse_id: WarehouseId,
    pub sku: Sku,
    /// A bundle that is made of its parts: it goes the way of all goods and takes nothing of any shelf.
    pub without_stock: bool,
    /// At least 1. Units that are separated from the rest become a row of their own.
    pub quantity: i64,
    pub state: State,
    /// The saga that reserved the units.
    pub saga_id: String,
    pub split_of: Option<ReservationId>,
    pub packed: Option<FulfilmentLine>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FulfilmentLine {
    pub id: FulfilmentLineId,
    pub fulfilment_id: FulfilmentId,
    pub split_of: Option<FulfilmentLineId>,
    /// The warehouse floor, or the partner, has it.
    pub submitted: bool,
    /// Units put back to stock after they had been shipped.
    pub restocked: i64,
    /// Units shipped again after that.
    pub reshipped: i64,
    /// A partner stopped the units and they are wanted after all: it takes them under a new number only.
    pub resubmit_needed: bool,
    /// What the partner was asked about the units, last.
    pub task: Option<PartnerTaskId>,
    /// The label they left under.
    pub label: Option<LabelId>,
    /// The number under which they are said to have left while a change holds them.
    pub reported: Option<String>,
}

/// What became of units after they had been shipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterShip {
    /// They belong to the buyer.
    Sold,
    /// A change order's saga is about to cancel them where they are.
    Claimed {
        by: String,
    },
    Cancelled,
    /// The buyer sent them back. Sellable ones are on the shelf again.
    Returned {
        sellable: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Reserved for the line, and free to be shipped or held.
    Active,
    /// A change order's saga holds the units: nobody ships them, nobody else cancels them.
    Held { by: String },
    /// Released to stock.
    Released,
    /// Taken out of their fulfilment, and reserved again in a row of their own. Only for allocated units.
    Unpacked,
    /// Released, and sent out all the same. Only for allocated units.
    ShippedAfterCancel { tracking_number: String },
    /// Shipped. Only for allocated units.
    Consumed { tracking_number: String, delivered: bool, after: AfterShip },
}

/// The state of a fulfilment line, which follows from its reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineState {
    Allocated,
    Submitted,
    Shipped,
    Delivered,
    Cancelled,
    CancelledAfterShip,
    ShippedAfterCancel,
    Unpacked,
}

impl State {
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Held { .. } => "held",
            Self::Released | Self::Unpacked | Self::ShippedAfterCancel { .. } => "released",
            Self::Consumed { .. } => "consumed",
        }
    }
}

impl LineState {
    const ALL: [Self; 8] = [
        Self::Allocated,
        Self::Submitted,
        Self::Shipped,
        Self::Delivered,
        Self::Cancelled,
        Self::CancelledAfterShip,
        Self::ShippedAfterCancel,
        Self::Unpacked,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Submitted => "submitted",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
            Self::CancelledAfterShip => "cancelled_after_ship",
            Self::ShippedAfterCancel => "shipped_after_cancel",
            Self::Unpacked => "unpacked",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl Reservation {
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    pub fn is_held(&self) -> bool {
        self.held_by().is_some()
    }

    pub fn held_by(&self) -> Option<&str> {
        match &self.state {
            State::Held { by } => Some(by),
            State::Active
            | State::Released
            | State::Unpacked
            | State::ShippedAfterCancel { .. }
            | State::Consumed { .. } => None,
        }
    }

    /// The saga that claims shipped units.
    pub fn claimed_by(&self) -> Option<&str> {
        match &self.state {
            State::Consumed { after: AfterShip::Claimed { by }, .. } => Some(by),
            State::Consumed {
                after: AfterShip::Sold | AfterShip::Cancelled | AfterShip::Returned { .. },
                ..
            }
            | State::Active
            | State::Held { .. }
            | State::Released
            | State::Unpacked
            | State::ShippedAfterCancel { .. } => None,
        }
    }

    /// What became of units that came back: whether they can be sold again.
    pub fn returned(&self) -> Option<bool> {
        match &self.state {
            State::Consumed { after: AfterShip::Returned { sellable }, .. } => Some(*sellable),
            State::Consumed {
                after: AfterShip::Sold | AfterShip::Claimed { .. } | AfterShip::Cancelled,
                ..
            }
            | State::Active
            | State::Held { .. }
            | State::Released
            | State::Unpacked
            | State::ShippedAfterCancel { .. } => None,
        }
    }

    /// Shipped, and not cancelled or returned: the units belong to the buyer.
    pub fn is_sold(&self) -> bool {
        matches!(self.state, State::Consumed { after: AfterShip::Sold, .. })
    }

    pub fn tracking_number(&self) -> Option<&str> {
        match &self.state {
            State::Consumed { tracking_number, .. } | State::ShippedAfterCancel { tracking_number } => {
                Some(tracking_number)
            }
            State::Active | State::Held { .. } | State::Released | State::Unpacked => None,
        }
    }

    pub fn needs_resubmission(&self) -> bool {
        self.packed.as_ref().is_some_and(|line| line.resubmit_needed)
    }

    /// Shipped, not delivered, and not claimed by a change.
    pub fn is_on_the_way(&self) -> bool {
        matches!(self.state, State::Consumed { delivered: false, after: AfterShip::Sold, .. })
    }

    pub fn is_consumed(&self) -> bool {
        match self.state {
            State::Consumed { .. } => true,
            State::Active
            | State::Held { .. }
            | State::Released
            | State::Unpacked
            | State::ShippedAfterCancel { .. } => false,
        }
    }

    /// Counted in the stock row's `reserved`.
    pub fn is_reserved(&self) -> bool {
        match self.state {
            State::Active | State::Held { .. } => true,
            State::Released | State::Unpacked | State::ShippedAfterCancel { .. } | State::Consumed { .. } => {
                false
            }
        }
    }

    /// Cancelled after they had been shipped.
    pub fn is_cancelled_after_ship(&self) -> bool {
        matches!(self.state, State::Consumed { after: AfterShip::Cancelled, .. })
    }

    /// The reservation has ended and none of its units are out: the line can be reserved again.
    pub fn is_given_back(&self) -> bool {
        matches!(self.state, State::Released | State::Unpacked)
    }

    /// The units came back to our stock after they were shipped, and have not left again.
    pub fn is_back_on_the_shelf(&self) -> bool {
        self.packed.as_ref().is_some_and(|line| line.restocked > line.reshipped)
    }

    pub fn is_packed_in(&self, fulfilment: &FulfilmentId) -> bool {
        self.packed.as_ref().is_some_and(|line| line.fulfilment_id == *fulfilment)
    }

    /// The state of the fulfilment line; none for units that are not allocated.
    pub fn line_state(&self) -> Option<LineState> {
        let line = self.packed.as_ref()?;
        Some(match &self.state {
            State::Active | State::Held { .. } if line.submitted => LineState::Submitted,
            State::Active | State::Held { .. } => LineState::Allocated,
            State::Released => LineState::Cancelled,
            State::Unpacked => LineState::Unpacked,
            State::ShippedAfterCancel { .. } => LineState::ShippedAfterCancel,
            State::Consumed { after: AfterShip::Cancelled, .. } => LineState::CancelledAfterShip,
            State::Consumed { delivered: true, .. } => LineState::Delivered,
            State::Consumed { delivered: false, .. } => LineState::Shipped,
        })
    }

    /// How far the units are on their way out: what a hold disturbs least comes first.
    pub fn progress(&self) -> Progress {
        match &self.packed {
            Some(_) if self.is_consumed() => Progress::Shipped,
            None => Progress::Unallocated,
            Some(line) if line.submitted => Progress::Submitted,
            Some(_) => Progress::Allocated,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    Unallocated,
    Allocated,
    Submitted,
    Shipped,
}
