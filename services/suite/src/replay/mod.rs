//! `countermand replay FILE`: real order data, end to end.
//!
//! ```text
//! file ──▶ plan ──▶ run (public RPCs) ──▶ summary (public lists) ──▶ verify
//! ```

pub mod file;
pub mod plan;
pub mod run;
pub mod summary;
