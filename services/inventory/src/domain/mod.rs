//! The rules of stock and goods, as values: nothing here reads a clock, a database or the wire.
//!
//! [`Goods`] is everything one order has in our warehouses. Each verb (reserve, hold, ship …) either
//! refuses and changes nothing, or changes the goods and says which [`Movement`]s the stock makes
//! with it. [`Stock`] takes those movements and answers with the ledger entry.

mod cart;
mod deliver;
mod fulfil;
mod fulfilment;
mod goods;
mod hold;
mod integration;
mod label;
mod names;
mod partner;
mod refusals;
mod reservation;
mod reserve;
mod returning;
mod selection;
mod ship;
mod shipped_after_cancel;
mod stock;
mod stopping;
mod unpacking;
mod voiding;
mod warehouse;

#[cfg(test)]
mod tests;

pub use cart::{CartNotice, Teller, Untold};
pub use fulfil::Handover;
pub use fulfilment::{Fulfilment, FulfilmentState, Partner};
pub use goods::{Counters, Goods, Line, Moment, Movement};
pub use hold::{Hold, HoldLine, Reach, Split, Splits};
pub use integration::{
    Confirmation, Connector, Integration, IntegrationKey, IntegrationKind, Integrations, Method,
    MethodProfile,
};
pub use label::{CarrierAnswer, Credit, Label, LabelState, VoidRefusal, Voider};
pub use names::{Sku, WarehouseId};
pub use partner::{Ask, PartnerAnswer, PartnerTask, TaskState, Unconfirmed, Word};
pub use reservation::{AfterShip, FulfilmentLine, LineState, Reservation, State};
pub use reserve::{Found, Reservable, Reshipped, Wanted, forecast};
pub use returning::ReturnedLine;
pub use selection::Selection;
pub use shipped_after_cancel::{Reported, ReportedFrom};
pub use stock::{Entry, Kind, Posting, PostingError, Stock};
pub use stopping::Stopped;
pub use unpacking::Elsewhere;
pub use voiding::inactive;
pub use warehouse::{Warehouse, WarehouseKind, Warehouses};
