//! What the inventory reports about an order's goods.
//!
//! Reports carry monotone counters and each is applied by maximum, so that a late or repeated
//! report changes nothing. They are a projection that shows and advises; holding goods is decided
//! by the inventory alone.

use types::{LineId, Reason, Refusal, Timestamp};

use super::history::{Entry, Happened, Visibility};
use super::order::{Actor, Line, Order};

/// The counters of one line, as reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineCounters {
    pub line_id: LineId,
    pub allocated: i64,
    pub deallocated: i64,
    pub submitted: i64,
    pub shipped: i64,
    pub unshipped: i64,
    pub delivered: i64,
}

/// What becomes of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    Applied(Happened),
    /// It ships units that a change holds: it waits until the change has ended.
    Later,
    /// It says what cannot be, such as the shipping of cancelled units. Nothing is applied;
    /// somebody has to look.
    Contradicts(Refusal),
}

/// Applies a report to the order, wholly or not at all.
pub fn report(
    order: &mut Order,
    counters: &[LineCounters],
    tracking_number: &str,
    now: Timestamp,
) -> Reported {
    let mut reported = order.clone();
    let mut moved = Moved::default();
    for counted in counters {
        let Some(line) = reported.line_mut(&counted.line_id) else {
            let message = format!("the report names line {}, which the order does not have", counted.line_id);
            return Reported::Contradicts(Refusal::new(Reason::StateConflict, message));
        };
        match apply(line, counted) {
            Ok(by_line) => moved.add(by_line),
            Err(refusal) if order.change_in_progress.is_some() && refusal.reason == Reason::CancelHold => {
                return Reported::Later;
            }
            Err(refusal) => return Reported::Contradicts(refusal),
        }
    }
    if moved == Moved::default() {
        return Reported::Applied(Happened::default());
    }

    let before = order.state();
    if moved.submitted > 0 {
        reported.processing_at.get_or_insert(now);
    }
    if moved.delivered > 0 {
        reported.delivered_at = Some(now);
    }
    mark_shipped_groups(&mut reported);
    reported.version += 1;
    *order = reported;
    Reported::Applied(moved.told(tracking_number, now).progressed(before, order))
}

/// By how much the counters of all lines moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Moved {
    allocated: i64,
    deallocated: i64,
    submitted: i64,
    shipped: i64,
    unshipped: i64,
    delivered: i64,
}

fn apply(line: &mut Line, counted: &LineCounters) -> Result<Moved, Refusal> {
    let seen = line.progress;
    let by = |counter: i64, seen: i64| (counter - seen).max(0);
    let moved = Moved {
        allocated: by(counted.allocated, seen.allocated),
        deallocated: by(counted.deallocated, seen.deallocated),
        submitted: by(counted.submitted, seen.submitted),
        shipped: by(counted.shipped, seen.shipped),
        unshipped: by(counted.unshipped, seen.unshipped),
        delivered: 0,
    };
    // A unit that was shipped and taken back within one report never left, for the order.
    let left = moved.shipped - moved.unshipped;
    let quantities = if left >= 0 { line.quantities.ship(left) } else { line.quantities.unship(-left) };
    let quantities = quantities.map_err(|_| {
        let message = format!(
            "{left} more units of line {} left than are open ({}) or shipped ({})",
            line.line_number, line.quantities.open, line.quantities.fulfilled
        );
        // Units that a change holds may still come back to be shipped; all others cannot.
        let held = left <= line.quantities.open + line.quantities.cancel_pending;
        let reason = if left > 0 && held { Reason::CancelHold } else { Reason::StateConflict };
        Refusal::new(reason, message).detail("line_id", &line.line_id)
    })?;
    let delivered = quantities.deliver_up_to(counted.delivered);
    let moved = Moved { delivered: delivered.delivered - line.quantities.delivered, ..moved };

    line.quantities = delivered;
    line.progress.allocated += moved.allocated;
    line.progress.deallocated += moved.deallocated;
    line.progress.submitted += moved.submitted;
    line.progress.shipped += moved.shipped;
    line.progress.unshipped += moved.unshipped;
    Ok(moved)
}

/// A group has shipped while a unit of it is out; a shipment that was taken back clears that.
fn mark_shipped_groups(order: &mut Order) {
    for group in &mut order.groups {
        group.ever_shipped =
            order.lines.iter().filter(|line| line.delivery_group == group.delivery_group).any(|line| {
                let gone = line.quantities;
                gone.fulfilled + gone.cancelled_after_ship + gone.cancel_pending_shipped > 0
            });
    }
}

impl Moved {
    fn add(&mut self, line: Self) {
        self.allocated += line.allocated;
        self.deallocated += line.deallocated;
        self.submitted += line.submitted;
        self.shipped += line.shipped;
        self.unshipped += line.unshipped;
        self.delivered += line.delivered;
    }

    fn told(self, tracking_number: &str, now: Timestamp) -> Happened {
        let tracking = if tracking_number.is_empty() {
            String::new()
        } else {
            format!(", tracking number {tracking_number}")
        };
        let kinds = [
            ("goods.allocated", self.allocated, "units were allocated".to_owned(), Visibility::Internal),
            (
                "goods.deallocated",
                self.deallocated,
                "units were deallocated".to_owned(),
                Visibility::Internal,
            ),
            (
                "goods.submitted",
                self.submitted,
                "units were submitted to fulfilment".to_owned(),
                Visibility::Parties,
            ),
            ("goods.shipped", self.shipped, format!("units were shipped{tracking}"), Visibility::Public),
            (
                "goods.unshipped",
                self.unshipped,
                "units were taken back from shipping".to_owned(),
                Visibility::Parties,
            ),
            ("goods.delivered", self.delivered, "units were delivered".to_owned(), Visibility::Public),
        ];
        kinds.into_iter().filter(|(_, units, ..)| *units > 0).fold(
            Happened::default(),
            |happened, (event, units, what, visibility)| {
                let entry = Entry::new(now, Actor::system(), event, format!("{units} {what}"));
                happened.entry(entry.visible_to(visibility))
            },
        )
    }
}
