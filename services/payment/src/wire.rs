//! The protobuf form of the domain's values that steps answer and books keep.
//!
//! How the step ledger keeps an answer: the bytes of the wire's own message, so that a repeat is
//! answered with exactly what was answered first.

use prost::Message as _;
use proto::payment::v1 as wire;
use storage::DbError;
use types::Refusal;

use crate::domain::refund::{Kind, State};
use crate::domain::{Leg, Reply, Told};

pub fn encode(reply: &Reply) -> Vec<u8> {
    message(reply).encode_to_vec()
}

pub fn decode(bytes: &[u8]) -> Result<wire::RefundReply, DbError> {
    wire::RefundReply::decode(bytes).map_err(|problem| DbError::malformed("payment.step_reply", problem))
}

pub fn decode_refusal(bytes: &[u8]) -> Result<Refusal, DbError> {
    kit::answer::decode(bytes).map_err(|problem| DbError::malformed("payment.step_refusal", problem))
}

fn message(reply: &Reply) -> wire::RefundReply {
    wire::RefundReply {
        nothing_to_do: reply.nothing_to_do,
        legs: reply.legs.iter().map(leg).collect(),
        owed_minor: reply.owed_minor,
        missing_minor: reply.missing_minor,
        owed: reply.told.map(owed),
    }
}

pub fn owed(told: Told) -> wire::OwedPosition {
    wire::OwedPosition { sequence: told.seq, worth_version: told.worth_version, owed_minor: told.owed_minor }
}

fn leg(leg: &Leg) -> wire::SettledLeg {
    wire::SettledLeg {
        refund_id: leg.refund_id.to_string(),
        payment_id: leg.payment_id.to_string(),
        kind: kind(leg.kind).into(),
        state: state(leg.state).into(),
        amount_minor: leg.amount_minor,
        detail: leg.detail.clone(),
        made_good: leg.made_good,
    }
}

pub fn kind(kind: Kind) -> wire::RefundKind {
    match kind {
        Kind::Refund => wire::RefundKind::Refund,
        Kind::Void => wire::RefundKind::Void,
    }
}

pub fn state(state: State) -> wire::RefundState {
    match state {
        State::AwaitingCapture => wire::RefundState::AwaitingCapture,
        State::Reserved => wire::RefundState::Reserved,
        State::Submitting => wire::RefundState::Submitting,
        State::Pending => wire::RefundState::Pending,
        State::RequiresAction => wire::RefundState::RequiresAction,
        State::Unknown => wire::RefundState::Unknown,
        State::Succeeded => wire::RefundState::Succeeded,
        State::Declined => wire::RefundState::Declined,
        State::Reversed => wire::RefundState::Reversed,
        State::Released => wire::RefundState::Released,
        State::Manual => wire::RefundState::Manual,
        State::ResolvedExternally => wire::RefundState::ResolvedExternally,
        State::External => wire::RefundState::External,
    }
}
