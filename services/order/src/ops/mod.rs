//! The use cases. Everything that writes goes through one group commit (`batch`) on one overlay (`books`); everything
//! else reads one snapshot.
//!
//! ```text
//!   Orders ── Wish ──┐                 accept · steer · remedies          what callers ask for
//!   Runner ─ Advance ┼▶ batch ─▶ load ─▶ books ◀─ carry                   a saga moves on
//!   peers ── events ─┘             └──────▶ flush ◀─ arrivals · attention  what participants tell
//!                                              └▶ committed: runner, relay, hints ─▶ wait
//! ```
//!
//! It holds no rule of its own: `domain` decides, `store` reads and writes, and the steps of sagas live in `sagas`.

mod accept;
pub mod amend_plans;
mod arrivals;
mod attention;
mod batch;
pub mod books;
mod bulk;
mod carry;
mod decisions;
mod desk;
mod event_log;
mod findings;
pub mod guesses;
mod hints;
mod load;
mod money_plans;
mod orders;
mod outside;
pub mod owed;
mod owner;
pub mod plans;
mod policies;
mod policy_simulation;
mod propagation;
pub mod publication;
mod queue;
mod reads;
mod remedies;
mod returns;
mod rule_event;
mod rule_simulation;
mod rule_worker;
mod stats;
mod steer;
mod stock_plans;
mod tables;
mod views;
mod visible;
mod wait;

pub use books::Books;
pub use bulk::{BatchWatch, NewBatch};
pub use event_log::{EventFilter, EventReader, Found, Start, number_claimed};
pub use hints::{Hint, Seen, Watch};
pub use orders::{Orders, Parts, actor};
pub use owner::SagaOwner;
pub use policy_simulation::{PolicySimulated, PolicySimulation};
pub use remedies::Approval;
pub use returns::Step as ReturnStep;
pub use rule_simulation::{Simulated, Simulation, SimulationReport};
pub use wait::Wait;
