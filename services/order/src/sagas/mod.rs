//! The sagas of this service: tables that say in which order things happen, and what takes each back.
//!
//! A step function asks a port and answers; a local step writes the books of the group commit. What a step says was
//! written down when the saga was accepted (`ops::plans`), so asking again says the same.

mod adjust;
mod cancel;
mod place;
mod refund_only;
mod restore;

use std::sync::Arc;

use prost::Message;
use saga::{Call, Limits, LocalError, Registry, SagaRow};

use crate::ops::Books;
use crate::ops::books::defect;
use crate::ports::Ports;

pub use adjust::definition as adjust;
pub use cancel::definition as cancel;
pub use place::definition as place;
pub use refund_only::definition as refund_only;
pub use restore::definition as restore;

/// Every table this program can run, earlier versions of running sagas included.
pub fn registry(limits: Limits) -> Arc<Registry<Ports, Books>> {
    Arc::new(Registry::new(vec![place(), cancel(), restore(), refund_only(), adjust()], limits))
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
