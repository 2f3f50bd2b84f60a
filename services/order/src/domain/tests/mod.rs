//! The rules, held against tables and against ten thousand invented orders.

mod advice;
mod changing;
mod goods;
mod money;
mod placing;
mod quote;
mod states;
mod verifying;
mod world;
