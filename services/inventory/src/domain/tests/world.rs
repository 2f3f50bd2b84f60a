//! A warehouse world without a database: one order's goods and the shelves they come from.

use std::collections::BTreeMap;

use types::{Clock, FulfilmentId, Ids, LineId, OrderId, Quantity, Refusal, Timestamp};

use crate::domain::{
    Goods, Hold, HoldLine, IntegrationKey, Moment, Movement, Posting, Reach, Reservable, Reservation,
    Reshipped, Selection, Sku, Splits, Stock, Wanted, Warehouse, WarehouseId, WarehouseKind, Warehouses,
};

pub struct World {
    pub ids: Ids,
    pub warehouses: Warehouses,
    pub stock: BTreeMap<(WarehouseId, Sku), Stock>,
    /// Sums of all ledger deltas, by stock row.
    pub ledger: BTreeMap<(WarehouseId, Sku), (i64, i64)>,
    pub goods: Goods,
    /// What the profiles of all partners say.
    pub numbers_are_taken_again: bool,
}

pub fn warehouse(name: &str) -> WarehouseId {
    WarehouseId::parse(name).unwrap()
}

pub fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

pub fn quantity(units: i64) -> Quantity {
    Quantity::parse(units).unwrap()
}

impl World {
    /// Own warehouses `main` (asked first) and `spare`, and the third party `partner`, which is asked by name only.
    pub fn new() -> Self {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let ids = Ids::seeded(clock, 7);
        let mut warehouses = Warehouses::default();
        let own = WarehouseKind::Own;
        warehouses
            .load(warehouse("main"), Warehouse { kind: own, priority: 1, active: true, integration: None });
        warehouses
            .load(warehouse("spare"), Warehouse { kind: own, priority: 2, active: true, integration: None });
        warehouses.load(
            warehouse("closed"),
            Warehouse { kind: own, priority: 0, active: false, integration: None },
        );
        let goods = Goods::new(ids.mint::<OrderId>(), Timestamp::UNIX_EPOCH);
        Self {
            ids,
            warehouses,
            stock: BTreeMap::new(),
            ledger: BTreeMap::new(),
            goods,
            numbers_are_taken_again: false,
        }
    }

    pub fn with_partner(mut self) -> Self {
        let partner =
            Warehouse { kind: WarehouseKind::Dropship, priority: 9, active: true, integration: None };
        self.warehouses.load(warehouse("partner"), partner);
        self
    }

    pub fn stocked(mut self, at: &str, name: &str, units: i64) -> Self {
        self.post(&warehouse(at), &sku(name), Posting::Adjust { delta: units });
        self
    }

    pub fn line(&self) -> LineId {
        self.ids.mint()
    }

    pub fn wanted(&self, name: &str, units: i64, at: Option<&str>) -> Wanted {
        Wanted {
            line_id: self.line(),
            sku: sku(name),
            quantity: quantity(units),
            warehouse_id: at.map(warehouse),
            without_stock: false,
            part_of: None,
        }
    }

    pub fn reserve(&mut self, wanted: &[Wanted], saga: &str) -> Result<(), Refusal> {
        self.restore(wanted, &[], saga)
    }

    /// As [`World::reserve`], of an order that had units cancelled after they were shipped.
    pub fn restore(&mut self, wanted: &[Wanted], reshipped: &[Reshipped], saga: &str) -> Result<(), Refusal> {
        let reservable = Reservable { lines: wanted.to_vec(), reshipped: reshipped.to_vec() };
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        let stock = &self.stock;
        let free =
            |at: &WarehouseId, name: &Sku| stock.get(&(at.clone(), name.clone())).map_or(0, Stock::available);
        let again = |_: &IntegrationKey| self.numbers_are_taken_again;
        let mut goods = self.goods.clone();
        let movements = goods.reserve(&reservable, saga, &self.warehouses, free, again, moment)?;
        self.goods = goods;
        self.apply(movements);
        Ok(())
    }

    pub fn unreserve(&mut self, saga: &str) -> Splits {
        let (splits, movements) = self.goods.unreserve(saga);
        self.apply(movements);
        splits
    }

    pub fn hold(&mut self, line: &LineId, units: i64, saga: &str) -> Result<Splits, Refusal> {
        self.hold_within(line, units, Reach::Here, false, saga)
    }

    pub fn hold_within(
        &mut self,
        line: &LineId,
        units: i64,
        reach: Reach,
        take_what_is_left: bool,
        saga: &str,
    ) -> Result<Splits, Refusal> {
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        let lines = vec![HoldLine { line_id: line.clone(), quantity: quantity(units) }];
        self.goods.hold(
            &Hold { lines, void_label: false, reach, take_what_is_left, only_here: false },
            saga,
            moment,
        )
    }

    pub fn resume(&mut self, saga: &str) -> Splits {
        let (splits, movements) = self.goods.resume(saga);
        self.apply(movements);
        splits
    }

    pub fn release(&mut self, saga: &str) -> Splits {
        let (splits, movements) = self.goods.release(saga);
        self.apply(movements);
        splits
    }

    pub fn allocate(&mut self, at: &str, selection: &[Selection]) -> Result<FulfilmentId, Refusal> {
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        let packed = self.goods.allocate(&warehouse(at), selection, &|_| true, None, moment)?;
        Ok(packed.0)
    }

    pub fn submit(&mut self, fulfilment: &FulfilmentId) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        self.goods.submit(fulfilment, None, moment).map(drop)
    }

    pub fn ship(&mut self, fulfilment: &FulfilmentId, selection: &[Selection]) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        let movements = self.goods.ship(fulfilment, selection, "1Z999", moment)?;
        self.apply(movements);
        Ok(())
    }

    pub fn deliver(&mut self, fulfilment: &FulfilmentId, selection: &[Selection]) -> Result<(), Refusal> {
        let moment = Moment { ids: &self.ids, at: Timestamp::UNIX_EPOCH };
        self.goods.deliver(fulfilment, selection, moment)
    }

    /// On hand and reserved.
    pub fn balances(&self, at: &str, name: &str) -> (i64, i64) {
        let stock = &self.stock[&(warehouse(at), sku(name))];
        (stock.on_hand, stock.reserved)
    }

    pub fn units(&self, pick: impl Fn(&Reservation) -> bool) -> i64 {
        self.goods.reservations.values().filter(|row| pick(row)).map(|row| row.quantity).sum()
    }

    pub fn apply(&mut self, movements: Vec<Movement>) {
        for movement in movements {
            if self.goods.moves_stock(&movement, &self.warehouses) {
                self.post(&movement.warehouse_id, &movement.sku, movement.posting);
            }
        }
    }

    fn post(&mut self, at: &WarehouseId, name: &Sku, posting: Posting) {
        let key = (at.clone(), name.clone());
        let entry = self.stock.entry(key.clone()).or_default().post(posting).unwrap();
        let sums = self.ledger.entry(key).or_default();
        sums.0 += entry.on_hand_delta;
        sums.1 += entry.reserved_delta;
    }

    /// Every equation of the books.
    pub fn check(&self) {
        assert_eq!(self.goods.imbalance(), None);
        for (key, stock) in &self.stock {
            assert!(0 <= stock.reserved && stock.reserved <= stock.on_hand, "{key:?}: {stock:?}");
            assert_eq!(self.ledger[key], (stock.on_hand, stock.reserved), "{key:?}");
            let promised = self.units(|row| {
                row.is_reserved() && !row.without_stock && row.warehouse_id == key.0 && row.sku == key.1
            });
            assert_eq!(stock.reserved, promised, "{key:?}");
        }
    }
}
