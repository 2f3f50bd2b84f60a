//! Voiding labels, and what comes back by it. Units come back only once the carrier has voided, each once, and into the
//! warehouse they had left.

use types::{FulfilmentId, LabelId, LineId, Reason, Refusal, ReservationId, Timestamp};

use super::goods::{self, Goods, Movement};
use super::label::{CarrierAnswer, Credit, Label, LabelState, Voider};
use super::names::WarehouseId;
use super::reservation::{AfterShip, Reservation, State};
use super::warehouse::{WarehouseKind, Warehouses};

impl Goods {
    /// A change order wants the labels of what it holds void. They are named now, while it can still be refused.
    pub fn promise_voids(&mut self, saga_id: &str) -> Result<(), Refusal> {
        let held: Vec<FulfilmentId> = self
            .reservations
            .values()
            .filter(|row| row.held_by() == Some(saga_id) || row.claimed_by() == Some(saga_id))
            .filter_map(|row| row.packed.as_ref().map(|line| line.fulfilment_id.clone()))
            .collect();
        let (mut promised, mut delivered) = (false, None);
        let wanted = |label: &Label| held.contains(&label.fulfilment_id) && label.state.may_be_voided();
        let labels: Vec<LabelId> =
            self.labels.iter().filter(|(_, label)| wanted(label)).map(|(id, _)| id.clone()).collect();
        for id in labels {
            // What has arrived under a label has used it, whatever else of its parcel is still here.
            if self.has_arrived(&id) {
                delivered = Some(id);
                continue;
            }
            let label = self.labels.get_mut(&id).expect("its id was just read");
            label.voider = Some(Voider { by: saga_id.to_owned(), step: "void_labels".to_owned() });
            promised = true;
        }
        match delivered {
            _ if promised => return Ok(()),
            Some(id) => return Err(arrived(&id).field("change.label_action")),
            None => {}
        }
        Err(Refusal::new(Reason::NoLabel, "the units have no label to void").field("change.label_action"))
    }

    /// The undo of a promise: nobody wants these labels void any more.
    pub fn keep_labels(&mut self, saga_id: &str) {
        for label in self.labels.values_mut() {
            if label.is_wanted_void_by(saga_id) && label.state.may_be_voided() {
                label.voider = None;
            }
        }
    }

    /// The promised labels are asked for from now on; how many there are.
    pub fn request_voids(&mut self, saga_id: &str, now: Timestamp) -> usize {
        let wanted = self.labels.values_mut().filter(|label| label.is_wanted_void_by(saga_id));
        wanted
            .map(|label| {
                if label.state.may_be_voided() {
                    request(label, now);
                }
            })
            .count()
    }

    /// A client wants one label void. What would come back must have a place to go to first.
    pub fn request_void(
        &mut self,
        id: &LabelId,
        voider: Voider,
        warehouses: &Warehouses,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let label = self.labels.get(id).ok_or_else(|| Refusal::not_found("label", id))?;
        if !label.state.may_be_voided() {
            let message = format!("the label is {} already", label.state.as_str());
            return Err(Refusal::new(Reason::StateConflict, message).detail("label_id", id));
        }
        let under: Vec<&Reservation> = self.under(id).map(|(_, row)| row).collect();
        if self.has_arrived(id) {
            return Err(arrived(id));
        }
        if label.voider.is_some()
            || self.reservations.values().any(|row| row.is_held() || row.claimed_by().is_some())
        {
            let message = "a change order holds units of the order";
            return Err(Refusal::new(Reason::CancelHold, message).detail("label_id", id));
        }
        if let Some(row) = under.iter().find(|row| !takes_back(warehouses, &row.warehouse_id)) {
            return Err(inactive(&row.warehouse_id).detail("label_id", id));
        }
        let label = self.labels.get_mut(id).expect("it was found above");
        label.voider = Some(voider);
        request(label, now);
        Ok(())
    }

