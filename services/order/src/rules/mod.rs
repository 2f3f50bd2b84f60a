//! What a tenant wants done by itself when something happens to an order: a wing beside the orders. It follows their events
//! and acts through the same calls as a person.
//!
//! ```text
//!   api ─▶ ask ─▶ store ◀─ worker ◀─ the trunk's events
//!                            └──────▶ the trunk: cancel, move, tell, note
//! ```

mod api;
mod ask;
pub mod domain;
mod event;
mod simulation;
pub mod store;
mod worker;

pub use api::routes;
pub use ask::Rules;
pub use simulation::{Simulated, Simulation, SimulationReport};
