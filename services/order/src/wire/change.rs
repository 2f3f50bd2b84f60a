//! Changes of orders.

use kit::answer::to_wire;
use proto::order::v1 as wire;
use types::Currency;
use types::text::display;

use super::shared::{actor, timestamp};
use crate::domain::change::{
    ChangeLine, ChangeOrder, ChangeState, ChangeType, Channel, LabelAction, Parts, Refund, Settlement, Steps,
};

/// A change with the number and currency of its order, and how far its saga has come.
pub fn change_order(
    change: &ChangeOrder,
    order_number: &str,
    currency: Currency,
    steps: &Steps,
) -> wire::ChangeOrder {
    wire::ChangeOrder {
        change_order_id: change.change_order_id.to_string(),
        number: change.number.clone(),
        order_id: change.order_id.to_string(),
        order_number: order_number.to_owned(),
        r#type: change_type(change.change_type).into(),
        state: change_state(change.state).into(),
        attention_open: change.attention_open > 0,
        currency_code: currency.to_string(),
        lines: change.lines.iter().map(priced_line).collect(),
        amounts: Some(parts(change.amounts)),
        settlement: settlement(change.settlement).into(),
        label_action: label_action(change.label_action).into(),
        reason_code: change.reason_code.clone(),
        note: display(&change.note),
        requested_by: Some(actor(&change.requested_by)),
        created_at: change.created_at.to_string(),
        decided_at: timestamp(change.decided_at),
        finished_at: timestamp(change.finished_at),
        cause: change.cause.as_ref().map(to_wire),
        version: change.version,
        saga_id: change.saga_id.to_string(),
        current_step: steps.current.clone(),
        steps_done: steps.done,
        steps_total: steps.total,
        refund_owed_minor: change.refund_owed_minor,
        exceptions: change.exceptions.iter().map(to_wire).collect(),
        refunds: change.refunds.iter().map(refund).collect(),
        policy_version: change.policy_version.clone(),
        quote_id: change.quote_id.clone(),
        channel: channel(change.channel).into(),
        stage: change.stage.as_str().to_owned(),
    }
}

pub fn priced_line(line: &ChangeLine) -> wire::ChangeOrderLine {
    wire::ChangeOrderLine {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: line.quantity,
        reason_code: line.reason_code.clone(),
        note: display(&line.note),
        parts: Some(parts(line.parts)),
    }
}

pub fn parts(parts: Parts) -> wire::RefundParts {
    wire::RefundParts {
        gross_minor: parts.gross,
        discount_minor: parts.discount,
        goods_net_minor: parts.goods_net,
        tax_minor: parts.tax,
        tax_included: parts.tax_included,
        shipping_minor: parts.shipping,
        shipping_tax_minor: parts.shipping_tax,
        fee_minor: parts.fee,
        amount_minor: parts.amount,
    }
}

fn channel(channel: Channel) -> wire::Channel {
    match channel {
        Channel::Details => wire::Channel::Details,
        Channel::Timeline => wire::Channel::Timeline,
        Channel::Api => wire::Channel::Api,
        Channel::Rule => wire::Channel::Rule,
        Channel::Psp => wire::Channel::Psp,
        Channel::Batch => wire::Channel::Batch,
    }
}

fn change_type(change_type: ChangeType) -> wire::ChangeOrderType {
    match change_type {
        ChangeType::CancelOrder => wire::ChangeOrderType::CancelOrder,
        ChangeType::CancelItems => wire::ChangeOrderType::CancelItems,
    }
}

fn change_state(state: ChangeState) -> wire::ChangeOrderState {
    match state {
        ChangeState::Draft => wire::ChangeOrderState::Draft,
        ChangeState::Requested => wire::ChangeOrderState::Requested,
        ChangeState::Declined => wire::ChangeOrderState::Declined,
        ChangeState::Expired => wire::ChangeOrderState::Expired,
        ChangeState::Withdrawn => wire::ChangeOrderState::Withdrawn,
        ChangeState::Executing => wire::ChangeOrderState::Executing,
        ChangeState::Unwinding => wire::ChangeOrderState::Unwinding,
        ChangeState::Rejected => wire::ChangeOrderState::Rejected,
        ChangeState::Settling => wire::ChangeOrderState::Settling,
        ChangeState::Completed => wire::ChangeOrderState::Completed,
        ChangeState::CompletedWithExceptions => wire::ChangeOrderState::CompletedWithExceptions,
    }
}

fn settlement(settlement: Settlement) -> wire::Settlement {
    match settlement {
        Settlement::Auto => wire::Settlement::Auto,
        Settlement::None => wire::Settlement::None,
    }
}

fn label_action(action: LabelAction) -> wire::LabelAction {
    match action {
        LabelAction::Keep => wire::LabelAction::Keep,
        LabelAction::Void => wire::LabelAction::Void,
    }
}

fn refund(refund: &Refund) -> wire::RefundSummary {
    wire::RefundSummary {
        refund_id: refund.refund_id.to_string(),
        state: refund.state.clone(),
        amount_minor: refund.amount_minor,
        void_of_authorisation: refund.void_of_authorisation,
    }
}
