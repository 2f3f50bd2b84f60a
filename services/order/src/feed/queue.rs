//! Events that cannot leave for the broker are never given up, so somebody must hear of it when they wait too long.

use kit::Failure;
use tokio_util::sync::CancellationToken;

use super::store;
use crate::ops::{LOOK_AT_QUEUES, Orders, Receiver};

const BROKER: Receiver = Receiver { subject_type: "publisher", subject_id: "nats", name: "the broker" };

/// Looks at what waits for the broker's stream until `shutdown`.
pub async fn watch_publication(orders: Orders, stream: Option<String>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_AT_QUEUES) => {}
        }
        if let Err(failure) = look_at_publication(&orders, stream.as_deref()).await {
            tracing::warn!(%failure, "the queue of events could not be looked at");
        }
    }
}

/// One look at what waits for a broker's stream; without one nothing does.
pub async fn look_at_publication(orders: &Orders, stream: Option<&str>) -> Result<(), Failure> {
    let waiting = match stream {
        Some(stream) => orders.reading(async |tx| store::oldest(tx, stream).await).await?,
        None => Vec::new(),
    };
    orders.judge_queues(BROKER, waiting).await
}
