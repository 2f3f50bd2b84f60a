//! The use cases, in floors: a file imports its own floor and those below it (`tests/suite/tidy` holds it).
//!
//! ```text
//!   calls      what `api` calls: puts use cases, reads, waits; clocks ─┐
//!   commit     load · batch · owner: the one group commit  ◀─ Runner   │ Command
//!   use_cases  what each reads, decides and answers  ◀─────────────────┘
//!   decide     rounds of sagas, events and queues; who sees what
//!   books      the overlay: rows read, changed in memory, flushed
//!   command    who asks, what arrives, as values
//!   plans      what each saga is given to do
//! ```
//!
//! Orders, changes, returns and what people keep beside them are written by the group commit alone. It holds no rule of
//! its own: `domain` decides, `store` reads and writes, and the steps of sagas live in `sagas`.

pub mod books;
mod calls;
mod command;
mod commit;
mod decide;
pub mod plans;
pub mod use_cases;

pub use books::Books;
pub use calls::asking::{actor, bearer};
pub use calls::guesses;
pub use calls::orders::{Connected, Orders, Parts};
pub use calls::policy_simulation::{PolicySimulated, PolicySimulation};
pub(crate) use calls::queue::LOOK as LOOK_AT_QUEUES;
pub(crate) use calls::reads::cut;
pub use calls::wait::Wait;
pub use command::{Receiver, position};
pub use commit::event_log::{EventFilter, EventReader, Found, Start, number_claimed};
pub use commit::hints::{Hint, Seen, Watch};
pub use commit::owner::SagaOwner;
