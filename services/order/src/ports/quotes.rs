//! The payment service's forecast of how a new total would be given back. It promises nothing and may be missing.

use kit::Principal;
use kit::client::Channel;
use proto::payment::v1::refund_service_client::RefundServiceClient;
use proto::payment::v1::{QuoteRefundRequest, QuoteRefundResponse};
use tonic::Status;
use types::OrderId;

#[derive(Clone)]
pub struct Quotes {
    client: RefundServiceClient<Channel>,
}

impl Quotes {
    pub fn new(payment: Channel) -> Self {
        Self { client: RefundServiceClient::new(payment) }
    }

    /// Asks in the name of the caller, because the forecast stands on the public listener.
    pub async fn forecast(
        &self,
        principal: &Principal,
        order_id: &OrderId,
        new_total_minor: i64,
    ) -> Result<QuoteRefundResponse, Status> {
        let request = QuoteRefundRequest { order_id: order_id.to_string(), new_total_minor };
        let mut request = tonic::Request::new(request);
        principal.write_development_headers(request.metadata_mut())?;
        Ok(self.client.clone().quote_refund(request).await?.into_inner())
    }
}
