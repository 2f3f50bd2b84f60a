//! The rules of orders and of changing them, as pure values and functions.
//!
//! ```text
//!  NewOrder ──placing──▶ Order ◀──lifecycle──▶ ChangeOrder ──history──▶ entries and facts to record
//!                          │  ▲                     ▲
//!             cancelability│  │goods (inventory's   │pricing ◀── ChangeRequest ──▶ quote
//!                          ▼  │ counters)           │
//!                        advice                   verify (the equations, over again)
//! ```
//!
//! It never holds input or output, async code, SQL or transport. Time, ids and keys are handed in.
//! What happens is decided here on values; the callers load them, and store what came out.

pub mod added_line;
pub mod address;
pub mod attention;
pub mod bundling;
pub mod cancelability;
pub mod change;
mod change_state;
pub mod condition;
pub mod conversation;
pub mod decided;
pub mod findings;
pub mod folders;
pub mod goods;
pub mod history;
pub mod lifecycle;
pub mod line_state;
pub mod listing;
pub mod order;
pub mod outside;
pub mod placing;
pub mod policy;
pub mod position;
pub mod price_base;
pub mod pricing;
pub mod propagation;
pub mod quantities;
pub mod quote;
pub mod readers;
pub mod reason;
pub mod reissue;
pub mod returns;
pub mod selection;
pub mod sides;
pub mod simulation;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod unattended;
pub mod verify;
pub mod workflow;
