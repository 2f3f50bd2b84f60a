//! Warehouses.

use std::collections::BTreeMap;

use types::{Reason, Refusal};

use super::integration::IntegrationKey;
use super::names::WarehouseId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarehouseKind {
    /// Our own shelves: every unit is counted.
    Own,
    /// A third party holds the goods. There are no stock rows; how much it has is not known here.
    Dropship,
}

impl WarehouseKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Dropship => "dropship",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Own, Self::Dropship].into_iter().find(|kind| kind.as_str() == name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warehouse {
    pub kind: WarehouseKind,
    /// Lower numbers are tried first.
    pub priority: i64,
    /// An inactive warehouse takes no new reservations; what it holds already still leaves it.
    pub active: bool,
    /// The integration of the third party. None for warehouses of our own, and where nobody has configured one.
    pub integration: Option<IntegrationKey>,
}

/// All warehouses of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Warehouses(BTreeMap<WarehouseId, Warehouse>);

impl Warehouses {
    pub fn get(&self, id: &WarehouseId) -> Option<&Warehouse> {
        self.0.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&WarehouseId, &Warehouse)> {
        self.0.iter()
    }

    /// The warehouse a request names.
    pub fn named(&self, id: &WarehouseId) -> Result<&Warehouse, Refusal> {
        self.get(id).ok_or_else(|| Refusal::not_found("warehouse", id))
    }

    /// The warehouse whose shelves a request names.
    pub fn with_shelves(&self, id: &WarehouseId) -> Result<&Warehouse, Refusal> {
        let warehouse = self.named(id)?;
        match warehouse.kind {
            WarehouseKind::Own => Ok(warehouse),
            WarehouseKind::Dropship => Err(Refusal::new(
                Reason::StateConflict,
                format!("warehouse {id} is a third party's: its stock is not kept here"),
            )
            .detail("warehouse_id", id)),
        }
    }

    /// Adds or changes a warehouse. Its kind never changes: units in our own warehouse do not become a third party's by a setting.
    pub fn put(&mut self, id: WarehouseId, warehouse: Warehouse) -> Result<(), Refusal> {
        if let Some(existing) = self.0.get(&id)
            && existing.kind != warehouse.kind
        {
            let message = format!("warehouse {id} is of kind {} for good", existing.kind.as_str());
            return Err(Refusal::new(Reason::StateConflict, message).detail("warehouse_id", &id));
        }
        self.0.insert(id, warehouse);
        Ok(())
    }

    /// Takes a warehouse as it was stored.
    pub fn load(&mut self, id: WarehouseId, warehouse: Warehouse) {
        self.0.insert(id, warehouse);
    }

    /// Whether the stock of this warehouse is kept here.
    pub fn keeps_stock(&self, id: &WarehouseId) -> bool {
        self.get(id).is_some_and(|warehouse| warehouse.kind == WarehouseKind::Own)
    }

    /// The warehouses that can be chosen for a line that names none, in the order in which they are tried. A third party is never among them: its stock
    /// counts as unlimited, so it would take every line.
    pub fn by_priority(&self) -> Vec<(&WarehouseId, &Warehouse)> {
        let ours = |warehouse: &Warehouse| warehouse.active && warehouse.kind == WarehouseKind::Own;
        let mut active: Vec<_> = self.0.iter().filter(|(_, warehouse)| ours(warehouse)).collect();
        active.sort_by_key(|(id, warehouse)| (warehouse.priority, *id));
        active
    }
}
