//! What a policy says of a caller, as GetCancelability and PreviewChangeOrder both answer it.

use proto::order::v1 as wire;
use types::Refusal;

use crate::domain::cancelability::{Advice, Impact};
use crate::domain::policy::{Ack, Warning};

pub fn blocker(refusal: &Refusal) -> wire::Blocker {
    wire::Blocker { reason: refusal.reason.as_str().to_owned(), message: refusal.message.clone() }
}

pub fn warning(warning: &Warning) -> wire::CancelWarning {
    wire::CancelWarning { code: warning.code.to_owned(), message: warning.message.clone() }
}

pub fn acks(acks: &[Ack]) -> Vec<i32> {
    let ack = |ack: &Ack| match ack {
        Ack::SupplierContacted => wire::RequiredAck::SupplierContacted.into(),
        Ack::Confirm => wire::RequiredAck::Confirm.into(),
    };
    acks.iter().map(ack).collect()
}

pub fn advice(advice: Advice) -> wire::CancelAdvice {
    match advice {
        Advice::Safe => wire::CancelAdvice::Safe,
        Advice::ContactFirst => wire::CancelAdvice::ContactFirst,
        Advice::Urgent => wire::CancelAdvice::Urgent,
        Advice::TooLate => wire::CancelAdvice::TooLate,
        Advice::Completed => wire::CancelAdvice::Completed,
    }
}

/// The key of a text that the caller's own language files hold.
pub fn advice_key(advice: Advice) -> String {
    let level = match advice {
        Advice::Safe => "safe",
        Advice::ContactFirst => "contact_first",
        Advice::Urgent => "urgent",
        Advice::TooLate => "too_late",
        Advice::Completed => "completed",
    };
    format!("cancel.advice.{level}")
}

pub fn impact(impact: Impact) -> wire::CancelImpact {
    wire::CancelImpact {
        allocated_units: impact.allocated_units,
        submitted_units: impact.submitted_units,
        shipped_units: impact.shipped_units,
        fee_minor: impact.fee_minor,
    }
}
