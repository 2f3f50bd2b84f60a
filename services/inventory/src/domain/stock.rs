//! The stock of one article in one warehouse, and the only ways in which its two numbers change.

/// The largest stock of one article in one warehouse.
const ON_HAND_MAX: i64 = 1_000_000_000_000;

/// How many units are on hand, and how many of them are reserved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    pub on_hand: i64,
    pub reserved: i64,
    /// The number of the newest ledger entry.
    pub ledger_seq: i64,
}

/// A change of one stock row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posting {
    /// A count: this many are on the shelf.
    Set {
        on_hand: i64,
    },
    /// A receipt or a correction.
    Adjust {
        delta: i64,
    },
    Reserve {
        quantity: i64,
    },
    Release {
        quantity: i64,
    },
    Ship {
        quantity: i64,
    },
    /// Cancelled units come back whose label the carrier has voided.
    RestockLabelVoid {
        quantity: i64,
    },
    /// Units that are still sold come back whose label the carrier has voided: they are reserved again.
    Unship {
        quantity: i64,
    },
    /// The buyer sent units back that can be sold again.
    RestockReturn {
        quantity: i64,
    },
    /// The buyer sent units back that cannot be sold again: a record, nothing moves.
    WriteOff,
    /// Reserved units that turned out not to exist.
    ShortShip {
        quantity: i64,
    },
    /// Units that had been shipped, cancelled and put back leave again: their order was restored.
    Reship {
        quantity: i64,
    },
    /// Cancelled units have left all the same. Their reservation ends if they still had one.
    ShipAfterCancel {
        on_hand: i64,
        reserved: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Set,
    Adjust,
    Reserve,
    Release,
    Ship,
    RestockLabelVoid,
    Unship,
    RestockReturn,
    WriteOff,
    ShortShip,
    Reship,
    ShipAfterCancel,
}

/// The ledger entry of a posting. The deltas of all entries of a stock row sum to its balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub seq: i64,
    pub kind: Kind,
    pub on_hand_delta: i64,
    pub reserved_delta: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    #[error("{wanted} units are wanted and {available} are available")]
    NotAvailable { wanted: i64, available: i64 },
    #[error("{reserved} units are reserved, so that {on_hand} on hand are too few")]
    BelowReserved { on_hand: i64, reserved: i64 },
    #[error("stock is 0 to {ON_HAND_MAX} units")]
    BeyondRange,
    /// A reservation releases units that the stock row does not hold for it: the books are wrong, and not the request.
    #[error("{quantity} reserved units leave a row that has {reserved} reserved and {on_hand} on hand")]
    Imbalance { quantity: i64, reserved: i64, on_hand: i64 },
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Set,
        Self::Adjust,
        Self::Reserve,
        Self::Release,
        Self::Ship,
        Self::RestockLabelVoid,
        Self::Unship,
        Self::RestockReturn,
        Self::WriteOff,
        Self::ShortShip,
        Self::Reship,
        Self::ShipAfterCancel,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Adjust => "adjust",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Ship => "ship",
            Self::RestockLabelVoid => "restock_label_void",
            Self::Unship => "unship",
            Self::RestockReturn => "restock_return",
            Self::WriteOff => "write_off",
            Self::ShortShip => "short_ship",
            Self::Reship => "reship",
            Self::ShipAfterCancel => "ship_after_cancel",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Stock {
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// Moves the balances and numbers the ledger entry; a posting that is refused changes nothing.
    pub fn post(&mut self, posting: Posting) -> Result<Entry, PostingError> {
        let (kind, on_hand_delta, reserved_delta) = match posting {
            Posting::Set { on_hand } => (Kind::Set, on_hand.saturating_sub(self.on_hand), 0),
            Posting::Adjust { delta } => (Kind::Adjust, delta, 0),
            Posting::Reserve { quantity } => (Kind::Reserve, 0, quantity),
            Posting::Release { quantity } => (Kind::Release, 0, -quantity),
            Posting::Ship { quantity } => (Kind::Ship, -quantity, -quantity),
            Posting::RestockLabelVoid { quantity } => (Kind::RestockLabelVoid, quantity, 0),
            Posting::Unship { quantity } => (Kind::Unship, quantity, quantity),
            Posting::RestockReturn { quantity } => (Kind::RestockReturn, quantity, 0),
            Posting::WriteOff => (Kind::WriteOff, 0, 0),
            Posting::ShortShip { quantity } => (Kind::ShortShip, -quantity, -quantity),
            Posting::Reship { quantity } => (Kind::Reship, -quantity, 0),
            Posting::ShipAfterCancel { on_hand, reserved } => (Kind::ShipAfterCancel, -on_hand, -reserved),
        };
        let on_hand = self.on_hand.checked_add(on_hand_delta).ok_or(PostingError::BeyondRange)?;
        let reserved = self.reserved.checked_add(reserved_delta).ok_or(PostingError::BeyondRange)?;
        self.check(posting, on_hand, reserved)?;

        self.on_hand = on_hand;
        self.reserved = reserved;
        self.ledger_seq += 1;
        Ok(Entry { seq: self.ledger_seq, kind, on_hand_delta, reserved_delta })
    }

    fn check(&self, posting: Posting, on_hand: i64, reserved: i64) -> Result<(), PostingError> {
        let holds = 0 <= reserved && reserved <= on_hand;
        match posting {
            Posting::Set { .. } | Posting::Adjust { .. } if !(0..=ON_HAND_MAX).contains(&on_hand) => {
                Err(PostingError::BeyondRange)
            }
            Posting::Set { .. } | Posting::Adjust { .. } if !holds => {
                Err(PostingError::BelowReserved { on_hand, reserved })
            }
            Posting::Reserve { quantity } | Posting::Reship { quantity } if !holds => {
                Err(PostingError::NotAvailable { wanted: quantity, available: self.available() })
            }
            Posting::Release { quantity }
            | Posting::Ship { quantity }
            | Posting::ShortShip { quantity }
            | Posting::ShipAfterCancel { on_hand: quantity, .. }
                if !holds =>
            {
                Err(PostingError::Imbalance { quantity, reserved: self.reserved, on_hand: self.on_hand })
            }
            Posting::Set { .. }
            | Posting::Adjust { .. }
            | Posting::Reserve { .. }
            | Posting::Release { .. }
            | Posting::Ship { .. }
            | Posting::RestockLabelVoid { .. }
            | Posting::Unship { .. }
            | Posting::RestockReturn { .. }
            | Posting::WriteOff
            | Posting::ShortShip { .. }
            | Posting::Reship { .. }
            | Posting::ShipAfterCancel { .. } => Ok(()),
        }
    }
}
