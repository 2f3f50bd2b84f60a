//! Events in, messages out: who is told what of an order, once per event, and a record of all of it.
//!
//! ```text
//!   order's outbox ──▶ api::intake ──▶ ops::batch ──▶ domain::messages      one commit: the event is taken,
//!                                          │              (a pure table)    its messages stand
//!                                          ▼
//!                                      store ◀── ops::courier ──▶ ports::log          log lines
//!                                        ▲
//!                                        └─────── ops::dispatch ──▶ ports::Carrier      mail, webhooks
//! ```
//!
//! A message says only what its event's sender had committed: the event comes out of an outbox, and the message is
//! written in the commit that takes the event in. It never holds an order, a change or a refund of its own. It calls no
//! other service but to tell the order service, through its outbox, what a person has to look at.

pub mod api;
pub mod app;
pub mod config;
pub mod domain;
pub mod ops;
pub mod ports;
pub mod store;
