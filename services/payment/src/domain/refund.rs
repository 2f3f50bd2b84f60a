//! A refund: one leg of what an order's change gives back, on one tender. A void is a leg too.

use types::{CaptureId, ChangeOrderId, PaymentId, RefundId, Timestamp};

use super::moment::Schedule;
use super::reply::Leg;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Its money is being captured; the capture's end decides whether it is a refund or a void.
    AwaitingCapture,
    Reserved,
    /// Committed before the gateway is asked.
    Submitting,
    Pending,
    RequiresAction,
    Unknown,
    Succeeded,
    Declined,
    /// Succeeded, and failed afterwards.
    Reversed,
    Released,
    /// To be paid by hand.
    Manual,
    ResolvedExternally,
    /// Found at the gateway; not made by us.
    External,
}

/// What can happen to a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    CaptureEnded,
    Release,
    Submit,
    GatewayWaits,
    CustomerMustAct,
    AnswerLost,
    Succeed,
    Decline,
    FailAfterwards,
    HandOver,
    Resolve,
    /// What it had given back uncaptured was captured after all.
    GiveWay,
}

/// What an event means in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Becomes(State),
    /// It was known already: the repeat changes nothing.
    Known,
    /// It cannot happen in this state.
    Refused,
}

impl State {
    pub const ALL: [Self; 13] = [
        Self::AwaitingCapture,
        Self::Reserved,
        Self::Submitting,
        Self::Pending,
        Self::RequiresAction,
        Self::Unknown,
        Self::Succeeded,
        Self::Declined,
        Self::Reversed,
        Self::Released,
        Self::Manual,
        Self::ResolvedExternally,
        Self::External,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingCapture => "awaiting_capture",
            Self::Reserved => "reserved",
            Self::Submitting => "submitting",
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::Reversed => "reversed",
            Self::Released => "released",
            Self::Manual => "manual",
            Self::ResolvedExternally => "resolved_externally",
            Self::External => "external",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// The one definition of what is legal. A state only moves up; after success a refund may be REVERSED, and a void that
    /// gives way to a capture is RELEASED.
    pub const fn on(self, event: Event) -> Verdict {
        use Verdict::{Becomes, Known, Refused};
        match (self, event) {
            (Self::AwaitingCapture, Event::CaptureEnded) => Becomes(Self::Reserved),
            (Self::AwaitingCapture | Self::Reserved, Event::Release) | (Self::Succeeded, Event::GiveWay) => {
                Becomes(Self::Released)
            }
            (Self::Reserved, Event::Submit) => Becomes(Self::Submitting),

            (
                Self::Submitting | Self::Unknown | Self::RequiresAction,
                Event::GatewayWaits,
            ) => Becomes(Self::Pending),
            (Self::Submitting | Self::Unknown | Self::Pending, Event::CustomerMustAct) => {
                Becomes(Self::RequiresAction)
            }
            (Self::Submitting, Event::AnswerLost) => Becomes(Self::Unknown),
            (
                Self::Submitting | Self::Pending | Self::RequiresAction | Self::Unknown,
                Event::Succeed,
            ) => Becomes(Self::Succeeded),
            (
                Self::Submitting | Self::Pending | Self::RequiresAction | Self::Unknown,
                Event::Decline,
            ) => Becomes(Self::Declined),
            (Self::Succeeded | Self::External, Event::FailAfterwards) => Becomes(Self::Reversed),

            (Self::Reserved | Self::Declined | Self::Reversed, Event::HandOver) => Becomes(Self::Manual),
            (Self::Manual, Event::Resolve) => Becomes(Self::ResolvedExternally),

            (Self::Released, Event::Release)
            | (Self::Submitting, Event::Submit)
            | (Self::Pending, Event::GatewayWaits)
            | (Self::RequiresAction, Event::CustomerMustAct)
            // A question that got no answer does not take back what an earlier one was told.
            | (Self::Unknown | Self::Pending | Self::RequiresAction, Event::AnswerLost)
            | (Self::Succeeded | Self::External, Event::Succeed)
            | (Self::Declined, Event::Decline)
            // A reversed refund had succeeded: hearing of the success again is no news.
            | (Self::Reversed, Event::Succeed | Event::FailAfterwards)
            | (Self::Manual, Event::HandOver)
            | (Self::ResolvedExternally, Event::Resolve) => Known,

            (
                Self::AwaitingCapture
                | Self::Reserved
                | Self::Submitting
                | Self::Pending
                | Self::RequiresAction
                | Self::Unknown
                | Self::Succeeded
                | Self::Declined
                | Self::Reversed
                | Self::Released
                | Self::Manual
                | Self::ResolvedExternally
                | Self::External,
                Event::CaptureEnded
                | Event::Release
                | Event::Submit
                | Event::GatewayWaits
                | Event::CustomerMustAct
                | Event::AnswerLost
                | Event::Succeed
                | Event::Decline
                | Event::FailAfterwards
                | Event::HandOver
                | Event::Resolve
                | Event::GiveWay,
            ) => Refused,
        }
    }

    /// Whether it counts against the capture: an unknown one holds its amount, a declined, reversed
    /// or released one does not.
    pub const fn counts(self) -> bool {
        match self {
            Self::AwaitingCapture
            | Self::Reserved
            | Self::Submitting
            | Self::Pending
            | Self::RequiresAction
            | Self::Unknown
            | Self::Succeeded
            | Self::Manual
            | Self::ResolvedExternally
            | Self::External => true,
            Self::Declined | Self::Reversed | Self::Released => false,
        }
    }

    /// Where it stands on its way.
    pub const fn stage(self) -> Stage {
        match self {
            Self::AwaitingCapture | Self::Reserved => Stage::Reserved,
            Self::Submitting | Self::Pending | Self::RequiresAction | Self::Unknown => Stage::InFlight,
            Self::Succeeded | Self::ResolvedExternally | Self::External => Stage::GivenBack,
            Self::Declined | Self::Reversed | Self::Manual => Stage::Owed,
            Self::Released => Stage::Released,
        }
    }
}

/// What a state means for the people who wait for the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not sent yet.
    Reserved,
    /// Sent; the gateway has not said the end.
    InFlight,
    /// The gateway, or a person who attests it, said so.
    GivenBack,
    /// It will not move by itself.
    Owed,
    /// Never to be sent.
    Released,
}

