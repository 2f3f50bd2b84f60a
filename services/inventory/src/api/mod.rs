//! The wire: requests parsed, use cases called, replies rendered. One file per service or family of its RPCs.

mod convert;
mod fulfillment;
mod goods_steps;
mod integration_profile;
mod integrations;
mod labels;
mod mutation;
mod propagation;
mod render;
mod step_command;
mod stock;
mod stock_requests;

pub use fulfillment::FulfillmentApi;
pub use goods_steps::GoodsStepsApi;
pub use integrations::IntegrationApi;
pub use labels::LabelApi;
pub use propagation::PropagationApi;
pub use stock::StockApi;
