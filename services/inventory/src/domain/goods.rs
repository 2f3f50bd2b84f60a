//! Everything one order has in our warehouses.

use std::collections::BTreeMap;

use types::{FulfilmentId, Ids, LabelId, LineId, OrderId, PartnerTaskId, ReservationId, Timestamp};

use super::fulfilment::{Fulfilment, FulfilmentState};
use super::label::Label;
use super::names::{Sku, WarehouseId};
use super::partner::PartnerTask;
use super::reservation::{FulfilmentLine, Reservation, State};
use super::stock::Posting;
use super::warehouse::Warehouses;

/// The goods of one order. Every unit that was ever reserved stands in exactly one reservation for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    pub order_id: OrderId,
    /// The number of the order's newest event from this service.
    pub event_seq: i64,
    pub created_at: Timestamp,
    /// The order was restored and is not paid yet: nothing can be allocated.
    pub awaits_payment: bool,
    pub lines: BTreeMap<LineId, Line>,
    pub reservations: BTreeMap<ReservationId, Reservation>,
    pub fulfilments: BTreeMap<FulfilmentId, Fulfilment>,
    pub labels: BTreeMap<LabelId, Label>,
    pub tasks: BTreeMap<PartnerTaskId, PartnerTask>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: Sku,
    /// All units ever reserved for the line.
    pub reserved_quantity: i64,
    pub counters: Counters,
}

/// What has happened to the units of a line so far. The counters only grow, so a receiver can apply them in any order, by maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    pub allocated: i64,
    /// Allocated units that were cancelled.
    pub deallocated: i64,
    pub submitted: i64,
    pub shipped: i64,
    /// Shipped units whose label was voided.
    pub unshipped: i64,
    pub delivered: i64,
}

/// What a change of the goods moves in a stock row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    pub reservation_id: ReservationId,
    pub line_id: LineId,
    pub warehouse_id: WarehouseId,
    pub sku: Sku,
    pub posting: Posting,
}

/// When a change happens and where its new ids come from.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub ids: &'a Ids,
    pub at: Timestamp,
}

impl Goods {
    pub fn new(order_id: OrderId, created_at: Timestamp) -> Self {
        Self {
            order_id,
            event_seq: 0,
            created_at,
            awaits_payment: false,
            lines: BTreeMap::new(),
            reservations: BTreeMap::new(),
            fulfilments: BTreeMap::new(),
            labels: BTreeMap::new(),
            tasks: BTreeMap::new(),
        }
    }

    /// The lines whose counters are not what they were.
    pub fn progressed_since(&self, before: &Self) -> Vec<(&LineId, &Counters)> {
        let progressed = self.lines.iter().filter(|(id, line)| {
            let before = before.lines.get(id).map_or_else(Counters::default, |line| line.counters);
            before != line.counters
        });
        progressed.map(|(id, line)| (id, &line.counters)).collect()
    }

    /// Whether a movement is one of a shelf that is counted here.
    pub fn moves_stock(&self, movement: &Movement, warehouses: &Warehouses) -> bool {
        warehouses.keeps_stock(&movement.warehouse_id)
            && !self.reservations[&movement.reservation_id].without_stock
    }

    pub fn fulfilment_state(&self, id: &FulfilmentId) -> FulfilmentState {
        let packed = self.reservations.values().filter(|reservation| reservation.is_packed_in(id));
        FulfilmentState::of(packed.filter_map(Reservation::line_state))
    }

    /// Says which equation of the books does not hold, if any. Checked before the goods are written.
    pub fn imbalance(&self) -> Option<String> {
        let mut sums: BTreeMap<&LineId, Sums> = BTreeMap::new();
        for (id, row) in &self.reservations {
            if row.quantity < 1 || !self.lines.contains_key(&row.line_id) {
                return Some(format!("reservation {id} is empty or belongs to no line"));
            }
            if row.is_consumed() && row.packed.is_none() {
                return Some(format!("reservation {id} was shipped without a fulfilment"));
            }
            sums.entry(&row.line_id).or_default().add(row);
        }
        self.lines.iter().find_map(|(id, line)| {
            let sums = sums.get(id).copied().unwrap_or_default();
            let broken = sums.against(line).into_iter().find(|(_, counted, summed)| counted != summed);
            broken.map(|(what, counted, summed)| {
                format!("line {id}: {what} is {counted}, and its reservations sum to {summed}")
            })
        })
    }

    pub(super) fn row(&mut self, id: &ReservationId) -> &mut Reservation {
        self.reservations.get_mut(id).expect("the id was taken from these reservations")
    }

    pub(super) fn counters(&mut self, line: &LineId) -> &mut Counters {
        let line = self.lines.get_mut(line).expect("a reservation belongs to a line of its order");
        &mut line.counters
    }

    /// The ids of the reservations that `pick` accepts, oldest first.
    pub(super) fn select(&self, pick: impl Fn(&Reservation) -> bool) -> Vec<ReservationId> {
        let picked = self.reservations.iter().filter(|(_, row)| pick(row));
        picked.map(|(id, _)| id.clone()).collect()
    }

