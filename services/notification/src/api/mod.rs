//! The wire: requests parsed, use cases called, replies rendered. One file per RPC family.

mod convert;
mod events;
mod intake;
mod notifications;

pub use intake::IntakeApi;
pub use notifications::NotificationApi;
