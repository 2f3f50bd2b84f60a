//! The service against real databases and over the wire.

mod addressing;
mod alarms;
mod config;
mod courier;
mod dispatch;
mod events;
mod intake;
mod mail;
mod mail_tls;
mod outside;
mod rebinding;
mod receiver;
mod schema;
mod webhooks;
mod wire;
