//! The contract of storage: the same claims hold on SQLite and, when `COUNTERMAND_TEST_POSTGRES` names a server, on
//! PostgreSQL.

mod errors;
mod group_commit;
mod inbox;
mod ledger;
mod ledger_model;
mod lost_commit;
mod migrations;
mod open;
mod relay;
mod requests;
mod rows;
mod sealing;
mod transactions;
mod world;