impl Stage {
    /// Whether the step that sent it has nothing more to wait for.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Reserved | Self::InFlight => false,
            Self::GivenBack | Self::Owed | Self::Released => true,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Captured money goes back.
    Refund,
    /// An authorisation is lowered or voided; no money moves.
    Void,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Void => "void",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Refund, Self::Void].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Where a refund's money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Back to the tender it came from.
    Tender,
    /// To the order's store credit, because the tender's gateway declined.
    StoreCredit,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tender => "tender",
            Self::StoreCredit => "store_credit",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Tender, Self::StoreCredit].into_iter().find(|method| method.as_str() == text)
    }
}

/// How a person paid it by hand; empty until then.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resolution {
    pub reference: String,
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    /// None for a void.
    pub capture_id: Option<CaptureId>,
    /// None for what a placement that failed gives back.
    pub change_order_id: Option<ChangeOrderId>,
    pub saga_id: String,
    /// The step that sent it; of the reserving step until then.
    pub step: String,
    pub kind: Kind,
    pub method: Method,
    /// The one that failed, or was given up in part, and that this one makes good.
    pub retry_of: Option<RefundId>,
    pub state: State,
    pub amount_minor: i64,
    pub resolution: Resolution,
    pub gateway_reference: String,
    pub detail: String,
    pub schedule: Schedule,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Refund {
    pub fn leg(&self) -> Leg {
        Leg {
            refund_id: self.refund_id.clone(),
            payment_id: self.payment_id.clone(),
            kind: self.kind,
            state: self.state,
            amount_minor: self.amount_minor,
            detail: self.detail.clone(),
            made_good: false,
        }
    }
}
