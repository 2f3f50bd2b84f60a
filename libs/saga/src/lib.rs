//! Defines durable sagas, runs them, and proves what they promise.
//!
//! A saga is one change that several services make together. Its definition is a table of steps:
//!
//! ```text
//!   reversible ── reversible ── [gate] ── pivot ── forward ── forward ── finish
//!       │undo         │undo                 │
//!       ◀─────────────◀──── unwound         └ decided: from here only forward
//! ```
//!
//! * A **step** is one call to a participant, asked again with the same key until it is answered.
//! * An **undo** takes one step back. Before the pivot every step has one; it covers the step whose
//!   outcome is in doubt too.
//! * The **pivot** is the owner's own commit, so the decision itself is never in doubt.
//! * A **gate** is a last remote step before the pivot that cannot be undone: it may refuse, but while
//!   its answer is unknown the saga turns neither way.
//! * The **log** is the truth: what happened, append-only. The saga's row is a cache of it and a schedule.
//! * A **lease** says which worker runs a saga, for a while; its **epoch** is the **fence** that every
//!   commit and every participant checks, so that a worker which lost the lease changes nothing.
//! * **Attention** lies over a saga's state: somebody should look, the saga goes on where it can.
//!
//! [`progress::next`] reads the log and says what is next, [`Registry::apply`] writes down what a worker
//! heard, inside the owner's own commit, and [`Runner`] claims, calls and commits.
//!
//! What an owner does, once:
//!
//! 1. List [`MIGRATION`] among its own, and give its books a [`SagaBooks`] beside its own tables (trait
//!    [`Books`]). Local steps then write what they like into those books.
//! 2. In its group commit: make [`Registry::books`], `load` the sagas the commands name, call
//!    [`SagaBooks::start`] to accept one, [`Registry::apply`] for a worker's round, `request_unwind`,
//!    `retry`, `wake` or [`Registry::resolve`] for people and signals, then `flush` with the rest. What
//!    `apply` gives back says which log entries are new and whether attention was opened or cleared.
//! 3. After the commit: [`Doorbell::hand_over`] what was started with our lease, [`Doorbell::wake`] for
//!    what became due.
//! 4. Be an [`Owner`], whose `commit` submits the round to that group commit, and start a [`Runner`].
//! 5. Prove each definition: [`proofs::all`] on its shape.
//!
//! `tests/runner/owner.rs` is such an owner in full.
//!
//! This library never holds what the sagas are about: it knows participants, steps and subjects, and
//! no business word.

mod advance;
mod books;
mod definition;
mod log;
pub mod progress;
pub mod proofs;
mod registry;
mod row;
mod runner;
mod shape;
mod store;

pub use advance::{Advance, Advanced, AttentionChange, Event, StepAnswer};
pub use books::{Books, LeaseLost, NewSaga, SagaBooks, SagaImage, Wake};
pub use definition::{Answer, Call, Completion, Definition, LocalError, Undo, alone, completes, undo};
pub use log::{Entry, Log, Outcome};
pub use registry::{Limits, Registry};
pub use row::{Action, Cause, CauseKind, Lease, SagaKey, SagaRow, State};
pub use runner::{CommitError, Doorbell, Owner, Runner, RunnerConfig};
pub use shape::{FINISH, Forward, Gate, Retry, Reversible, Shape, StepName, UNWIND, UNWOUND, Version};
pub use store::{MIGRATION, free_former, of_instance, query};
