//! What order tells, as far as messages need it.

use types::{AttentionId, ChangeOrderId, Money, OrderId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    OrderPlaced {
        order: OrderPicture,
    },
    OrderPlacementFailed {
        order: OrderPicture,
        cause: Cause,
    },
    OrderProgressed {
        order: OrderPicture,
        before: OrderState,
    },
    ChangeAccepted {
        change: Box<Change>,
    },
    ChangeCommitted {
        change: Box<Change>,
        before: OrderPicture,
        after: OrderPicture,
    },
    ChangeRejected {
        change: Box<Change>,
    },
    ChangeCompleted {
        change: Box<Change>,
    },
    /// The order was sorted into another folder, which concerns nobody but those who sort.
    FolderChanged {
        order: OrderPicture,
    },
    /// Somebody wrote about the order; those who may read it find it in the timeline.
    MessageAdded {
        order: OrderPicture,
    },
    AttentionOpened {
        item: AttentionItem,
    },
}

/// The order as it was when the event was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPicture {
    pub order_id: OrderId,
    pub number: String,
    pub state: OrderState,
    pub total: Money,
    pub line_count: i64,
    pub units_ordered: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    Placing,
    PlacementFailed,
    Pending,
    Confirmed,
    Processing,
    PartiallyShipped,
    Shipped,
    OutForDelivery,
    PartiallyDelivered,
    Delivered,
    Cancelled,
    Returned,
    ClosedMixed,
}

/// Why something was refused, or needs a person. The reason is text, because a newer sender may know more of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub reason: String,
    pub message: String,
}

/// A change order as it was when the event was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub change_order_id: ChangeOrderId,
    pub number: String,
    pub order_id: OrderId,
    pub order_number: String,
    pub kind: ChangeKind,
    pub lines: Vec<ChangeLine>,
    pub settlement: Settlement,
    pub cause: Option<Cause>,
    /// What is owed to the customer and will not move by itself.
    pub owed: Money,
    pub exceptions: Vec<Cause>,
    pub refunds: Vec<Refund>,
    /// The role of whoever asked for it.
    pub asked_by: String,
    /// When it was received.
    pub created_at: String,
    /// What it gives back.
    pub gives_back: Money,
    /// Set while it is a proposal that the other side has to answer: until when.
    pub open_until: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    CancelOrder,
    CancelItems,
    /// A consumer's statutory withdrawal.
    Withdrawal,
    /// Agreed between both sides.
    EditQuantity,
    ShippingAdjust,
    /// Money without units.
    RefundOnly,
    /// A cancelled order stands again.
    Restore,
}

impl ChangeKind {
    /// It takes units off an order by a wish to cancel them.
    pub const fn is_cancellation(self) -> bool {
        match self {
            Self::CancelOrder | Self::CancelItems | Self::Withdrawal => true,
            Self::EditQuantity | Self::ShippingAdjust | Self::RefundOnly | Self::Restore => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeLine {
    pub line_number: i64,
    pub sku: String,
    pub quantity: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Money moves without being asked for.
    Auto,
    /// No money moves; what is owed is shown.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub state: RefundState,
    pub amount: Money,
    /// A released authorisation rather than returned money.
    pub releases_authorisation: bool,
}

/// What a message may claim of a refund. Whatever is not known for sure claims nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// The gateway has said so.
    Succeeded,
    /// It had succeeded, and the gateway took it back.
    Reversed,
    /// The gateway was asked and has not answered yes or no.
    Pending,
    /// Every other state, those of a newer sender included.
    Unsettled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionItem {
    pub attention_id: AttentionId,
    pub order_id: Option<OrderId>,
    pub change_order_id: Option<ChangeOrderId>,
    pub cause: Cause,
}

impl Event {
    /// The order it is about; an attention item may be about none.
    pub fn order_id(&self) -> Option<&OrderId> {
        match self {
            Self::OrderPlaced { order }
            | Self::OrderPlacementFailed { order, .. }
            | Self::OrderProgressed { order, .. }
            | Self::FolderChanged { order }
            | Self::MessageAdded { order } => Some(&order.order_id),
            Self::ChangeAccepted { change }
            | Self::ChangeCommitted { change, .. }
            | Self::ChangeRejected { change }
            | Self::ChangeCompleted { change } => Some(&change.order_id),
            Self::AttentionOpened { item } => item.order_id.as_ref(),
        }
    }

    pub fn change_order_id(&self) -> Option<&ChangeOrderId> {
        match self {
            Self::OrderPlaced { .. }
            | Self::OrderPlacementFailed { .. }
            | Self::OrderProgressed { .. }
            | Self::FolderChanged { .. }
            | Self::MessageAdded { .. } => None,
            Self::ChangeAccepted { change }
            | Self::ChangeCommitted { change, .. }
            | Self::ChangeRejected { change }
            | Self::ChangeCompleted { change } => Some(&change.change_order_id),
            Self::AttentionOpened { item } => item.change_order_id.as_ref(),
        }
    }
}
