//! [`Orders`]: what an order would be with a proposal. Reads only.

use kit::{Failure, Principal};
use proto::inventory::v1::{ForecastReservationResponse, ReserveStockLine};
use tonic::Status;
use types::{ChangeOrderId, OrderId};

use crate::domain::lifecycle::{Author, Picture, Proposal, picture_change, picture_proposal};
use crate::domain::order::Order;
use crate::ops::{Orders, actor};

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

    /// What the inventory has for lines that would come.
    pub async fn forecast_stock(
        &self,
        principal: &Principal,
        lines: Vec<ReserveStockLine>,
    ) -> Result<ForecastReservationResponse, Status> {
        match self.forecasts() {
            Some(forecasts) => forecasts.stock(&principal.tenant, lines).await,
            None => Err(Status::unavailable("the inventory is not connected yet")),
        }
    }
}
