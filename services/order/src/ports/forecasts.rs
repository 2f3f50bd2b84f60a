//! The payment service's forecast of how a new total would be given back. It promises nothing and may be missing.

use kit::client::Channel;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::{ForecastRefundRequest, ForecastRefundResponse};
use tonic::Status;
use types::{OrderId, Tenant};

#[derive(Clone)]
pub struct Forecasts {
    client: RefundStepsServiceClient<Channel>,
}

impl Forecasts {
    pub fn new(payment: Channel) -> Self {
        Self { client: RefundStepsServiceClient::new(payment) }
    }

    pub async fn refund(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        new_total_minor: i64,
    ) -> Result<ForecastRefundResponse, Status> {
        let request = ForecastRefundRequest {
            tenant: tenant.to_string(),
            order_id: order_id.to_string(),
            new_total_minor,
        };
        Ok(self.client.clone().forecast_refund(request).await?.into_inner())
    }
}
