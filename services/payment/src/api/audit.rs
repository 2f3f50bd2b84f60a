//! AuditService: the books and the sandbox gateway's own record, for `verify`. On the public port.

use kit::page::Page;
use kit::{Failure, Principal};
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::cell::Value;
use proto::audit::v1::{
    BookRow, Cell, ExportBooksRequest, ExportBooksResponse, GatewayEffect, ListGatewayEffectsRequest,
    ListGatewayEffectsResponse,
};
use storage::{Database, DbError, Tx};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use types::{Reason, Tenant, Timestamp};

use crate::ports::sandbox::{Effect, Sandbox};
use crate::store::export::{self, BOOKS, Book};

/// Messages that are read ahead of the caller.
const AHEAD: usize = 2;

pub struct AuditApi {
    database: Database,
    sandbox: Sandbox,
}

type Messages = mpsc::Sender<Result<ExportBooksResponse, Status>>;

impl AuditApi {
    pub fn new(database: Database, sandbox: Sandbox) -> Self {
        Self { database, sandbox }
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    type ExportBooksStream = ReceiverStream<Result<ExportBooksResponse, Status>>;

    async fn export_books(
        &self,
        request: Request<ExportBooksRequest>,
    ) -> Result<Response<Self::ExportBooksStream>, Status> {
        let tenant = operator(&request)?;
        let books = select(&request.into_inner().books)?;
        let tx = self.database.read().await.map_err(Failure::from)?;

        let (messages, stream) = mpsc::channel(AHEAD);
        tokio::spawn(send(tx, tenant, books, messages));
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_gateway_effects(
        &self,
        request: Request<ListGatewayEffectsRequest>,
    ) -> Result<Response<ListGatewayEffectsResponse>, Status> {
        let tenant = operator(&request)?;
        let request = request.into_inner();
        let listing = ["ListGatewayEffects", tenant.as_str()];
        let page = Page::parse(request.page_size, &request.page_token, &listing)?;
        let after = page.after(1)?.map_or("", |key| key[0].as_str());
        let found = self.sandbox.effects(&tenant, after, page.limit()).await;
        let mut found = found.map_err(Failure::from)?;
        let next_page_token = page.finish(&mut found, |effect| vec![effect.key.clone()]);
        let effects = found.into_iter().map(effect).collect();
        Ok(Response::new(ListGatewayEffectsResponse { effects, next_page_token }))
    }
}

/// The books show everybody's money, so they are for those who work here.
fn operator<T>(request: &Request<T>) -> Result<Tenant, Failure> {
    let caller = Principal::of(request)?;
    if matches!(caller.role.as_str(), "buyer" | "supplier") {
        return Err(Failure::new(Reason::PermissionDenied, "the books are for operators"));
    }
    Ok(caller.tenant.clone())
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
async fn send(mut tx: Tx, tenant: Tenant, books: Vec<&'static Book>, messages: Messages) {
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
        .map_err(|error| DbError::malformed("payment.snapshot", error))?;
    for book in books {
        let mut next = Some(book.beginning());
        while let Some(after) = next {
            let page = book.page(tx, tenant, after).await?;
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

fn row(cells: Vec<export::Cell>) -> BookRow {
    let cells = cells.into_iter().map(|cell| Cell {
        value: match cell {
            export::Cell::Text(text) => Some(Value::Text(text)),
            export::Cell::Number(number) => Some(Value::Number(number)),
            export::Cell::Data(data) => Some(Value::Data(data)),
            export::Cell::Null => None,
        },
    });
    BookRow { cells: cells.collect() }
}

fn effect(effect: Effect) -> GatewayEffect {
    GatewayEffect {
        key: effect.key,
        kind: effect.kind.as_str().to_owned(),
        gateway_reference: effect.gateway_reference,
        currency_code: effect.currency.code().to_owned(),
        amount_minor: effect.amount_minor,
        outcome: effect.outcome.as_str().to_owned(),
        at: effect.at.to_string(),
    }
}