    /// Takes the carrier's word. False if it was taken before.
    pub fn carrier_answered(&mut self, id: &LabelId, answer: &CarrierAnswer, now: Timestamp) -> bool {
        let Some(label) = self.labels.get_mut(id) else { return false };
        let open = match label.state {
            LabelState::VoidRequested | LabelState::Voided { credit: Credit::Requested } => true,
            LabelState::Purchased | LabelState::Voided { .. } | LabelState::VoidRefused { .. } => false,
        };
        if !open {
            return false;
        }
        match answer {
            CarrierAnswer::Voided { credit } => {
                label.state = LabelState::Voided { credit: *credit };
                label.void_ended_at.get_or_insert(now);
                label.due_at = 0;
                if *credit == Credit::Requested {
                    label.ask_again(now);
                }
            }
            CarrierAnswer::Refused(refusal) => {
                label.state = LabelState::VoidRefused { refusal: *refusal };
                label.void_ended_at = Some(now);
                label.due_at = 0;
            }
            CarrierAnswer::Later => label.ask_again(now),
        }
        true
    }

    /// Puts back what stood under voided labels: cancelled units go to stock, sold ones are open again, and claimed ones
    /// wait for their change order. `instead` takes the units of one label whose own warehouse is inactive.
    pub fn put_back(
        &mut self,
        warehouses: &Warehouses,
        instead: Option<(&LabelId, &WarehouseId)>,
    ) -> Vec<Movement> {
        let mut movements = Vec::new();
        for (label_id, row_id) in self.to_put_back(warehouses) {
            let row = &self.reservations[&row_id];
            let elsewhere = instead.filter(|(id, _)| **id == label_id).map(|(_, warehouse)| warehouse);
            match &row.state {
                State::Consumed { after: AfterShip::Cancelled, .. } => {
                    let place = elsewhere.unwrap_or(&row.warehouse_id).clone();
                    if !takes_back(warehouses, &place) {
                        continue;
                    }
                    let movement = self.movement(&row_id, goods::restock_label_void);
                    movements.push(Movement { warehouse_id: place, ..movement });
                    let row = self.row(&row_id);
                    let quantity = row.quantity;
                    row.packed.as_mut().expect("shipped units are packed").restocked += quantity;
                }
                State::Consumed { after: AfterShip::Sold, .. } => {
                    movements.push(self.movement(&row_id, goods::unship));
                    self.reopen(&row_id);
                }
                State::Consumed { after: AfterShip::Claimed { .. } | AfterShip::Returned { .. }, .. }
                | State::Active
                | State::Held { .. }
                | State::Released
                | State::Unpacked
                | State::ShippedAfterCancel { .. } => {}
            }
        }
        movements
    }

    /// A label is put on a parcel. What has left it without one travels under this.
    pub fn attach(&mut self, id: LabelId, label: Label) {
        for row in self.reservations.values_mut() {
            let here = row.is_packed_in(&label.fulfilment_id) && row.is_consumed();
            if let Some(line) = row.packed.as_mut()
                && here
                && line.label.is_none()
                && line.restocked == line.reshipped
            {
                line.label = Some(id.clone());
            }
        }
        self.labels.insert(id, label);
    }

    /// The label that a unit leaves under: the one of its fulfilment, and where there are several the one with the number
    /// that is named, else the newest. A voided label carries nothing any more.
    pub(super) fn label_of_parcel(&self, row: &ReservationId, tracking_number: &str) -> Option<LabelId> {
        let fulfilment = &self.reservations[row].packed.as_ref()?.fulfilment_id;
        let live = || {
            self.labels
                .iter()
                .filter(|(_, label)| label.fulfilment_id == *fulfilment && !label.state.is_voided())
        };
        let named = live().find(|(_, label)| label.tracking_number == tracking_number);
        named.or_else(|| live().next_back()).map(|(id, _)| id.clone())
    }

    /// Units of a voided label that no warehouse takes.
    pub fn restock_waiting(&self, id: &LabelId, warehouses: &Warehouses) -> i64 {
        let waiting = self
            .under(id)
            .filter(|(_, row)| self.comes_back_with(id, row) && row.waits_for_restock(warehouses));
        waiting.map(|(_, row)| row.quantity).sum()
    }

    /// The labels this saga wanted void, once nothing of them moves any more.
    pub fn voids_ended(&self, saga_id: &str, warehouses: &Warehouses) -> Option<Vec<(&LabelId, &Label)>> {
        let mine: Vec<_> = self.labels.iter().filter(|(_, label)| label.is_wanted_void_by(saga_id)).collect();
        let moves = |id: &LabelId, label: &Label| match label.state {
            LabelState::Purchased | LabelState::VoidRequested => true,
            LabelState::VoidRefused { .. } => false,
            LabelState::Voided { .. } => self
                .under(id)
                .filter(|(_, row)| self.comes_back_with(id, row))
                .any(|(_, row)| row.claimed_by().is_some() || row.waits_for_restock(warehouses)),
        };
        (!mine.iter().any(|(id, label)| moves(id, label))).then_some(mine)
    }

