//! Typed ids: a prefix that says what is named, and a UUIDv7 in 26 letters and digits.
//!
//! The text form is TypeID 0.3 (`ord_01h455vb4pex5vsknk084sn02q`): Crockford's base 32 in lower
//! case, so that ids sort by the time they were minted, survive a phone call, and a refund id sent
//! as an order id is refused where it enters. The text is what is stored and compared.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Reason, Refusal};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 26 digits of five bits hold 130 bits, two more than a UUID has.
const SUFFIX_LENGTH: usize = 26;

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("the id is empty; it starts with \"{expected}_\"")]
    Empty { expected: &'static str },
    #[error("{text:?} does not start with \"{expected}_\"")]
    WrongPrefix { expected: &'static str, text: String },
    #[error("{text:?} does not end in {SUFFIX_LENGTH} lower-case base-32 digits of a UUID")]
    MalformedSuffix { text: String },
}

/// What all typed ids share; [`crate::Ids::mint`] makes any of them.
pub trait TypedId: Sized {
    const PREFIX: &'static str;

    fn from_uuid(uuid: Uuid) -> Self;
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])+ $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, IdError> {
                check(<Self as TypedId>::PREFIX, text).map(|()| Self(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn uuid(&self) -> Uuid {
                decode(&self.0).expect("parse and from_uuid make only well-formed ids")
            }
        }

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;

            fn from_uuid(uuid: Uuid) -> Self {
                Self(encode($prefix, uuid))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                check($prefix, &text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+

        /// Every prefix in use, for tests and documentation.
        pub const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

typed_ids! {
    /// An order.
    OrderId = "ord";
    /// A line of an order.
    LineId = "lin";
    /// A change order: a cancellation, edit, restore or refund of an order.
    ChangeOrderId = "chg";
    /// A saga.
    SagaId = "sag";
    /// Stock reserved for a line, or part of one.
    ReservationId = "rsv";
    /// A request as it was accepted: what it moved outside a saga stands under this id.
    StoredRequestId = "req";
    /// What one warehouse or partner ships for an order.
    FulfilmentId = "ful";
    /// A line of a fulfilment, or part of one.
    FulfilmentLineId = "fln";
    /// A parcel.
    ShipmentId = "shp";
    /// A shipping label.
    LabelId = "lab";
    /// What a fulfilment partner was asked to stop.
    PartnerTaskId = "tsk";
    /// A payment: one tender of an order.
    PaymentId = "pay";
    /// A capture of a payment.
    CaptureId = "cap";
    /// Units that a buyer may send back.
    ReturnId = "ret";
    /// A refund of a capture.
    RefundId = "rfd";
    /// An event.
    EventId = "evt";
    /// Something a person has to look at.
    AttentionId = "att";
    /// A message about an order, from one of its parties or from our people.
    MessageId = "msg";
    /// A folder that orders are sorted into.
    FolderId = "fld";
    /// A stored rule.
    RuleId = "rul";
    /// Many changes asked for together.
    BatchId = "bat";
    /// A version of a cancellation policy.
    PolicyId = "pol";
    /// A webhook endpoint.
    WebhookId = "whk";
    /// A message to a person or another system.
    NotificationId = "ntf";
    /// A message on its way out of the house: one event to one recipient through one channel.
    DeliveryId = "dlv";
}

fn encode(prefix: &str, uuid: Uuid) -> String {
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LENGTH);
    text.push_str(prefix);
    text.push('_');
    for digit in (0..SUFFIX_LENGTH).rev() {
        let five_bits = (uuid.as_u128() >> (5 * digit)) & 31;
        text.push(char::from(ALPHABET[usize::try_from(five_bits).expect("five bits fit")]));
    }
    text
}

/// The UUID in the suffix of a well-formed id; `None` if there is no such suffix.
fn decode(text: &str) -> Option<Uuid> {
    let (_, suffix) = text.rsplit_once('_')?;
    // A first digit above 7 would need more than the 128 bits of a UUID.
    if suffix.len() != SUFFIX_LENGTH || suffix.as_bytes()[0] > b'7' {
        return None;
    }
    suffix
        .bytes()
        .try_fold(0_u128, |bits, letter| {
            let digit = ALPHABET.iter().position(|known| *known == letter)?;
            Some((bits << 5) | digit as u128)
        })
        .map(Uuid::from_u128)
}

fn check(expected: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { expected });
    }
    // A wrong text is quoted in the answer, so only the beginning of it is kept.
    let quoted = || text.chars().take(40).collect();
    match text.rsplit_once('_') {
        Some((prefix, _)) if prefix == expected => match decode(text) {
            Some(_) => Ok(()),
            None => Err(IdError::MalformedSuffix { text: quoted() }),
        },
        Some(_) | None => Err(IdError::WrongPrefix { expected, text: quoted() }),
    }
}

impl From<IdError> for Refusal {
    fn from(error: IdError) -> Self {
        let reason = match error {
            IdError::Empty { .. } => Reason::FieldRequired,
            IdError::WrongPrefix { .. } | IdError::MalformedSuffix { .. } => Reason::FieldInvalid,
        };
        Self::new(reason, error.to_string())
    }
}
