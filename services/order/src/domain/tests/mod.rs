//! The rules, held against tables and against ten thousand invented orders.

mod advice;
mod changing;
mod goods;
mod money;
mod placing;
mod policy;
mod quote;
mod states;
mod terms;
mod verifying;
mod world;
