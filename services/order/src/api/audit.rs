//! AuditService: the books, for `verify`. Public port, for operators.

use futures::stream::unfold;
use kit::{Failure, Principal};
use proto::audit::v1 as wire;
use proto::audit::v1::audit_service_server::AuditService;
use proto::audit::v1::cell::Value;
use tonic::{Request, Response, Status};

use super::convert::operators_only;
use super::waiting::Messages;
use crate::ops::{BookPage, Orders};
use crate::store::audit::Cell;

pub struct AuditApi {
    orders: Orders,
}

impl AuditApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    fn export(
        &self,
        request: Request<wire::ExportBooksRequest>,
    ) -> Result<Messages<wire::ExportBooksResponse>, Failure> {
        let caller = Principal::of(&request)?.clone();
        operators_only(&caller)?;
        let pages = self.orders.export_books(&caller, &request.into_inner().books)?;
        Ok(Box::pin(unfold(pages, async |mut pages| {
            let page = pages.recv().await?;
            Some((page.map(message).map_err(Status::from), pages))
        })))
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    type ExportBooksStream = Messages<wire::ExportBooksResponse>;

    async fn export_books(
        &self,
        request: Request<wire::ExportBooksRequest>,
    ) -> Result<Response<Self::ExportBooksStream>, Status> {
        Ok(Response::new(self.export(request)?))
    }

    async fn list_gateway_effects(
        &self,
        _request: Request<wire::ListGatewayEffectsRequest>,
    ) -> Result<Response<wire::ListGatewayEffectsResponse>, Status> {
        Err(Status::unimplemented("only the payment service has a gateway"))
    }
}

fn message(page: BookPage) -> wire::ExportBooksResponse {
    match page {
        BookPage::Rows { book, columns, rows } => wire::ExportBooksResponse {
            book: book.to_owned(),
            columns: columns.into_iter().map(str::to_owned).collect(),
            rows: rows.into_iter().map(row).collect(),
            snapshot_at: String::new(),
        },
        BookPage::End { snapshot_at } => wire::ExportBooksResponse {
            snapshot_at: snapshot_at.to_string(),
            ..wire::ExportBooksResponse::default()
        },
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
