//! An order's money position, rendered.

use proto::payment::v1 as wire;

use super::convert;
use crate::domain::gateway::DisputeState;
use crate::domain::{Account, Dispute, Payment, Position};

pub fn position(account: &Account) -> wire::MoneyPosition {
    let (tenders, sum) = account.positions();
    wire::MoneyPosition {
        order_id: account.order_id.to_string(),
        currency_code: account.currency.code().to_owned(),
        authorised_minor: sum.authorised_minor,
        captured_minor: sum.captured_minor,
        reserved_minor: sum.reserved_minor,
        in_flight_minor: sum.in_flight_minor,
        confirmed_minor: sum.confirmed_minor,
        reversed_minor: sum.reversed_minor,
        position_minor: account.position_minor(),
        capture_ceiling_minor: account.ceiling_minor,
        owed_minor: account.owed_minor(),
        disputed_minor: sum.disputed_minor,
        paid_by_dispute_minor: sum.paid_by_dispute_minor,
        elsewhere_minor: sum.elsewhere_minor,
        by_hand_minor: sum.by_hand_minor,
        store_credit_minor: account.store_credit_minor,
        tenders: tenders.into_iter().map(|(payment, position)| tender(payment, position)).collect(),
        disputes: account.disputes.values().map(dispute).collect(),
        owed_sequence: account.told.seq,
        worth_version: account.told.worth_version,
        worth_minor: account.worth_minor,
    }
}

fn tender(payment: &Payment, position: Position) -> wire::TenderPosition {
    wire::TenderPosition {
        payment_id: payment.payment_id.to_string(),
        gateway: payment.gateway.clone(),
        kind: convert::tender_kind(payment.kind).into(),
        state: convert::payment_state(payment.state).into(),
        authorised_minor: position.authorised_minor,
        captured_minor: position.captured_minor,
        owed_minor: position.owed_minor,
        reserved_minor: position.reserved_minor,
        in_flight_minor: position.in_flight_minor,
        confirmed_minor: position.confirmed_minor,
        reversed_minor: position.reversed_minor,
        disputed_minor: position.disputed_minor,
        paid_by_dispute_minor: position.paid_by_dispute_minor,
        refundable_minor: position.refundable_minor,
    }
}

fn dispute(dispute: &Dispute) -> wire::Dispute {
    let state = match dispute.state {
        DisputeState::Open => wire::DisputeState::Open,
        DisputeState::Won => wire::DisputeState::Won,
        DisputeState::Lost => wire::DisputeState::Lost,
    };
    wire::Dispute {
        payment_id: dispute.payment_id.to_string(),
        gateway_reference: dispute.gateway_reference.clone(),
        state: state.into(),
        amount_minor: dispute.amount_minor,
        opened_at: dispute.opened_at.to_string(),
        ended_at: dispute.ended_at.map(|at| at.to_string()).unwrap_or_default(),
    }
}
