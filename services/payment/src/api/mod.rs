//! The wire: requests parsed, use cases called, replies rendered. One file per RPC family.

mod audit;
mod convert;
mod forecast;
mod payments;
mod refunds;
mod step;
mod steps;

pub use audit::AuditApi;
pub use payments::PaymentApi;
pub use refunds::RefundApi;
pub use steps::StepsApi;
