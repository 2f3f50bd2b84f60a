//! The rules, held against tables and against ten thousand invented orders.

mod advice;
mod agreeing;
mod changing;
mod conditions;
mod contact;
mod goods;
mod money;
mod placing;
mod policy;
mod quote;
mod readers;
mod remedies;
mod returning;
mod states;
mod tax;
mod terms;
mod verifying;
mod world;
