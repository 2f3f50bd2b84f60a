//! The protobuf form of the domain's values, for answers (`api`) and for events (`ops`).
//!
//! One direction only: what comes in is parsed in `api`, where a mistake has a field path. It never
//! holds a decision, a default of a request, or anything asynchronous.

mod change;
mod event;
pub mod movement;
mod order;
mod organising;
pub mod outside;
mod policy;
mod returns;
mod shared;
mod timeline;

pub use self::change::{
    change_order, granted_by, label_action, parts, priced_line, settlement, skipped, tender_strategy,
};
pub use self::event::{EVENT_TYPES, cloud_event, event};
pub use self::order::{address, order, summary};
pub use self::organising::{note, order_folder};
pub use self::policy::{cancel_reason, policy, tenant_capabilities};
pub use self::returns::order_return;
pub use self::shared::{attention, timestamp};
pub use self::timeline::{timeline_entry, visibility};
