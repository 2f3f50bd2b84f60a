//! Batches on the wire.

use kit::answer::to_wire;
use proto::common::v1 as common;
use proto::order::v1 as wire;
use types::Refusal;
use types::text::display;

use crate::api::convert::each_state;
use crate::batches::domain::{BatchState, BatchView, Item, ItemState, TenderTotal, Totals};
use crate::wire::{label_action, timestamp};

pub fn batch(view: &BatchView) -> wire::Batch {
    let BatchView { batch, counts, totals } = view;
    wire::Batch {
        batch_id: batch.batch_id.to_string(),
        state: state(batch.state).into(),
        reason_code: batch.reason_code.clone(),
        note: display(&batch.note),
        sku: batch.sku.clone(),
        items: batch.items,
        waiting: counts.waiting,
        cancelled: counts.cancelled,
        already_cancelled: counts.already_cancelled,
        refused: counts.refused,
        totals: Some(shown_totals(totals)),
        created_by: Some(common::Actor {
            user: display(&batch.created_by.user),
            organisation: display(&batch.created_by.organisation),
            role: display(&batch.created_by.role),
        }),
        created_at: batch.created_at.to_string(),
        finished_at: timestamp(batch.finished_at),
        label_action: label_action(batch.label_action).into(),
        rates: batch
            .rates
            .iter()
            .map(|(integration, per_minute)| wire::BatchRate {
                integration: integration.clone(),
                per_minute: i32::try_from(*per_minute).expect("a rate is at most 100,000"),
            })
            .collect(),
    }
}

pub fn item(item: &Item) -> wire::BatchItem {
    wire::BatchItem {
        item_number: item.item_number,
        order_id: item.order_id.as_ref().map_or_else(String::new, ToString::to_string),
        named: display(&item.named),
        state: item_state(item.state).into(),
        change_order_id: item.change_order_id.as_ref().map_or_else(String::new, ToString::to_string),
        cause: item.cause.as_ref().map(to_wire),
        currency_code: item.currency.clone(),
        amount_minor: item.amount_minor,
        units: item.units,
        integration: item.integration.clone(),
    }
}

pub fn item_states(given: &[i32]) -> Result<Vec<ItemState>, Refusal> {
    each_state(given, |state| {
        Some(match wire::BatchItemState::try_from(state).ok()? {
            wire::BatchItemState::Unspecified => return None,
            wire::BatchItemState::Waiting => ItemState::Waiting,
            wire::BatchItemState::Submitting => ItemState::Submitting,
            wire::BatchItemState::Executing => ItemState::Executing,
            wire::BatchItemState::Cancelled => ItemState::Cancelled,
            wire::BatchItemState::AlreadyCancelled => ItemState::AlreadyCancelled,
            wire::BatchItemState::Refused => ItemState::Refused,
        })
    })
}

fn shown_totals(totals: &Totals) -> wire::BatchTotals {
    wire::BatchTotals {
        currencies: totals
            .currencies
            .iter()
            .map(|total| wire::CurrencyTotal {
                currency_code: total.currency.clone(),
                orders: total.orders,
                amount_minor: total.amount_minor,
            })
            .collect(),
        skus: totals
            .skus
            .iter()
            .map(|(sku, units)| wire::SkuTotal { sku: sku.clone(), units: *units })
            .collect(),
        tenders: totals.tenders.iter().map(tender).collect(),
        tenders_unknown: totals.tenders_unknown,
        labels: totals
            .labels
            .iter()
            .map(|total| wire::LabelTotal {
                currency_code: total.currency.clone(),
                labels: total.labels,
                cost_minor: total.cost_minor,
            })
            .collect(),
        stock: totals
            .stock
            .iter()
            .map(|total| wire::StockTotal {
                warehouse_id: total.warehouse_id.clone(),
                sku: total.sku.clone(),
                units: total.units,
            })
            .collect(),
    }
}

fn tender(total: &TenderTotal) -> wire::TenderTotal {
    wire::TenderTotal {
        gateway: total.gateway.clone(),
        currency_code: total.currency.clone(),
        refund_minor: total.refund_minor,
        void_minor: total.void_minor,
    }
}

fn state(state: BatchState) -> wire::BatchState {
    match state {
        BatchState::Estimating => wire::BatchState::Estimating,
        BatchState::Estimated => wire::BatchState::Estimated,
        BatchState::Running => wire::BatchState::Running,
        BatchState::Paused => wire::BatchState::Paused,
        BatchState::Completed => wire::BatchState::Completed,
    }
}

fn item_state(state: ItemState) -> wire::BatchItemState {
    match state {
        ItemState::Waiting => wire::BatchItemState::Waiting,
        ItemState::Submitting => wire::BatchItemState::Submitting,
        ItemState::Executing => wire::BatchItemState::Executing,
        ItemState::Cancelled => wire::BatchItemState::Cancelled,
        ItemState::AlreadyCancelled => wire::BatchItemState::AlreadyCancelled,
        ItemState::Refused => wire::BatchItemState::Refused,
    }
}
