//! The wire: requests parsed, use cases called, replies rendered. One file per RPC family.

mod audit;
mod convert;
mod forecast;
mod gateway_events;
mod payments;
mod position;
mod refunds;
mod sandbox;
mod shared;
mod step;
mod steps;
mod terms;
pub mod webhooks;

pub use audit::AuditApi;
pub use payments::PaymentApi;
pub use refunds::RefundApi;
pub use sandbox::SandboxApi;
pub use steps::StepsApi;
