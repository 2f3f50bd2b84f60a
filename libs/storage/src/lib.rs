//! The one door to a database. One SQL text serves SQLite and PostgreSQL; a service sees statements, transactions and
//! errors, never a driver.
//!
//! ```text
//!   Writer ── one transaction for many commands ──▶ Tx ──▶ Statement ──▶ SQLite | PostgreSQL
//!     │ Batch::decide                                ▲
//!     └─ reads into, decides on, and flushes ── Table · StepLedger · RequestKeys · Inbox · outbox
//!                                                                                        └─▶ Relay
//! ```
//!
//! It never holds a business table, nor a rule of any service. The dialect is written down in
//! `docs/portable-sql.md`.

mod book;
mod columns;
mod database;
mod error;
mod inbox;
mod ledger;
mod migrate;
pub mod outbox;
mod overlay;
mod private;
mod record;
pub mod relay;
mod requests;
pub mod role_map;
mod row;
mod row_set;
mod sealing;
mod settings;
mod statement;
mod statement_log;
mod step;
mod table;
pub mod testing;
mod tx;
mod value;
pub mod writer;

pub use book::{Book, BookPage, Cell, Column, Holds};
pub use database::{Database, Engine};
pub use error::DbError;
pub use inbox::{Inbox, Intake};
pub use ledger::{Admission, LedgerRow, StepLedger};
pub use migrate::{INBOX, Migration, OUTBOX, REQUESTS, ROLE_MAP, SEALING_KEY, STEP_LEDGER};
pub use outbox::{Envelope, NewEvent};
pub use overlay::Overlay;
pub use record::Record;
pub use relay::{Courier, Delivery, OnClaim, Relay};
pub use requests::{Accepted, Request, RequestKey, RequestKeys};
pub use row::Row;
pub use settings::{DatabaseConfig, Synchronous};
pub use statement::Statement;
pub use step::{Direction, Outcome, StepCall, StepContext};
pub use table::Table;
pub use tx::Tx;
pub use value::{Rows, Value};
pub use writer::{Batch, WriteError, Writer};
