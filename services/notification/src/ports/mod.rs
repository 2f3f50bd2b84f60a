//! The only room that reaches outside: the log channel.

pub mod log;
