//! The use cases, and the worker that carries the gateway's part of them out.
//!
//! ```text
//!   api ─▶ Command ─▶ Writer ─▶ PaymentBatch::decide ─▶ commit ─▶ tasks ─▶ Worker ─▶ gateway
//!                        ▲                                                   │
//!                        └───────────── Command::Answered ◀──────────────────┘
//! ```
//!
//! No gateway is ever called inside a transaction, and none is called for what is not committed.

mod adoptions;
mod answers;
pub mod batch;
pub mod books;
pub mod cashier;
pub mod command;
pub mod intake;
mod mending;
pub mod observer;
pub mod reads;
mod requests;
pub mod resend;
mod shares;
pub mod sharing;
mod steps;
pub mod waiters;
pub mod worker;
