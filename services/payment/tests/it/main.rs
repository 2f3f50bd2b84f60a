//! The payment service on real databases: steps and their ledger, the gateway's tokens, crashes, and
//! the wire. SQLite always; PostgreSQL too when `COUNTERMAND_TEST_POSTGRES` names a server.

mod crashes;
mod gateway;
mod schema;
mod service;
mod steps;
mod wire;
