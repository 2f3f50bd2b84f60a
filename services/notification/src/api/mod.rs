//! The wire: requests parsed, use cases called, replies rendered. One file per RPC family.

mod asking;
mod convert;
mod deliveries;
mod events;
mod intake;
mod notifications;
mod recipients;
mod webhook_rendering;
mod webhooks;

pub use deliveries::DeliveryApi;
pub use intake::IntakeApi;
pub use notifications::NotificationApi;
pub use recipients::RecipientApi;
pub use webhooks::WebhookApi;
