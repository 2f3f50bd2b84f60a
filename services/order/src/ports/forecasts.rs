//! What the participants would do: how a new total would be given back, what stock would be found. A forecast promises nothing
//! and may be missing.

use kit::client::Channel;
use proto::inventory::v1::goods_steps_service_client::GoodsStepsServiceClient;
use proto::inventory::v1::{ForecastReservationRequest, ForecastReservationResponse, ReserveStock};
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::{ForecastRefundRequest, ForecastRefundResponse};
use tonic::Status;
use types::Tenant;

#[derive(Clone)]
pub struct Forecasts {
    refunds: RefundStepsServiceClient<Channel>,
    goods: GoodsStepsServiceClient<Channel>,
}

impl Forecasts {
    pub fn new(payment: Channel, inventory: Channel) -> Self {
        Self {
            refunds: RefundStepsServiceClient::new(payment),
            goods: GoodsStepsServiceClient::new(inventory),
        }
    }

    /// What would be found for these lines if they were reserved now.
    pub async fn stock(
        &self,
        tenant: &Tenant,
        wanted: ReserveStock,
    ) -> Result<ForecastReservationResponse, Status> {
        let ReserveStock { order_id, lines, reshipped, .. } = wanted;
        let request = ForecastReservationRequest { tenant: tenant.to_string(), lines, reshipped, order_id };
        Ok(self.goods.clone().forecast_reservation(request).await?.into_inner())
    }

    pub async fn refund(
        &self,
        tenant: &Tenant,
        request: ForecastRefundRequest,
    ) -> Result<ForecastRefundResponse, Status> {
        let request = ForecastRefundRequest { tenant: tenant.to_string(), ..request };
        Ok(self.refunds.clone().forecast_refund(request).await?.into_inner())
    }
}
