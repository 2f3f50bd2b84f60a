//! The rules as tables, and what no order of events may break.

mod properties;
mod restoring;
mod tables;
mod world;
