//! The protobuf form of the domain's values, for answers (`api`) and for events (`ops`).
//!
//! One direction only: what comes in is parsed in `api`, where a mistake has a field path. It never
//! holds a decision, a default of a request, or anything asynchronous.

mod change;
mod event;
mod order;
mod shared;
mod timeline;

pub use self::change::{change_order, parts, priced_line};
pub use self::event::event;
pub use self::order::{order, summary};
pub use self::shared::{attention, timestamp};
pub use self::timeline::timeline_entry;
