//! The wire: requests parsed, use cases called, replies rendered. One file per RPC family.

mod audit;
mod convert;
mod events;
mod intake;
mod notifications;

pub use audit::AuditApi;
pub use intake::IntakeApi;
pub use notifications::NotificationApi;
