//! The steps of fulfilment that an order's units have reached, and which RPCs make sense at each, so that a user interface can show buttons. It is
//! counted from the inventory's reports: it is advice and decides nothing.

use types::Timestamp;

use super::order::{Line, Order, OrderState, Placement};
use super::outside::Handed;
use super::policy::Units;
use super::selection::allocated;

/// How far units have come, from not allocated to delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Unallocated,
    Allocated,
    Submitted,
    Shipped,
    Delivered,
}

/// Units at one step. Goods at a partner have a step of their own, beside the one that counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub stage: Stage,
    pub units: i64,
    /// Of goods that a partner has.
    pub fulfillment_id: String,
    /// RPC names.
    pub allowed_actions: Vec<&'static str>,
}

/// The steps that something stands at, in their order. `allowed` says whether the caller may cancel, `reach` how far the
/// policy lets units go.
pub fn steps(order: &Order, reach: Units, allowed: bool, now: Timestamp) -> Vec<Step> {
    if order.placement != Placement::Open {
        return Vec::new();
    }
    let counted = Stage::ALL.into_iter().filter_map(|stage| {
        let units = order.lines.iter().map(|line| stage.units(line)).sum();
        let allowed_actions = actions(order, stage, allowed && stage.is_within(reach));
        (units > 0).then_some(Step { stage, units, fulfillment_id: String::new(), allowed_actions })
    });
    let handed = order.outside.handed.iter().filter(|handed| handed.has_button(now));
    let with_partners = handed.map(|handed: &Handed| Step {
        stage: Stage::Submitted,
        units: 0,
        fulfillment_id: handed.fulfillment_id.clone(),
        allowed_actions: if allowed { vec!["StopPartnerByApi"] } else { Vec::new() },
    });
    counted.chain(with_partners).collect()
}

fn actions(order: &Order, stage: Stage, allowed: bool) -> Vec<&'static str> {
    let held = order.change_in_progress.is_some();
    let free = !held && order.awaits_payment.is_none();
    let stands = order.state();
    let untouched = stage == Stage::Unallocated;
    let left = matches!(stage, Stage::Shipped | Stage::Delivered);
    let may = [
        ("PreviewChangeOrder", allowed),
        ("SubmitChangeOrder", allowed),
        ("ConfirmOrder", untouched && free && stands == OrderState::Pending),
        (
            "StartProcessing",
            untouched && free && matches!(stands, OrderState::Pending | OrderState::Confirmed),
        ),
        ("PayOrder", untouched && !held && order.awaits_payment.is_some()),
        ("VoidLabel", stage != Stage::Delivered && !untouched && !held && order.outside.has_label()),
        ("OpenReturn", left),
    ];
    may.into_iter().filter_map(|(action, sensible)| sensible.then_some(action)).collect()
}

impl Stage {
    const ALL: [Self; 5] =
        [Self::Unallocated, Self::Allocated, Self::Submitted, Self::Shipped, Self::Delivered];

    fn units(self, line: &Line) -> i64 {
        let quantities = line.quantities;
        let with_fulfilment = allocated(line).min(quantities.open);
        let left = line.progress.shipped - line.progress.unshipped;
        let submitted = (line.progress.submitted - left).clamp(0, with_fulfilment);
        match self {
            Self::Unallocated => quantities.open - with_fulfilment,
            Self::Allocated => with_fulfilment - submitted,
            Self::Submitted => submitted,
            Self::Shipped => quantities.fulfilled - quantities.delivered,
            Self::Delivered => (quantities.delivered - quantities.returned).max(0),
        }
    }

    fn is_within(self, reach: Units) -> bool {
        match (self, reach) {
            (Self::Unallocated, _)
            | (Self::Allocated | Self::Submitted, Units::Open | Units::OpenOrShipped)
            | (Self::Shipped, Units::OpenOrShipped) => true,
            (Self::Allocated | Self::Submitted, Units::Unallocated)
            | (Self::Shipped, Units::Open | Units::Unallocated)
            | (Self::Delivered, _) => false,
        }
    }
}