    fn to_put_back(&self, warehouses: &Warehouses) -> Vec<(LabelId, ReservationId)> {
        let voided = self.labels.iter().filter(|(_, label)| label.state.is_voided());
        let rows = voided.flat_map(|(label_id, _)| {
            let comes_back = |row: &Reservation| row.waits_for_restock(warehouses) || row.is_on_the_way();
            let under = self
                .under(label_id)
                .filter(move |(_, row)| comes_back(row) && self.comes_back_with(label_id, row));
            under.map(|(id, _)| (label_id.clone(), id.clone()))
        });
        rows.collect()
    }

    /// Shipped units that travel under a label and have not arrived.
    fn under<'a>(&'a self, label: &'a LabelId) -> impl Iterator<Item = (&'a ReservationId, &'a Reservation)> {
        self.carried_by(label)
            .filter(|(_, row)| matches!(row.state, State::Consumed { delivered: false, .. }))
    }

    fn carried_by<'a>(
        &'a self,
        label: &'a LabelId,
    ) -> impl Iterator<Item = (&'a ReservationId, &'a Reservation)> {
        let left_under =
            |row: &Reservation| row.packed.as_ref().is_some_and(|line| line.label.as_ref() == Some(label));
        self.reservations.iter().filter(move |(_, row)| row.is_consumed() && left_under(row))
    }

    fn has_arrived(&self, label: &LabelId) -> bool {
        let delivered = |row: &Reservation| matches!(row.state, State::Consumed { delivered: true, .. });
        self.carried_by(label).any(|(_, row)| delivered(row))
    }

    /// Whether the void of this label brings a unit back that left under it. Where its parcel has several labels and
    /// nobody repeated the number, nobody knows in which box it is: it comes back with the last of them.
    fn comes_back_with(&self, label: &LabelId, row: &Reservation) -> bool {
        let own = &self.labels[label];
        let all = || {
            let mut others = self.labels.values().filter(|other| other.fulfilment_id == own.fulfilment_id);
            others.all(|other| other.state.is_voided())
        };
        own.state.is_voided() && (row.tracking_number() == Some(&own.tracking_number) || all())
    }

    /// Shipped units are allocated again, and counted as submitted once more when they leave the next time.
    fn reopen(&mut self, id: &ReservationId) {
        let row = self.row(id);
        row.state = State::Active;
        let line = row.packed.as_mut().expect("shipped units are packed");
        (line.submitted, line.label) = (false, None);
        let (line_id, quantity): (LineId, i64) = (row.line_id.clone(), row.quantity);
        self.counters(&line_id).unshipped += quantity;
    }
}

impl Reservation {
    /// Cancelled after it was shipped, and not back in a warehouse of ours.
    fn waits_for_restock(&self, warehouses: &Warehouses) -> bool {
        let out = matches!(self.state, State::Consumed { after: AfterShip::Cancelled, delivered: false, .. });
        out && !self.without_stock
            && warehouses.keeps_stock(&self.warehouse_id)
            && self.packed.as_ref().is_some_and(|line| line.restocked == line.reshipped)
    }
}

fn request(label: &mut Label, now: Timestamp) {
    label.state = LabelState::VoidRequested;
    label.void_requested_at = Some(now);
    label.void_ended_at = None;
    label.due_at = now.unix_micros();
    label.tries = 0;
}

fn arrived(label: &LabelId) -> Refusal {
    Refusal::new(Reason::Delivered, "the parcel was delivered").detail("label_id", label)
}

/// A third party's shelves are no affair of ours.
pub(super) fn takes_back(warehouses: &Warehouses, id: &WarehouseId) -> bool {
    warehouses.get(id).is_some_and(|warehouse| match warehouse.kind {
        WarehouseKind::Own => warehouse.active,
        WarehouseKind::Dropship => true,
    })
}

pub fn inactive(id: &WarehouseId) -> Refusal {
    let message = format!("warehouse {id} is inactive and takes nothing back");
    Refusal::new(Reason::WarehouseInactive, message).detail("warehouse_id", id)
}
