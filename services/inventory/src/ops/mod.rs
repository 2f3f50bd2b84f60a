//! Use cases. Every write is a [`Command`] that goes through group commit: the books of all commands of a batch are
//! read with a few statements, each command is decided on them in turn, and they are written together.
//!
//! ```text
//!   api ─▶ Inventory::step | request ─▶ Writer ─▶ Desk::decide ─▶ Books::load · decide … · flush ─▶ commit ─▶ reply
//! ```

mod batch;
mod books;
mod command;
mod errand_ended;
mod errands;
mod events;
mod fulfilling;
mod integrations;
mod inventory;
mod labelling;
mod load;
mod partner_requests;
mod reads;
mod requests;
mod settling;
mod steps;
mod stock_keeping;
mod stored_reply;
mod told_changes;

pub use batch::Desk;
pub use command::{
    Action, Adjustment, Command, Errand, Packing, Reply, RequestCommand, Resource, Said, ShownFulfilment,
    ShownIntegration, ShownLabel, ShownStock, ShownTask, Step, StepAnswer, StepCommand,
};
pub use errands::{Patience, Worker};
pub use inventory::Inventory;
pub use labelling::Bought;
pub use reads::LedgerLine;
