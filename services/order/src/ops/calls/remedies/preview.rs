//! What an order would look like with a proposal. Reads only.

use std::time::Duration;

use kit::{Failure, Principal};
use proto::inventory::v1::{ForecastReservationResponse, ReserveStock};
use tonic::Status;
use types::{ChangeOrderId, OrderId, Reason, Refusal};

use crate::domain::lifecycle::{Author, Picture, Proposal, picture_change, picture_proposal};
use crate::domain::order::Order;
use crate::ops::calls::asking::actor;
use crate::ops::calls::orders::Orders;
use crate::ops::plans;

/// How long accepting waits for a forecast.
const FORECAST_MAX: Duration = Duration::from_secs(1);

impl Orders {
    /// The order as it is, and as it would be with a proposal that is not made yet.
    pub async fn preview_proposal(
        &self,
        principal: &Principal,
        order_id: &OrderId,
        proposal: &Proposal,
    ) -> Result<(Order, Picture), Failure> {
        let order = self.get_order(principal, order_id).await?;
        let policies = self.shelf(&principal.tenant).await?;
        let author = Author {
            policy: policies.of(&order),
            change_order_id: self.ids().mint(),
            saga_id: self.ids().mint(),
            actor: actor(principal),
            now: self.now(),
        };
        let picture = picture_proposal(&order, proposal, &author, self.ids())?;
        Ok((order, picture))
    }

    /// The order as it is, and as it would be with a proposal that waits for an answer.
    pub async fn preview_answer(
        &self,
        principal: &Principal,
        change_order_id: &ChangeOrderId,
    ) -> Result<(Order, Picture), Failure> {
        let view = self.get_change(principal, change_order_id).await?;
        let order = self.get_order(principal, &view.change.order_id).await?;
        let picture = picture_change(&order, view.change, self.now());
        Ok((order, picture))
    }

    /// The lines that stock lacks for a restoration, so that it can be refused at once. None if the inventory does not answer in time:
    /// then the restoration finds out by itself.
    pub async fn lacking(&self, principal: &Principal, order_id: &OrderId) -> Option<Refusal> {
        let order = self.get_order(principal, order_id).await.ok()?;
        let wanted = plans::restored(&order);
        if wanted.lines.is_empty() && wanted.reshipped.is_empty() {
            return None;
        }
        let units = wanted.lines.iter().map(|line| (line.line_id.clone(), line.quantity));
        let units: Vec<_> =
            units.chain(wanted.reshipped.iter().map(|line| (line.line_id.clone(), line.quantity))).collect();
        let asked = tokio::time::timeout(FORECAST_MAX, self.forecast_stock(principal, wanted)).await;
        let found = asked.ok()?.ok()?.lines;
        let short: Vec<_> = units.iter().zip(&found).filter(|(_, found)| !found.enough).collect();
        let ((line_id, quantity), found) = short.first()?;
        let message = "no warehouse has enough free stock for every line";
        Some(
            Refusal::new(Reason::InsufficientStock, message)
                .detail("short_lines", short.len())
                .detail("lines[0].line_id", line_id)
                .detail("lines[0].wanted", quantity)
                .detail("lines[0].available", found.available),
        )
    }

    /// What the inventory has of lines that would be added.
    pub async fn forecast_stock(
        &self,
        principal: &Principal,
        wanted: ReserveStock,
    ) -> Result<ForecastReservationResponse, Status> {
        match self.forecasts() {
            Some(forecasts) => forecasts.stock(&principal.tenant, wanted).await,
            None => Err(Status::unavailable("the inventory is not connected yet")),
        }
    }
}
