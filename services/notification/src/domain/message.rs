//! A message before it is addressed to a channel.

use super::words;

/// The longest texts a message has, in characters.
const SUBJECT_MAX: usize = 200;
const BODY_MAX: usize = 2_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub template: Template,
    pub audience: Audience,
    pub subject: String,
    pub body: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    Buyer,
    Supplier,
    Staff,
    /// Whom the buyer bought for. Told by deliveries only: nobody reads an inbox as one.
    Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    OrderPlaced,
    OrderConfirmed,
    OrderPlacementFailed,
    OrderPartiallyShipped,
    OrderShipped,
    OrderOutForDelivery,
    OrderPartiallyDelivered,
    OrderDelivered,
    OrderReturned,
    CancellationRequested,
    CancellationConfirmed,
    CancellationRejected,
    CancellationExceptions,
    RefundIssued,
    RefundDelayed,
    RefundOwed,
    RefundReversed,
    AuthorisationReleased,
    AmendmentProposed,
    AmendmentDropped,
    ChangeRequested,
    ChangeConfirmed,
    ChangeRejected,
    OrderRestored,
    OrderShortShipped,
    OrderExpired,
    OrderMessage,
    ReturnOpened,
    ReturnReceived,
    ReturnRejected,
    ReturnEnded,
    ReturnAccepted,
    WithdrawalAcknowledged,
    AttentionOpened,
}

impl Message {
    pub fn new(
        template: Template,
        audience: Audience,
        subject: impl AsRef<str>,
        body: impl AsRef<str>,
    ) -> Self {
        Self {
            template,
            audience,
            subject: words::cut(subject.as_ref(), SUBJECT_MAX),
            body: words::cut(body.as_ref(), BODY_MAX),
        }
    }
}

impl Audience {
    pub const ALL: [Self; 4] = [Self::Buyer, Self::Supplier, Self::Staff, Self::Client];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
            Self::Staff => "staff",
            Self::Client => "client",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|audience| audience.as_str() == text)
    }
}

impl Template {
    pub const ALL: [Self; 34] = [
        Self::OrderPlaced,
        Self::OrderConfirmed,
        Self::OrderPlacementFailed,
        Self::OrderPartiallyShipped,
        Self::OrderShipped,
        Self::OrderOutForDelivery,
        Self::OrderPartiallyDelivered,
        Self::OrderDelivered,
        Self::OrderReturned,
        Self::CancellationRequested,
        Self::CancellationConfirmed,
        Self::CancellationRejected,
        Self::CancellationExceptions,
        Self::RefundIssued,
        Self::RefundDelayed,
        Self::RefundOwed,
        Self::RefundReversed,
        Self::AuthorisationReleased,
        Self::AmendmentProposed,
        Self::AmendmentDropped,
        Self::ChangeRequested,
        Self::ChangeConfirmed,
        Self::ChangeRejected,
        Self::OrderRestored,
        Self::OrderShortShipped,
        Self::OrderExpired,
        Self::OrderMessage,
        Self::ReturnOpened,
        Self::ReturnReceived,
        Self::ReturnRejected,
        Self::ReturnEnded,
        Self::ReturnAccepted,
        Self::WithdrawalAcknowledged,
        Self::AttentionOpened,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order.placed",
            Self::OrderConfirmed => "order.confirmed",
            Self::OrderPlacementFailed => "order.placement_failed",
            Self::OrderPartiallyShipped => "order.partially_shipped",
            Self::OrderShipped => "order.shipped",
            Self::OrderOutForDelivery => "order.out_for_delivery",
            Self::OrderPartiallyDelivered => "order.partially_delivered",
            Self::OrderDelivered => "order.delivered",
            Self::OrderReturned => "order.returned",
            Self::CancellationRequested => "cancellation.requested",
            Self::CancellationConfirmed => "cancellation.confirmed",
            Self::CancellationRejected => "cancellation.rejected",
            Self::CancellationExceptions => "cancellation.exceptions",
            Self::RefundIssued => "refund.issued",
            Self::RefundDelayed => "refund.delayed",
            Self::RefundOwed => "refund.owed",
            Self::RefundReversed => "refund.reversed",
            Self::AuthorisationReleased => "authorisation.released",
            Self::AmendmentProposed => "amendment.proposed",
            Self::AmendmentDropped => "amendment.dropped",
            Self::ChangeRequested => "change.requested",
            Self::ChangeConfirmed => "change.confirmed",
            Self::ChangeRejected => "change.rejected",
            Self::OrderRestored => "order.restored",
            Self::OrderShortShipped => "order.short_shipped",
            Self::OrderExpired => "order.expired",
            Self::OrderMessage => "order.message",
            Self::ReturnOpened => "return.opened",
            Self::ReturnReceived => "return.received",
            Self::ReturnRejected => "return.rejected",
            Self::ReturnEnded => "return.ended",
            Self::ReturnAccepted => "return.accepted",
            Self::WithdrawalAcknowledged => "withdrawal.acknowledged",
            Self::AttentionOpened => "attention.opened",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.as_str() == text)
    }
}
