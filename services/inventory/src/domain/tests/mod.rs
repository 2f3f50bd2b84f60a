//! The rules as tables, and what no order of events may break.

mod forecasting;
mod holding;
mod properties;
mod restoring;
mod returning;
mod tables;
mod truths;
mod world;
