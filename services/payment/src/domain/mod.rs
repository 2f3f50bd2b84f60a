//! The money of one order: pure rules over one value, [`Account`].
//!
//! ```text
//!   step or request ──▶ Account ──▶ rows changed, movements, events, tasks for the gateway
//!   gateway's answer ──▶ Account ──▶ the same, and the steps that have ended by it
//! ```
//!
//! It never holds input or output, SQL, a wire message, or the time: what a decision may know of the
//! world comes in as a [`Moment`].

pub mod account;
mod adopting;
pub mod capture;
mod capturing;
pub mod credit;
pub mod dispute;
pub mod event;
pub mod explain;
pub mod gateway;
mod mending;
pub mod moment;
pub mod movement;
mod moving_on;
pub mod observed;
pub mod origin;
mod outcome;
pub mod owing;
mod paying_out;
pub mod payment;
mod placing;
pub mod position;
mod quoted;
mod recorded;
pub mod refund;
mod refunding;
mod reopening;
pub mod reply;
pub mod shared;
pub mod split;
mod tasks;
mod trouble;

pub use account::{Account, Hold, HoldState};
pub use adopting::Read;
pub use capture::Capture;
pub use capturing::CaptureAsked;
pub use credit::CreditEntry;
pub use dispute::Dispute;
pub use event::Event;
pub use explain::{Explanation, Parts};
pub use moment::{Moment, Schedule, Timing};
pub use movement::Movement;
pub use observed::Observed;
pub use origin::Origin;
pub use owing::{LeftOwed, Told};
pub use paying_out::{PayOut, Way};
pub use payment::Payment;
pub use placing::{ExternalPayment, Opening, Tender};
pub use position::Position;
pub use quoted::Quoted;
pub use recorded::Recorded;
pub use refund::Refund;
pub use refunding::{Reservation, Terms};
pub use reply::{Ended, Ending, Leg, Reply, StepOutcome};

#[cfg(test)]
mod tests;
