//! Streams that read again whenever something happened.

use std::pin::Pin;
use std::time::Duration;

use futures::Stream;
use tonic::Status;

use crate::ops::Watch;

/// What a streaming RPC returns.
pub type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A commit of another replica gives no hint here, so a watcher also looks this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits until there may be something new.
pub async fn something_new(watch: &mut Watch) {
    // A hint and the end of the wait mean the same: read again.
    let _hint_or_not = tokio::time::timeout(LOOK_AGAIN, watch.changed()).await;
}
