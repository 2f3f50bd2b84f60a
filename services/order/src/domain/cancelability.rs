//! What may be cancelled now, under the built-in policy, and how advisable it is.
//!
//! The answer advises and decides nothing: submitting asks [`may_submit`] and the price again.

use types::{LineId, Reason, Refusal};

use super::change::ChangeType;
use super::order::{Line, Order, OrderState, Placement};

/// The policy that holds until an operator writes another.
pub const POLICY_VERSION: &str = "default-1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancelability {
    pub allowed: bool,
    pub blockers: Vec<Refusal>,
    /// By line number.
    pub lines: Vec<LineCancelability>,
    pub advice: Advice,
    /// RPC names that make sense now.
    pub allowed_actions: Vec<&'static str>,
    pub policy_version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCancelability {
    pub line_id: LineId,
    pub line_number: i64,
    pub sku: String,
    pub available_to_cancel: i64,
    pub blockers: Vec<Refusal>,
}

/// How much a cancellation would hurt others at this state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    Safe,
    /// The supplier has confirmed: talk to them first. A warning, not a block.
    ContactFirst,
    /// Work has begun: talk to them immediately before.
    Urgent,
    TooLate,
}

pub fn cancelability(order: &Order) -> Cancelability {
    let state = order.state();
    let barred = may_submit(order, ChangeType::CancelOrder).err();
    let open = order.units().open > 0;
    let allowed = barred.is_none() && open;
    let blockers = match barred {
        Some(refusal) => vec![refusal],
        None if open => Vec::new(),
        None => vec![nothing_open(order)],
    };
    let lines = order.lines.iter().map(|line| of_line(line, allowed, &blockers)).collect();
    Cancelability {
        allowed,
        blockers,
        lines,
        advice: advice(state, open),
        allowed_actions: actions(order, state, allowed),
        policy_version: POLICY_VERSION,
    }
}

/// Refuses a preview that could not be submitted whatever it asks for.
pub fn may_preview(order: &Order) -> Result<(), Refusal> {
    if order.placement == Placement::Placing {
        return Err(still_placing(order));
    }
    not_barred(order)
}

/// Refuses a change for what the order is, whatever its quantities say.
pub fn may_submit(order: &Order, change_type: ChangeType) -> Result<(), Refusal> {
    match (&order.placement, change_type) {
        (Placement::Placing, ChangeType::CancelItems) => Err(still_placing(order)),
        (Placement::Placing, ChangeType::CancelOrder) | (Placement::Open | Placement::Failed(_), _) => {
            not_barred(order)
        }
    }
}

fn not_barred(order: &Order) -> Result<(), Refusal> {
    if let Some(change) = &order.change_in_progress {
        let message = format!("change {change} holds the order; try again when it has ended");
        return Err(Refusal::new(Reason::ChangeInProgress, message).detail("change_order_id", change));
    }
    match order.state() {
        OrderState::OutForDelivery => {
            Err(Refusal::new(Reason::InTransit, "the order is on its way to the customer"))
        }
        OrderState::Delivered => {
            let message = "the order was delivered; a return can still be agreed";
            Err(Refusal::new(Reason::Delivered, message).detail("next", "RETURN"))
        }
        OrderState::Placing
        | OrderState::PlacementFailed
        | OrderState::Pending
        | OrderState::Confirmed
        | OrderState::Processing
        | OrderState::PartiallyShipped
        | OrderState::Shipped
        | OrderState::PartiallyDelivered
        | OrderState::Cancelled
        | OrderState::Returned
        | OrderState::ClosedMixed => Ok(()),
    }
}

fn still_placing(order: &Order) -> Refusal {
    let message =
        format!("order {} is still being placed; only all of it can be cancelled now", order.number);
    Refusal::new(Reason::ChangeInProgress, message).detail("order_id", &order.order_id)
}

fn nothing_open(order: &Order) -> Refusal {
    if order.units().net() == 0 {
        Refusal::new(Reason::NothingToCancel, "nothing of the order is left")
    } else {
        Refusal::new(Reason::ShippedFirst, "all that is left of the order was shipped")
    }
}

fn of_line(line: &Line, allowed: bool, order_blockers: &[Refusal]) -> LineCancelability {
    let quantities = line.quantities;
    let blockers = if !allowed {
        order_blockers.to_vec()
    } else if quantities.open > 0 {
        Vec::new()
    } else if quantities.net() == 0 {
        vec![Refusal::new(Reason::NothingToCancel, "nothing of the line is left")]
    } else {
        vec![Refusal::new(Reason::ShippedFirst, "all that is left of the line was shipped")]
    };
    LineCancelability {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        available_to_cancel: if allowed { quantities.open } else { 0 },
        blockers,
    }
}

fn advice(state: OrderState, open: bool) -> Advice {
    match state {
        OrderState::Placing | OrderState::Pending => Advice::Safe,
        OrderState::Confirmed => Advice::ContactFirst,
        OrderState::Processing => Advice::Urgent,
        OrderState::PartiallyShipped | OrderState::PartiallyDelivered if open => Advice::Urgent,
        OrderState::PartiallyShipped
        | OrderState::PartiallyDelivered
        | OrderState::Shipped
        | OrderState::OutForDelivery
        | OrderState::Delivered
        | OrderState::PlacementFailed
        | OrderState::Cancelled
        | OrderState::Returned
        | OrderState::ClosedMixed => Advice::TooLate,
    }
}

fn actions(order: &Order, state: OrderState, allowed: bool) -> Vec<&'static str> {
    let open = order.placement == Placement::Open;
    let held = order.change_in_progress.is_some();
    let may = [
        ("PreviewChangeOrder", allowed && open),
        ("SubmitChangeOrder", allowed),
        ("WithdrawChangeOrder", held && open),
        ("ConfirmOrder", !held && state == OrderState::Pending),
        ("StartProcessing", !held && matches!(state, OrderState::Pending | OrderState::Confirmed)),
    ];
    may.into_iter().filter_map(|(action, sensible)| sensible.then_some(action)).collect()
}
