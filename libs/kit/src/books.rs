//! AuditService: a service's books for whoever checks them, streamed from one snapshot at the reader's own pace.

use proto::audit::v1 as wire;
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::cell::Value;
use storage::{Book, Cell, Database, DbError, Tx};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use types::{Reason, Tenant, Timestamp};

use crate::{Failure, Principal};

/// Messages that are read ahead of the caller.
const AHEAD: usize = 2;

type Message = Result<wire::ExportBooksResponse, Status>;

/// What AuditService streams.
pub type Export = ReceiverStream<Message>;

/// AuditService of a service that calls no gateway.
#[derive(Debug)]
pub struct Books {
    database: Database,
    books: &'static [Book],
}

impl Books {
    pub fn new(database: Database, books: &'static [Book]) -> Self {
        Self { database, books }
    }
}

#[tonic::async_trait]
impl AuditService for Books {
    type ExportBooksStream = Export;

    async fn export_books(
        &self,
        request: Request<wire::ExportBooksRequest>,
    ) -> Result<Response<Export>, Status> {
        Ok(Response::new(export(&request, &self.database, self.books).await?))
    }

    async fn list_gateway_effects(
        &self,
        _request: Request<wire::ListGatewayEffectsRequest>,
    ) -> Result<Response<wire::ListGatewayEffectsResponse>, Status> {
        Err(Status::unimplemented("this service calls no gateway"))
    }
}

/// Starts the export of the books that are asked for, or of all. They show what concerns everybody, so they are for
/// operators.
pub async fn export(
    request: &Request<wire::ExportBooksRequest>,
    database: &Database,
    books: &'static [Book],
) -> Result<Export, Failure> {
    let caller = Principal::of(request)?;
    caller.operators_only()?;
    let asked = select(&request.get_ref().books, books)?;
    let tx = database.read().await?;
    let (messages, stream) = mpsc::channel(AHEAD);
    tokio::spawn(send(tx, caller.tenant.clone(), asked, messages));
    Ok(ReceiverStream::new(stream))
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
async fn send(mut tx: Tx, tenant: Tenant, books: Vec<&'static Book>, messages: mpsc::Sender<Message>) {
    if let Err(error) = send_all(&mut tx, &tenant, &books, &messages).await {
        // A caller that has gone away does not want to know.
        drop(messages.send(Err(Failure::from(error).into())).await);
    }
    tx.rollback().await;
}

async fn send_all(
    tx: &mut Tx,
    tenant: &Tenant,
    books: &[&'static Book],
    messages: &mpsc::Sender<Message>,
) -> Result<(), DbError> {
    let snapshot = Timestamp::from_unix_micros(tx.db_now().await?)
        .map_err(|error| DbError::malformed("kit.export_books", error))?;
    for book in books {
        let mut last: Option<Vec<Cell>> = None;
        loop {
            let page = book.page(tx, tenant, last.as_deref()).await?;
            last = page.rows.last().cloned();
            if !page.rows.is_empty() && messages.send(Ok(message(book, page.rows))).await.is_err() {
                return Ok(());
            }
            if page.is_last {
                break;
            }
        }
    }
    let end = wire::ExportBooksResponse { snapshot_at: snapshot.to_string(), ..Default::default() };
    // A caller that has gone away does not want the last message either.
    drop(messages.send(Ok(end)).await);
    Ok(())
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
