//! A carrier's label, and the progress of voiding it.

use types::{FulfilmentId, Money, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub fulfilment_id: FulfilmentId,
    pub carrier: String,
    /// The carrier's handle of it.
    pub token: String,
    pub tracking_number: String,
    pub cost: Money,
    pub state: LabelState,
    /// Who wants it void. Named before it is asked for, so that a hold can promise it.
    pub voider: Option<Voider>,
    pub purchased_at: Timestamp,
    pub void_requested_at: Option<Timestamp>,
    pub void_ended_at: Option<Timestamp>,
    /// When the carrier is to be asked next, in microseconds; 0 for never.
    pub due_at: i64,
    pub tries: i64,
}

/// A saga's step, or a request and its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voider {
    pub by: String,
    pub step: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelState {
    Purchased,
    VoidRequested,
    /// The label is void: its tracking number is no longer valid.
    Voided {
        credit: Credit,
    },
    VoidRefused {
        refusal: VoidRefusal,
    },
}

/// The carrier's refund of what the label had cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credit {
    Requested,
    Granted,
    Denied,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoidRefusal {
    Used,
    Manifested,
    Window,
}

/// What a carrier says when it is asked to void a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarrierAnswer {
    Voided {
        credit: Credit,
    },
    Refused(VoidRefusal),
    /// Not decided, or no answer: the carrier is asked again with the same key.
    Later,
}

impl LabelState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchased => "purchased",
            Self::VoidRequested => "void_requested",
            Self::Voided { .. } => "voided",
            Self::VoidRefused { .. } => "void_refused",
        }
    }

    pub const fn credit(self) -> Option<Credit> {
        match self {
            Self::VoidRequested => Some(Credit::Requested),
            Self::Voided { credit } => Some(credit),
            Self::Purchased | Self::VoidRefused { .. } => None,
        }
    }

    pub const fn refusal(self) -> Option<VoidRefusal> {
        match self {
            Self::VoidRefused { refusal } => Some(refusal),
            Self::Purchased | Self::VoidRequested | Self::Voided { .. } => None,
        }
    }

    pub const fn is_voided(self) -> bool {
        matches!(self, Self::Voided { .. })
    }

    /// A refused void may be tried again: a window closes, but a manifest can be corrected.
    pub const fn may_be_voided(self) -> bool {
        matches!(self, Self::Purchased | Self::VoidRefused { .. })
    }

    /// As it is stored, in the three columns; none if they contradict each other.
    pub fn read(state: &str, credit: &str, refusal: &str) -> Option<Self> {
        let voided = Credit::from_name(credit).map(|credit| Self::Voided { credit });
        let refused = VoidRefusal::from_name(refusal).map(|refusal| Self::VoidRefused { refusal });
        let fits = |known: &Self| {
            known.as_str() == state
                && known.credit().map_or("", Credit::as_str) == credit
                && known.refusal().map_or("", VoidRefusal::as_str) == refusal
        };
        let known = [Some(Self::Purchased), Some(Self::VoidRequested), voided, refused];
        known.into_iter().flatten().find(fits)
    }
}

impl Credit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Requested, Self::Granted, Self::Denied].into_iter().find(|credit| credit.as_str() == name)
    }
}

impl VoidRefusal {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Manifested => "manifested",
            Self::Window => "window",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Used, Self::Manifested, Self::Window].into_iter().find(|refusal| refusal.as_str() == name)
    }
}

impl Label {
    pub fn is_wanted_void_by(&self, by: &str) -> bool {
        self.voider.as_ref().is_some_and(|voider| voider.by == by)
    }

    /// When to ask again: after 1 s, then at growing intervals of at most ten minutes.
    pub fn ask_again(&mut self, now: Timestamp) {
        self.due_at = now.unix_micros() + backoff_micros(self.tries);
        self.tries += 1;
    }
}

pub fn backoff_micros(tries: i64) -> i64 {
    const SECOND: i64 = 1_000_000;
    let doublings = u32::try_from(tries.clamp(0, 9)).expect("clamped to one digit");
    (SECOND << doublings).min(600 * SECOND)
}
