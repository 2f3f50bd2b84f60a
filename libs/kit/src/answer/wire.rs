//! A refusal inside a message: the per-item results of batch calls, and what is stored and shown.

use prost::Message as _;
use proto::common::v1 as pb;
use types::{Reason, Refusal};

use super::Verdict;

/// The message has no place for the field, so it travels among the details under this name.
const FIELD: &str = "field";

pub fn to_wire(refusal: &Refusal) -> pb::Refusal {
    let mut details = refusal.details.clone();
    if let Some(field) = &refusal.field {
        details.insert(FIELD.to_owned(), field.clone());
    }
    pb::Refusal {
        reason: refusal.reason.as_str().to_owned(),
        message: refusal.message.clone(),
        details: details.into_iter().collect(),
    }
}

/// None for a reason that this build does not know.
pub fn from_wire(refusal: pb::Refusal) -> Option<Refusal> {
    let reason = Reason::parse(&refusal.reason)?;
    let mut details: std::collections::BTreeMap<_, _> = refusal.details.into_iter().collect();
    let field = details.remove(FIELD);
    Some(Refusal { reason, message: refusal.message, field, details })
}

/// What is kept of a refusal, so that a repeat is answered as the first call was.
pub fn encode(refusal: &Refusal) -> Vec<u8> {
    to_wire(refusal).encode_to_vec()
}

#[derive(Debug, thiserror::Error)]
pub enum UnreadableRefusal {
    #[error("the bytes are no refusal: {0}")]
    Malformed(#[from] prost::DecodeError),
    #[error("the reason of the refusal is not known")]
    UnknownReason,
}

pub fn decode(stored: &[u8]) -> Result<Refusal, UnreadableRefusal> {
    from_wire(pb::Refusal::decode(stored)?).ok_or(UnreadableRefusal::UnknownReason)
}

/// Sorts the failure of one item of a batch call, by the same rule as a failed call's status.
pub fn classify_wire(refusal: pb::Refusal) -> Verdict {
    let unknown = format!("{}: {}", refusal.reason, refusal.message);
    match from_wire(refusal) {
        Some(refusal) if refusal.reason == Reason::StaleEpoch => Verdict::Stale,
        Some(refusal) if refusal.reason.is_answer() => Verdict::Answered(refusal),
        Some(_) | None => Verdict::Unknown(unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_comes_back_as_it_was_sent() {
        let refusal = Refusal::new(Reason::InsufficientStock, "only 3 are left")
            .field("lines[0].quantity")
            .detail("available", 3);

        assert_eq!(from_wire(to_wire(&refusal)).as_ref(), Some(&refusal));
        assert_eq!(decode(&encode(&refusal)).unwrap(), refusal);
    }

    #[test]
    fn every_reason_is_sorted() {
        for &reason in Reason::ALL {
            let verdict = classify_wire(to_wire(&Refusal::new(reason, "no")));

            match verdict {
                Verdict::Stale => assert_eq!(reason, Reason::StaleEpoch),
                Verdict::Answered(refusal) => {
                    assert!(refusal.reason == reason && reason.is_answer(), "{reason}");
                }
                Verdict::Unknown(_) => assert!(!reason.is_answer(), "{reason}"),
            }
        }
    }

    #[test]
    fn a_reason_of_a_newer_peer_is_unknown() {
        let refusal = pb::Refusal { reason: "NEWER".to_owned(), ..pb::Refusal::default() };

        assert!(matches!(classify_wire(refusal), Verdict::Unknown(_)));
    }
}
