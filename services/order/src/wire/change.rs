//! Changes of orders.

use kit::answer::to_wire;
use proto::order::v1 as wire;
use types::text::display;
use types::{Currency, LineId};

use super::order::amounts;
use super::shared::{actor, timestamp};
use crate::domain::added_line::{AddedLine, amount_of};
use crate::domain::change::{
    ChangeLine, ChangeOrder, ChangeState, ChangeType, Channel, LabelAction, Parts, Refund, Settlement,
    Skipped, Steps,
};
use crate::domain::policy::{Grant, TenderStrategy};

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
        lines: change.lines.iter().map(|line| priced_line(line, &change.terms.without_parent)).collect(),
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
        rule_id: change.rule.clone(),
        granted_by: granted_by(change.terms.grant),
        supplier_contacted: change.terms.supplier_contacted,
        supplier_contact_ref: display(&change.terms.supplier_contact_ref),
        confirmed: change.terms.confirmed,
        forced: change.terms.forced,
        without_mail_to: change
            .terms
            .without_mail_to
            .iter()
            .map(|audience| audience.as_str().to_owned())
            .collect(),
        fee_rule: change.terms.fee_rule.clone(),
        skipped: change.terms.skipped.iter().map(skipped).collect(),
        retry_of: change.terms.retry_of.as_ref().map_or_else(String::new, ToString::to_string),
        expires_at: timestamp(change.expires_at),
        propagation: Vec::new(),
        external_confirmed: false,
        return_id: change.terms.return_id.as_ref().map_or_else(String::new, ToString::to_string),
        tender_strategy: tender_strategy(change.terms.money.strategy).into(),
        store_credit_fallback: change.terms.money.store_credit_fallback,
        over_refund_reason: display(&change.terms.money.over_refund_reason),
        added: change.terms.added.iter().map(added_line).collect(),
        added_minor: amount_of(&change.terms.added),
        total_after_minor: change.new_total_minor.max(0),
        proposed_by: change.terms.proposed_by.map_or_else(String::new, |side| side.as_str().to_owned()),
        address: None,
        counter_of: change.terms.counter_of.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

/// A line of a change; `without_parent` are children of bundles that bring nothing back alone.
pub fn priced_line(line: &ChangeLine, without_parent: &[LineId]) -> wire::ChangeOrderLine {
    let lonely = without_parent.contains(&line.line_id);
    wire::ChangeOrderLine {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantity: line.quantity,
        reason_code: line.reason_code.clone(),
        note: display(&line.note),
        parts: Some(parts(line.parts)),
        explain: if lonely { "BUNDLE_PARENT_NOT_SELECTED".to_owned() } else { String::new() },
    }
}

fn added_line(line: &AddedLine) -> wire::AddedLine {
    wire::AddedLine {
        line_id: line.line_id.to_string(),
        sku: line.sku.clone(),
        description: display(&line.description),
        quantity: line.quantity,
        unit_price: line.unit_price.to_string(),
        amounts: Some(amounts(line.amounts())),
        delivery_group: line.delivery_group.clone(),
        like_line: line.like_line,
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
        ChangeType::AllEligible => wire::ChangeOrderType::AllEligible,
        ChangeType::EditQuantity => wire::ChangeOrderType::EditQuantity,
        ChangeType::ShippingAdjust => wire::ChangeOrderType::ShippingAdjust,
        ChangeType::RefundOnly => wire::ChangeOrderType::RefundOnly,
        ChangeType::Withdrawal => wire::ChangeOrderType::Withdrawal,
        ChangeType::Restore => wire::ChangeOrderType::Restore,
        ChangeType::AddItem => wire::ChangeOrderType::AddItem,
        ChangeType::ReplaceItem => wire::ChangeOrderType::ReplaceItem,
        ChangeType::PriceAdjust => wire::ChangeOrderType::PriceAdjust,
        ChangeType::Address => wire::ChangeOrderType::Address,
        ChangeType::Return => wire::ChangeOrderType::Return,
        ChangeType::ShortShip => wire::ChangeOrderType::ShortShip,
        ChangeType::Expire => wire::ChangeOrderType::Expire,
        ChangeType::Payment => wire::ChangeOrderType::Payment,
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

pub fn settlement(settlement: Settlement) -> wire::Settlement {
    match settlement {
        Settlement::Auto => wire::Settlement::Auto,
        Settlement::None => wire::Settlement::None,
        Settlement::Explicit => wire::Settlement::Explicit,
    }
}

pub fn tender_strategy(strategy: TenderStrategy) -> wire::TenderStrategy {
    match strategy {
        TenderStrategy::Lifo => wire::TenderStrategy::Lifo,
        TenderStrategy::Fifo => wire::TenderStrategy::Fifo,
        TenderStrategy::Proportional => wire::TenderStrategy::Proportional,
        TenderStrategy::ExactThenSmallestSufficient => wire::TenderStrategy::ExactThenSmallestSufficient,
        TenderStrategy::Explicit => wire::TenderStrategy::Explicit,
    }
}

pub fn granted_by(grant: Option<Grant>) -> String {
    let name = match grant {
        None => "",
        Some(Grant::Role) => "role",
        Some(Grant::CreatorAtSourceRouter) => "creator_at_source_router",
        Some(Grant::Own) => "own",
    };
    name.to_owned()
}

pub fn skipped(line: &Skipped) -> wire::SkippedLine {
    wire::SkippedLine {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        reason: line.reason.clone(),
        message: line.message.clone(),
    }
}

pub fn label_action(action: LabelAction) -> wire::LabelAction {
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
