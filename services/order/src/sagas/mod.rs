//! The sagas of this service: tables that say in which order things happen, and what takes each back.
//!
//! A step function asks a port and answers; a local step writes the books of the group commit. What a step says was
//! written down when the saga was accepted (`ops::plans`), so asking again says the same.

mod adjust;
mod amend;
mod cancel;
mod cancel_eligible;
mod pay;
mod place;
mod readdress;
mod refund_only;
mod restore;
mod short_ship;
mod take_back;

use std::sync::Arc;

use prost::Message;
use saga::{Call, Limits, LocalError, Registry, SagaRow};

use crate::ops::Books;
use crate::ops::books::defect;
use crate::ports::Ports;

pub use adjust::definition as adjust;
pub use amend::definition as amend;
pub use cancel::definition as cancel;
pub use cancel_eligible::definition as cancel_eligible;
pub use pay::definition as pay;
pub use place::definition as place;
pub use readdress::definition as readdress;
pub use refund_only::definition as refund_only;
pub use restore::definition as restore;
pub use short_ship::definition as short_ship;
pub use take_back::definition as take_back;

/// Every table this program can run, earlier versions of running sagas included.
pub fn registry(limits: Limits) -> Arc<Registry<Ports, Books>> {
    Arc::new(Registry::new(
        vec![
            place(),
            cancel(),
            cancel_eligible(),
            restore(),
            restore::version_1(),
            restore::version_2(),
            pay(),
            refund_only(),
            adjust(),
            take_back(),
            short_ship(),
            amend(),
            readdress(),
        ],
        limits,
    ))
}

/// The plan of a saga that calls a step. It was written by the accepting commit, so a plan that cannot be read is a
/// defect, and the runner sets a saga aside that panics again and again.
fn plan_of<P: Message + Default>(call: &Call) -> P {
    P::decode(&*call.params).expect("the accepting commit wrote a plan of this form")
}

/// The plan of a saga in a local step.
fn plan<P: Message + Default>(row: &SagaRow) -> Result<P, LocalError> {
    P::decode(&*row.params).map_err(defect)
}