    /// As [`Goods::select`], by line. One pass serves all lines of a request: an order may have a thousand.
    pub(super) fn select_by_line(&self, pick: impl Fn(&Reservation) -> bool) -> ByLine {
        let mut by_line = ByLine::default();
        for (id, row) in self.reservations.iter().filter(|(_, row)| pick(row)) {
            let (ids, units) = by_line.0.entry(row.line_id.clone()).or_default();
            ids.push(id.clone());
            *units += row.quantity;
        }
        by_line
    }

    /// Takes `wanted` units from `candidates`, in their order; the last one is split if it holds more. Each row
    /// that is returned moves as a whole.
    pub(super) fn take(
        &mut self,
        wanted: i64,
        candidates: Vec<ReservationId>,
        moment: Moment<'_>,
    ) -> Vec<ReservationId> {
        let mut missing = wanted;
        let mut taken = Vec::new();
        for id in candidates {
            if missing == 0 {
                break;
            }
            let quantity = self.row(&id).quantity.min(missing);
            missing -= quantity;
            taken.push(self.split_off(id, quantity, moment));
        }
        assert_eq!(missing, 0, "the caller has counted the candidates' units");
        taken
    }

    /// The row that holds exactly `quantity` of the units of `id`: itself, or a new one split off from it.
    fn split_off(&mut self, id: ReservationId, quantity: i64, moment: Moment<'_>) -> ReservationId {
        let row = self.row(&id);
        if row.quantity == quantity {
            return id;
        }
        let whole = row.quantity;
        row.quantity -= quantity;
        // All units of a row came back, and left again, together.
        let packed = row.packed.as_mut().map(|line| {
            let (restocked, reshipped) =
                (line.restocked / whole * quantity, line.reshipped / whole * quantity);
            line.restocked -= restocked;
            line.reshipped -= reshipped;
            let (id, split_of) = (moment.ids.mint(), Some(line.id.clone()));
            FulfilmentLine { id, split_of, restocked, reshipped, ..line.clone() }
        });
        let part = Reservation { quantity, packed, split_of: Some(id), created_at: moment.at, ..row.clone() };
        let part_id: ReservationId = moment.ids.mint();
        self.reservations.insert(part_id.clone(), part);
        part_id
    }

    pub(super) fn movement(&self, id: &ReservationId, posting: fn(i64) -> Posting) -> Movement {
        let row = &self.reservations[id];
        Movement {
            reservation_id: id.clone(),
            line_id: row.line_id.clone(),
            warehouse_id: row.warehouse_id.clone(),
            sku: row.sku.clone(),
            posting: posting(row.quantity),
        }
    }
}

/// Reservations of an order and the units in them, by line.
#[derive(Default)]
pub(super) struct ByLine(BTreeMap<LineId, (Vec<ReservationId>, i64)>);

impl ByLine {
    pub fn units(&self, line: &LineId) -> i64 {
        self.0.get(line).map_or(0, |(_, units)| *units)
    }

    pub fn remove(&mut self, line: &LineId) -> Vec<ReservationId> {
        self.0.remove(line).map(|(ids, _)| ids).unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_ids(self) -> Vec<ReservationId> {
        self.0.into_values().flat_map(|(ids, _)| ids).collect()
    }
}

/// The units of a line's reservations, by what the line's own numbers say of them.
#[derive(Clone, Copy, Default)]
struct Sums {
    all: i64,
    packed: i64,
    shipped: i64,
    delivered: i64,
}

impl Sums {
    fn add(&mut self, row: &Reservation) {
        self.all += row.quantity;
        if row.packed.is_some() && (row.is_reserved() || row.is_consumed()) {
            self.packed += row.quantity;
        }
        if let State::Consumed { delivered, .. } = row.state {
            self.shipped += row.quantity;
            self.delivered += if delivered { row.quantity } else { 0 };
        }
    }

    fn against(self, line: &Line) -> [(&'static str, i64, i64); 4] {
        let counters = line.counters;
        [
            ("reserved", line.reserved_quantity, self.all),
            ("allocated", counters.allocated - counters.deallocated, self.packed),
            ("shipped", counters.shipped - counters.unshipped, self.shipped),
            ("delivered", counters.delivered, self.delivered),
        ]
    }
}

pub(super) fn release(quantity: i64) -> Posting {
    Posting::Release { quantity }
}

pub(super) fn ship(quantity: i64) -> Posting {
    Posting::Ship { quantity }
}

pub(super) fn restock_label_void(quantity: i64) -> Posting {
    Posting::RestockLabelVoid { quantity }
}

pub(super) fn unship(quantity: i64) -> Posting {
    Posting::Unship { quantity }
}

pub(super) fn restock_return(quantity: i64) -> Posting {
    Posting::RestockReturn { quantity }
}

pub(super) fn write_off(_: i64) -> Posting {
    Posting::WriteOff
}

pub(super) fn short_ship(quantity: i64) -> Posting {
    Posting::ShortShip { quantity }
}

/// Units of a shelf that still hold their promise.
pub(super) fn ship_after_cancel(quantity: i64) -> Posting {
    Posting::ShipAfterCancel { on_hand: quantity, reserved: quantity }
}

pub(super) fn reship(quantity: i64) -> Posting {
    Posting::Reship { quantity }
}

pub(super) fn reserve(quantity: i64) -> Posting {
    Posting::Reserve { quantity }
}
