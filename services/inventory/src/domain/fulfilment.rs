//! What one warehouse sends out for one order.

use types::Timestamp;

use super::integration::IntegrationKey;
use super::names::WarehouseId;
use super::reservation::LineState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fulfilment {
    pub warehouse_id: WarehouseId,
    pub created_at: Timestamp,
    /// Who was given the goods last, if a partner was.
    pub partner: Option<Partner>,
    pub submitted_at: Option<Timestamp>,
}

/// A partner, and the number it knows the goods by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    pub integration: IntegrationKey,
    pub external_number: String,
}

impl Fulfilment {
    pub fn new(warehouse_id: WarehouseId, created_at: Timestamp) -> Self {
        Self { warehouse_id, created_at, partner: None, submitted_at: None }
    }
}

/// Follows from the fulfilment's lines; it is stored only so that lists can show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FulfilmentState {
    Allocated,
    Submitted,
    PartiallyShipped,
    Shipped,
    Delivered,
    Cancelled,
}

impl FulfilmentState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Submitted => "submitted",
            Self::PartiallyShipped => "partially_shipped",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }

    /// Cancelled lines don't count, unless there are no others.
    pub fn of(lines: impl Iterator<Item = LineState>) -> Self {
        let (mut waiting, mut submitted, mut shipped, mut delivered) = (false, false, false, false);
        for line in lines {
            match line {
                LineState::Allocated => waiting = true,
                LineState::Submitted => (waiting, submitted) = (true, true),
                LineState::Shipped | LineState::ShippedAfterCancel => shipped = true,
                LineState::Delivered => delivered = true,
                LineState::Cancelled | LineState::CancelledAfterShip | LineState::Unpacked => {}
            }
        }
        match (waiting, shipped || delivered) {
            (true, true) => Self::PartiallyShipped,
            (true, false) if submitted => Self::Submitted,
            (true, false) => Self::Allocated,
            (false, true) if shipped => Self::Shipped,
            (false, true) => Self::Delivered,
            (false, false) => Self::Cancelled,
        }
    }
}
