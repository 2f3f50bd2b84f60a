//! ReportService: counting.

use kit::server::{REQUEST_BYTES_MAX, Routes};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::report_service_server::{ReportService, ReportServiceServer};
use tonic::{Request, Response, Status};
use types::Refusal;
use types::text::display;

use crate::api::convert::{instant, missing, unknown_value};
use crate::reports::Reports;
use crate::reports::domain::{Dimension, Economics, Row, Span};

/// Adds what operators may call.
pub fn routes(routes: Routes, reports: &Reports) -> Routes {
    let api = ReportServiceServer::new(ReportApi { reports: reports.clone() });
    routes.add_service(api.max_decoding_message_size(REQUEST_BYTES_MAX))
}

struct ReportApi {
    reports: Reports,
}

impl ReportApi {
    async fn stats(
        &self,
        request: Request<wire::GetCancellationStatsRequest>,
    ) -> Result<wire::GetCancellationStatsResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let by = dimension(request.by)?;
        let span =
            Span { from: instant("from", &request.from)?, before: instant("before", &request.before)? };
        let stats = self.reports.cancellation_stats(&caller, by, span).await?;
        Ok(wire::GetCancellationStatsResponse {
            rows: stats.rows.iter().map(row).collect(),
            total: Some(row(&stats.total)),
        })
    }
}

#[tonic::async_trait]
impl ReportService for ReportApi {
    async fn get_cancellation_stats(
        &self,
        request: Request<wire::GetCancellationStatsRequest>,
    ) -> Result<Response<wire::GetCancellationStatsResponse>, Status> {
        Ok(Response::new(self.stats(request).await?))
    }
}

fn dimension(given: i32) -> Result<Dimension, Refusal> {
    match wire::StatsDimension::try_from(given) {
        Ok(wire::StatsDimension::Unspecified) => Err(missing("by", "a report counts by something")),
        Ok(wire::StatsDimension::Reason) => Ok(Dimension::Reason),
        Ok(wire::StatsDimension::Role) => Ok(Dimension::Role),
        Ok(wire::StatsDimension::Channel) => Ok(Dimension::Channel),
        Ok(wire::StatsDimension::Supplier) => Ok(Dimension::Supplier),
        Ok(wire::StatsDimension::Sku) => Ok(Dimension::Sku),
        Ok(wire::StatsDimension::Stage) => Ok(Dimension::Stage),
        Ok(wire::StatsDimension::Day) => Ok(Dimension::Day),
        Err(_) => Err(unknown_value("by", given)),
    }
}

fn row(row: &Row) -> wire::CancellationStats {
    wire::CancellationStats {
        key: display(&row.key),
        changes: row.changes,
        orders: row.orders,
        units: row.units,
        orders_placed: row.orders_placed,
        rate_basis_points: row.rate_basis_points(),
        amounts: row
            .money
            .iter()
            .map(|money| wire::CurrencyAmount {
                currency_code: money.currency.clone(),
                amount_minor: money.amount_minor,
            })
            .collect(),
        economics: row.money.iter().map(economics).collect(),
    }
}

fn economics(money: &Economics) -> wire::CancellationEconomics {
    wire::CancellationEconomics {
        currency_code: money.currency.clone(),
        amount_minor: money.amount_minor,
        fee_minor: money.fee_minor,
        label_cost_minor: money.label_cost_minor,
        credit_expected_minor: money.credit_expected_minor,
        credit_granted_minor: money.credit_granted_minor,
        label_lost_minor: money.label_lost_minor,
        result_minor: money.result_minor(),
    }
}
