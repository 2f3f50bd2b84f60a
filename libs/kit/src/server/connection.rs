//! [`Connection`]: one peer, what it has under way, and whether it may stay.
//!
//! A connection costs a descriptor, and a reply that nobody reads costs what it holds. Both are bounded in time here:
//! whoever does not open HTTP/2, never proves who they are, calls nothing or does not read is let go.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::stream::Delivery;
use crate::config::Limits;

/// HTTP/2 is open once its preface and the head of the client's settings have come.
const OPENING_BYTES: usize = 24 + 9;
/// Connections are renewed so that load spreads over new replicas: GOAWAY, and calls end.
const AGE_MAX: Duration = Duration::from_mins(30);

pub(crate) struct Connection {
    peer: IpAddr,
    /// Of the certificate that the peer has proven to hold.
    names: Vec<String>,
    since: Instant,
    received: Arc<AtomicUsize>,
    doings: Mutex<Doings>,
}

struct Doings {
    identified: bool,
    calls: usize,
    idle_since: Instant,
    next_call: u64,
    /// Replies that are on their way, by their calls.
    deliveries: HashMap<u64, Weak<Delivery>>,
}

/// What is to become of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Stays,
    /// Asked to go: no new call is taken, those under way end.
    Leaves,
    CutOff,
}

impl Connection {
    pub(super) fn new(peer: IpAddr, names: Vec<String>) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            peer,
            names,
            since: now,
            received: Arc::default(),
            doings: Mutex::new(Doings {
                identified: false,
                calls: 0,
                idle_since: now,
                next_call: 0,
                deliveries: HashMap::new(),
            }),
        })
    }

    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// A caller on this connection has proven who they are.
    pub(super) fn identified(&self) {
        self.doings().identified = true;
    }

    pub(super) fn begin_call(self: &Arc<Self>) -> Call {
        let mut doings = self.doings();
        doings.calls += 1;
        doings.next_call += 1;
        Call { connection: Arc::clone(self), number: doings.next_call }
    }

    /// `leaving` is when it was asked to go.
    pub(super) fn verdict(&self, limits: &Limits, leaving: Option<Instant>) -> Verdict {
        let age = self.since.elapsed();
        if self.received.load(Ordering::Relaxed) < OPENING_BYTES && age > limits.handshake() {
            return Verdict::CutOff;
        }
        let doings = self.doings();
        let has_calls = doings.calls > 0;
        if let Some(leaving) = leaving {
            // One that has calls ends with them; a peer that nobody knows has nothing to end.
            let waited_for = has_calls && doings.identified;
            let overdue = !waited_for && leaving.elapsed() > limits.handshake();
            return if overdue { Verdict::CutOff } else { Verdict::Stays };
        }
        let unknown = !doings.identified && age > limits.first_call();
        let idle = !has_calls && doings.idle_since.elapsed() > limits.idle();
        if unknown || idle || age > AGE_MAX { Verdict::Leaves } else { Verdict::Stays }
    }

    /// Ends the replies that nobody has read for so long.
    pub(super) fn end_unread(&self, limit: Duration) {
        let deliveries: Vec<_> = self.doings().deliveries.values().filter_map(Weak::upgrade).collect();
        for delivery in deliveries {
            delivery.end_if_unread(limit);
        }
    }

    fn doings(&self) -> MutexGuard<'_, Doings> {
        self.doings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way, from its headers to the end of its reply.
pub(crate) struct Call {
    connection: Arc<Connection>,
    number: u64,
}

impl Call {
    pub(super) fn delivers(&self, delivery: &Arc<Delivery>) {
        self.connection.doings().deliveries.insert(self.number, Arc::downgrade(delivery));
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut doings = self.connection.doings();
        doings.deliveries.remove(&self.number);
        doings.calls -= 1;
        if doings.calls == 0 {
            doings.idle_since = Instant::now();
        }
    }
}

/// Counts what comes in.
pub(super) struct Counted<IO> {
    io: IO,
    received: Arc<AtomicUsize>,
}

impl<IO> Counted<IO> {
    pub(super) fn new(io: IO, connection: &Connection) -> Self {
        Self { io, received: Arc::clone(&connection.received) }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Counted<IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(context, buffer))?;
        self.received.fetch_add(buffer.filled().len() - before, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Counted<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
