//! A payment: one tender of one order.

use types::{PaymentId, Timestamp};

use super::moment::Schedule;
use super::origin::Origin;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Committed before the gateway is asked.
    Authorising,
    Authorised,
    /// At least one capture is in flight.
    Capturing,
    PartiallyCaptured,
    Captured,
    Voided,
    Declined,
}

impl State {
    pub const ALL: [Self; 7] = [
        Self::Authorising,
        Self::Authorised,
        Self::Capturing,
        Self::PartiallyCaptured,
        Self::Captured,
        Self::Voided,
        Self::Declined,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorising => "authorising",
            Self::Authorised => "authorised",
            Self::Capturing => "capturing",
            Self::PartiallyCaptured => "partially_captured",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Declined => "declined",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the gateway has agreed to hold the money: before that, and after a no, there is
    /// nothing to capture or to give back.
    pub const fn is_agreed(self) -> bool {
        match self {
            Self::Authorising | Self::Declined => false,
            Self::Authorised | Self::Capturing | Self::PartiallyCaptured | Self::Captured | Self::Voided => {
                true
            }
        }
    }
}

/// Who moves a tender's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A payment gateway: it is asked, and may fail.
    Gateway,
    /// Ours, and so is store credit: they cannot fail.
    GiftCard,
    StoreCredit,
    /// Cash or a cheque: a person gives it back.
    Offline,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Gateway, Self::GiftCard, Self::StoreCredit, Self::Offline];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::GiftCard => "gift_card",
            Self::StoreCredit => "store_credit",
            Self::Offline => "offline",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// As a tender's gateway is named; every other name is a gateway.
    pub fn named(gateway: &str) -> Self {
        Self::parse(gateway).unwrap_or(Self::Gateway)
    }

    /// Whether we move the money ourselves, in the commit that decides it.
    pub const fn is_internal(self) -> bool {
        match self {
            Self::GiftCard | Self::StoreCredit => true,
            Self::Gateway | Self::Offline => false,
        }
    }

    /// Where it stands in the order of return: what cannot fail goes back first, what a person must
    /// carry last.
    pub const fn return_rank(self) -> u8 {
        match self {
            Self::GiftCard => 0,
            Self::StoreCredit => 1,
            Self::Gateway => 2,
            Self::Offline => 3,
        }
    }
}

/// What a payment's amounts rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Its gateway was asked for it or has shown it, or there is no gateway to ask.
    Known,
    /// Somebody's word. It is read at the gateway before any of it is given back.
    Attested,
    /// Being read at the gateway: before the order is placed, or before the first refund is sent.
    Reading,
}

impl Proof {
    pub const ALL: [Self; 3] = [Self::Known, Self::Attested, Self::Reading];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Attested => "attested",
            Self::Reading => "reading",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub payment_id: PaymentId,
    /// Its place among the order's payments, from 1.
    pub line_no: i64,
    pub kind: Kind,
    pub gateway: String,
    pub token: String,
    pub gateway_reference: String,
    pub state: State,
    /// What was asked for.
    pub amount_minor: i64,
    /// What the gateway agreed to; zero until it has.
    pub authorised_minor: i64,
    pub captured_minor: i64,
    /// Authorised and given back uncaptured.
    pub voided_minor: i64,
    /// Made elsewhere and brought in.
    pub external: bool,
    pub proof: Proof,
    /// Of one that is read before it counts: what it is said to have captured.
    pub stated_minor: i64,
    pub capture_now: bool,
    /// Its order was not placed: whatever of it is or becomes authorised goes back.
    pub abandoned: bool,
    /// What it is a part of, if other orders share the authorisation.
    pub shared_payment_id: Option<PaymentId>,
    pub origin: Origin,
    pub detail: String,
    pub schedule: Schedule,
    pub created_at: Timestamp,
    /// What its gateway gives back is a multiple of this many minor units; [`Payment::UNTOLD`] until the command that made it
    /// ends.
    pub step_minor: i64,
}

impl Payment {
    pub const UNTOLD: i64 = 0;

    /// The state that the amounts and the captures in flight imply, once the gateway has agreed.
    pub fn restate(&mut self, capturing: bool) {
        let held = self.authorised_minor - self.captured_minor - self.voided_minor;
        self.state = match (self.state, capturing) {
            (State::Authorising | State::Declined, _) => self.state,
            (_, true) => State::Capturing,
            (_, false) if self.captured_minor == 0 && held == 0 => State::Voided,
            (_, false) if self.captured_minor == 0 => State::Authorised,
            (_, false) if held == 0 => State::Captured,
            (_, false) => State::PartiallyCaptured,
        };
    }
}
