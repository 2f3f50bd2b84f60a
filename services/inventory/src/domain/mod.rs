//! The rules of stock and goods, as values: nothing here reads a clock, a database or the wire.
//!
//! [`Goods`] is everything one order has in our warehouses. Each verb (reserve, hold, ship …) either
//! refuses and changes nothing, or changes the goods and says which [`Movement`]s the stock makes
//! with it. [`Stock`] takes those movements and answers with the ledger entry.

mod deliver;
mod fulfil;
mod fulfilment;
mod goods;
mod hold;
mod names;
mod refusals;
mod reservation;
mod reserve;
mod selection;
mod ship;
mod stock;
mod warehouse;

#[cfg(test)]
mod tests;

pub use fulfilment::{Fulfilment, FulfilmentState};
pub use goods::{Counters, Goods, Line, Moment, Movement};
pub use hold::{HoldLine, Split, Splits};
pub use names::{NameError, Sku, WarehouseId};
pub use reservation::{FulfilmentLine, LineState, Reservation, State};
pub use reserve::Wanted;
pub use selection::Selection;
pub use stock::{Entry, Kind, Posting, PostingError, Stock};
pub use warehouse::{Warehouse, WarehouseKind, Warehouses};
