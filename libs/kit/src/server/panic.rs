//! A panic in a handler is one failed call, never a dead process.

use std::any::Any;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;

use crate::failure::Failure;

/// Runs a handler. Asserting unwind safety is sound here because everything the handler owned is
/// dropped with it, and what it shares is behind the store's transactions, which roll back.
pub(super) async fn caught<T>(handler: impl Future<Output = Result<T, Infallible>>) -> Result<T, Failure> {
    match AssertUnwindSafe(handler).catch_unwind().await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(never)) => match never {},
        Err(panic) => Err(Failure::internal(format!("the handler panicked: {}", message(&*panic)))),
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message")
}
