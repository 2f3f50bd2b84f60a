//! The use cases: taking events in, and delivering what the inbox channel does not deliver by itself.

pub mod addressing;
mod alarms;
pub mod batch;
pub mod courier;
pub mod desk;
pub mod digest;
pub mod dispatch;
pub mod told;
pub mod webhook_courier;
pub mod webhooks;

pub use batch::{Arrival, Intake, Noted, Run, Taken};
pub use courier::{Courier, Handing, Turn};
pub use desk::Desk;
pub use digest::Digest;
pub use dispatch::Dispatch;
pub use told::Notifications;
pub use webhook_courier::WebhookCourier;
pub use webhooks::Webhooks;
