//! Use cases. Every write is a [`Command`] that goes through group commit: the books of all commands of a batch are
//! read with a few statements, each command is decided on them in turn, and they are written together.
//!
//! ```text
//!   api ─▶ Inventory::step | request ─▶ Writer ─▶ Desk::decide ─▶ Books::load · decide … · flush ─▶ commit ─▶ reply
//! ```

mod batch;
mod books;
mod command;
mod events;
mod fulfilling;
mod inventory;
mod load;
mod reads;
mod steps;
mod stock_keeping;
mod stored_reply;

pub use batch::Desk;
pub use command::{
    Action, Adjustment, Command, Reply, RequestCommand, Resource, ShownFulfilment, ShownStock, Step,
    StepAnswer, StepCommand,
};
pub use inventory::Inventory;
