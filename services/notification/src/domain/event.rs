//! What order tells, as far as messages need it.

use types::{AttentionId, ChangeOrderId, Money, OrderId};

use super::message::Audience;
use super::notification::GoesBy;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    OrderPlaced {
        order: OrderPicture,
        /// It is brought in: no news for whoever ordered.
        elsewhere: bool,
    },
    /// Whom an order's messages go to beside the address book.
    ContactNamed {
        order_id: OrderId,
    },
    OrderPlacementFailed {
        order: OrderPicture,
        cause: Cause,
    },
    OrderProgressed {
        order: OrderPicture,
        before: OrderState,
    },
    /// The other side has to answer: nothing has moved.
    ChangeProposed {
        change: Box<Change>,
    },
    /// A proposal that comes to nothing.
    ChangeDropped {
        change: Box<Change>,
        how: Dropped,
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
    /// It is not paid, and ends when its time passes.
    OrderExpiring {
        order: OrderPicture,
    },
    FolderChanged {
        order: OrderPicture,
    },
    /// Somebody wrote about the order.
    MessageAdded {
        order: OrderPicture,
        note: Note,
    },
    ReturnProgressed {
        order: OrderPicture,
        returned: Box<Returned>,
        how: ReturnMove,
    },
    /// A partner or a cart is to be written to.
    PartnerToMail {
        letter: Box<Letter>,
    },
    AttentionOpened {
        item: AttentionItem,
    },
}

/// What an outsider is asked or told, at an address that its profile names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    pub order_id: OrderId,
    pub order_number: String,
    pub change_order_id: Option<ChangeOrderId>,
    pub address: String,
    pub task_id: String,
    pub external_number: String,
    pub units: i64,
    pub reason: String,
    pub note: String,
    pub deadline_at: String,
    /// It sold the order and is told, rather than has goods and is asked to stop.
    pub upstream: bool,
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

/// How a proposal came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    Declined,
    Expired,
    Withdrawn,
}

/// What somebody wrote, and who may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    /// The role of whoever wrote it.
    pub written_by: String,
    pub readers: Readers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Our own people.
    Staff,
    /// Buyer and supplier too.
    Parties,
    /// And whom the buyer bought for.
    Everybody,
}

/// What a buyer sends back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    pub number: String,
    pub lines: Vec<ReturnLine>,
    /// Until when the units may come.
    pub expires_at: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnLine {
    pub line_number: i64,
    pub sku: String,
    pub expected: i64,
    pub received: i64,
    pub rejected: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnMove {
    /// Units may come.
    Opened,
    /// Units have come.
    Received,
    /// Units that came stay the buyer's.
    Rejected,
    /// Nothing more may come.
    Ended,
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
    /// The number under which the payment service told it, unless it has not yet.
    pub position: Option<i64>,
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
    /// Who gets no mail about it.
    pub without_mail_to: Vec<Audience>,
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
    /// Agreed between both sides.
    AddItem,
    ReplaceItem,
    PriceAdjust,
    Address,
    /// Units that came back were accepted.
    Return,
    /// Units that do not exist.
    ShortShip,
    /// Nobody paid in time.
    Expire,
    /// What was missing of its price is paid.
    Payment,
}

impl ChangeKind {
    /// It takes units off an order by a wish to cancel them.
    pub const fn is_cancellation(self) -> bool {
        matches!(self, Self::CancelOrder | Self::CancelItems | Self::Withdrawal)
    }

    /// Both sides had to agree to it.
    pub const fn is_agreed(self) -> bool {
        matches!(
            self,
            Self::EditQuantity
                | Self::ShippingAdjust
                | Self::AddItem
                | Self::ReplaceItem
                | Self::PriceAdjust
                | Self::Address
        )
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
            Self::OrderPlaced { order, .. }
            | Self::OrderPlacementFailed { order, .. }
            | Self::OrderProgressed { order, .. }
            | Self::FolderChanged { order }
            | Self::OrderExpiring { order }
            | Self::MessageAdded { order, .. }
            | Self::ReturnProgressed { order, .. } => Some(&order.order_id),
            Self::ChangeProposed { change }
            | Self::ChangeDropped { change, .. }
            | Self::ChangeAccepted { change }
            | Self::ChangeCommitted { change, .. }
            | Self::ChangeRejected { change }
            | Self::ChangeCompleted { change } => Some(&change.order_id),
            Self::PartnerToMail { letter } => Some(&letter.order_id),
            Self::ContactNamed { order_id } => Some(order_id),
            Self::AttentionOpened { item } => item.order_id.as_ref(),
        }
    }

    /// What the messages of it go by of what is owed.
    pub fn owed(&self) -> Option<GoesBy> {
        let Self::ChangeCompleted { change } = self else { return None };
        change.position.map(|sequence| GoesBy { minor: change.owed.minor(), sequence })
    }

    /// Whether somebody asked that this audience gets no mail about the change.
    pub(super) fn is_silent_for(&self, audience: Audience) -> bool {
        match self {
            Self::ChangeProposed { change }
            | Self::ChangeDropped { change, .. }
            | Self::ChangeAccepted { change }
            | Self::ChangeCommitted { change, .. }
            | Self::ChangeRejected { change }
            | Self::ChangeCompleted { change } => change.without_mail_to.contains(&audience),
            Self::OrderPlaced { .. }
            | Self::OrderPlacementFailed { .. }
            | Self::OrderProgressed { .. }
            | Self::OrderExpiring { .. }
            | Self::ContactNamed { .. }
            | Self::FolderChanged { .. }
            | Self::MessageAdded { .. }
            | Self::ReturnProgressed { .. }
            | Self::PartnerToMail { .. }
            | Self::AttentionOpened { .. } => false,
        }
    }

    pub fn change_order_id(&self) -> Option<&ChangeOrderId> {
        match self {
            Self::OrderPlaced { .. }
            | Self::OrderPlacementFailed { .. }
            | Self::OrderProgressed { .. }
            | Self::ContactNamed { .. }
            | Self::FolderChanged { .. }
            | Self::OrderExpiring { .. }
            | Self::ReturnProgressed { .. }
            | Self::MessageAdded { .. } => None,
            Self::ChangeProposed { change }
            | Self::ChangeDropped { change, .. }
            | Self::ChangeAccepted { change }
            | Self::ChangeCommitted { change, .. }
            | Self::ChangeRejected { change }
            | Self::ChangeCompleted { change } => Some(&change.change_order_id),
            Self::PartnerToMail { letter } => letter.change_order_id.as_ref(),
            Self::AttentionOpened { item } => item.change_order_id.as_ref(),
        }
    }
}
