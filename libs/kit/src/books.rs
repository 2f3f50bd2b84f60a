//! AuditService: a service's books for whoever checks them, streamed from one snapshot.
//!
//! A snapshot is one of the few readers that a database has. So few exports run at a time, and one whose caller does not
//! read on for a while is ended: whoever asks for books and leaves them lying starves nobody.

use std::sync::Arc;
use std::time::Duration;

use proto::audit::v1 as wire;
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::cell::Value;
use storage::{Book, Cell, Database, DbError, Tx};
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use types::{Reason, Tenant, Timestamp};

use crate::{Failure, Principal};

/// Messages that are read ahead of the caller.
const AHEAD: usize = 2;
/// Exports of one service at a time; the other readers are for everybody else.
const EXPORTS_MAX: usize = 2;
/// How long an export may wait for another to end.
const TURN_MAX: Duration = Duration::from_secs(5);
/// How long a caller may take for one message.
const READING_MAX: Duration = Duration::from_secs(10);
const RETRY_AFTER: Duration = Duration::from_secs(10);

type Message = Result<wire::ExportBooksResponse, Status>;

/// What AuditService streams.
pub type Export = ReceiverStream<Message>;

/// AuditService of a service that calls no gateway.
#[derive(Debug)]
pub struct Books {
    database: Database,
    all: &'static [Book],
    turns: Arc<Semaphore>,
}

impl Books {
    pub fn new(database: Database, books: &'static [Book]) -> Self {
        Self { database, all: books, turns: Arc::new(Semaphore::new(EXPORTS_MAX)) }
    }

    /// Starts the export of the books that are asked for, or of all.
    pub async fn export(&self, request: &Request<wire::ExportBooksRequest>) -> Result<Export, Failure> {
        let caller = Principal::of(request)?;
        let asked = select(&request.get_ref().books, self.all)?;
        let turn = tokio::time::timeout(TURN_MAX, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let message = "other exports of these books are running; ask again later";
            return Err(Failure::unavailable(Reason::Overloaded, message, RETRY_AFTER));
        };
        let tx = self.database.read().await?;
        let (messages, stream) = mpsc::channel(AHEAD);
        tokio::spawn(send(tx, turn, caller.tenant.clone(), asked, messages));
        Ok(ReceiverStream::new(stream))
    }
}

#[tonic::async_trait]
impl AuditService for Books {
    type ExportBooksStream = Export;

    async fn export_books(
        &self,
        request: Request<wire::ExportBooksRequest>,
    ) -> Result<Response<Export>, Status> {
        Ok(Response::new(self.export(&request).await?))
    }

    async fn list_gateway_effects(
        &self,
        _request: Request<wire::ListGatewayEffectsRequest>,
    ) -> Result<Response<wire::ListGatewayEffectsResponse>, Status> {
        Err(Status::unimplemented("this service calls no gateway"))
    }
}

fn select(names: &[String], books: &'static [Book]) -> Result<Vec<&'static Book>, Failure> {
    if names.is_empty() {
        return Ok(books.iter().collect());
    }
    let find = |name: &String| {
        books.iter().find(|book| book.name == name).ok_or_else(|| {
            let known: Vec<_> = books.iter().map(|book| book.name).collect();
            let message = format!("the books are {}", known.join(", "));
            Failure::invalid("books", Reason::FieldInvalid, message)
        })
    };
    names.iter().map(find).collect()
}

/// Reads for as long as the caller listens.
async fn send(
    mut tx: Tx,
    turn: OwnedSemaphorePermit,
    tenant: Tenant,
    books: Vec<&'static Book>,
    messages: mpsc::Sender<Message>,
) {
    let last = match send_all(&mut tx, &tenant, &books, &messages).await {
        Ok(Ended::Snapshot(snapshot_at)) => {
            Ok(wire::ExportBooksResponse { snapshot_at: snapshot_at.to_string(), ..Default::default() })
        }
        // A caller that has gone away does not want to know.
        Ok(Ended::Gone) => return tx.rollback().await,
        Ok(Ended::Unread) => {
            let message = "the books were not read in time; ask for them again";
            Err(Failure::unavailable(Reason::ReaderTooSlow, message, RETRY_AFTER).into())
        }
        Err(error) => Err(Failure::from(error).into()),
    };
    tx.rollback().await;
    drop(turn);
    // The reader is free by now, so the end may wait for as long as the reply itself does.
    drop(messages.send(last).await);
}

/// How an export ended.
enum Ended {
    /// All was sent of this snapshot.
    Snapshot(Timestamp),
    Gone,
    /// The caller did not take the next message.
    Unread,
}

async fn send_all(
    tx: &mut Tx,
    tenant: &Tenant,
    books: &[&'static Book],
    messages: &mpsc::Sender<Message>,
) -> Result<Ended, DbError> {
    let snapshot = Timestamp::from_unix_micros(tx.db_now().await?)
        .map_err(|error| DbError::malformed("kit.export_books", error))?;
    for book in books {
        let mut last: Option<Vec<Cell>> = None;
        loop {
            let page = book.page(tx, tenant, last.as_deref()).await?;
            last = page.rows.last().cloned();
            if !page.rows.is_empty() {
                match messages.send_timeout(Ok(message(book, page.rows)), READING_MAX).await {
                    Ok(()) => {}
                    Err(SendTimeoutError::Closed(_)) => return Ok(Ended::Gone),
                    Err(SendTimeoutError::Timeout(_)) => return Ok(Ended::Unread),
                }
            }
            if page.is_last {
                break;
            }
        }
    }
    Ok(Ended::Snapshot(snapshot))
}

fn message(book: &Book, rows: Vec<Vec<Cell>>) -> wire::ExportBooksResponse {
    wire::ExportBooksResponse {
        book: book.name.to_owned(),
        columns: book.columns.iter().map(|column| column.name.to_owned()).collect(),
        rows: rows.into_iter().map(row).collect(),
        snapshot_at: String::new(),
    }
}

fn row(cells: Vec<Cell>) -> wire::BookRow {
    let cells = cells.into_iter().map(|cell| wire::Cell {
        value: match cell {
            Cell::Null => None,
            Cell::Text(text) => Some(Value::Text(text)),
            Cell::Number(number) => Some(Value::Number(number)),
            Cell::Data(data) => Some(Value::Data(data)),
        },
    });
    wire::BookRow { cells: cells.collect() }
}
