//! AuditService: the books, for `verify`. On the public port.

use kit::{Failure, Principal};
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::cell::Value;
use proto::audit::v1::{
    BookRow, Cell, ExportBooksRequest, ExportBooksResponse, ListGatewayEffectsRequest,
    ListGatewayEffectsResponse,
};
use storage::{Database, DbError, Tx};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use types::{Reason, Tenant, Timestamp};

use crate::store::books::{self, BOOKS, Book};

/// Messages that are read ahead of the caller.
const AHEAD: usize = 2;

pub struct AuditApi {
    database: Database,
}

type Messages = mpsc::Sender<Result<ExportBooksResponse, Status>>;

impl AuditApi {
    pub fn new(database: Database) -> Self {
        Self { database }
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    type ExportBooksStream = ReceiverStream<Result<ExportBooksResponse, Status>>;

    async fn export_books(
        &self,
        request: Request<ExportBooksRequest>,
    ) -> Result<Response<Self::ExportBooksStream>, Status> {
        let caller = Principal::of(&request)?.clone();
        permit(&caller)?;
        let books = select(&request.into_inner().books)?;
        let tx = self.database.read().await.map_err(Failure::from)?;

        let (messages, stream) = mpsc::channel(AHEAD);
        tokio::spawn(export(tx, caller.tenant, books, messages));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_gateway_effects(
        &self,
        _request: Request<ListGatewayEffectsRequest>,
    ) -> Result<Response<ListGatewayEffectsResponse>, Status> {
        Err(Status::unimplemented("only the payment service has a gateway"))
    }
}

/// The books show what was told to everybody, so they are for those who work here.
fn permit(caller: &Principal) -> Result<(), Failure> {
    if matches!(caller.role.as_str(), "buyer" | "supplier") {
        return Err(Failure::new(Reason::PermissionDenied, "the books are for operators"));
    }
    Ok(())
}

fn select(names: &[String]) -> Result<Vec<&'static Book>, Failure> {
    if names.is_empty() {
        return Ok(BOOKS.iter().collect());
    }
    let find = |name: &String| {
        BOOKS.iter().find(|book| book.name == name).ok_or_else(|| {
            let known = BOOKS.each_ref().map(|book| book.name).join(", ");
            Failure::invalid("books", Reason::FieldInvalid, format!("the books are {known}"))
        })
    };
    names.iter().map(find).collect()
}

/// Reads from one snapshot for as long as the caller listens.
async fn export(mut tx: Tx, tenant: Tenant, books: Vec<&'static Book>, messages: Messages) {
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
    messages: &Messages,
) -> Result<(), DbError> {
    let snapshot = Timestamp::from_unix_micros(tx.db_now().await?)
        .map_err(|error| DbError::malformed("notification.snapshot", error))?;
    for book in books {
        let mut next = Some(book.beginning());
        while let Some(after) = next {
            let page = book.page(tx, tenant, &after).await?;
            next = page.next;
            if page.rows.is_empty() {
                break;
            }
            let message = ExportBooksResponse {
                book: book.name.to_owned(),
                columns: book.columns(),
                rows: page.rows.into_iter().map(row).collect(),
                snapshot_at: String::new(),
            };
            if messages.send(Ok(message)).await.is_err() {
                return Ok(());
            }
        }
    }
    let last = ExportBooksResponse { snapshot_at: snapshot.to_string(), ..ExportBooksResponse::default() };
    // A caller that has gone away does not want the last message either.
    drop(messages.send(Ok(last)).await);
    Ok(())
}

fn row(cells: Vec<books::Cell>) -> BookRow {
    let cells = cells.into_iter().map(|cell| Cell {
        value: match cell {
            books::Cell::Text(text) => Some(Value::Text(text)),
            books::Cell::Number(number) => Some(Value::Number(number)),
            books::Cell::Null => None,
        },
    });
    BookRow { cells: cells.collect() }
}
