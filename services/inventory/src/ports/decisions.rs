//! What the order service has decided: whether what was reserved may be given out.

use std::collections::BTreeSet;

use kit::client::Channel;
use proto::order::v1::ListDecidedRequest;
use proto::order::v1::decision_service_client::DecisionServiceClient;
use tonic::Status;
use types::{OrderId, Tenant};

/// How many sagas one question is about.
const SAGAS_MAX: usize = 200;

#[derive(Clone)]
pub struct Decisions {
    client: DecisionServiceClient<Channel>,
}

impl Decisions {
    pub fn new(order: Channel) -> Self {
        Self { client: DecisionServiceClient::new(order) }
    }

    /// Those of these sagas of an order that are decided. That is for good, so an answer never grows old.
    pub async fn decided(
        &self,
        tenant: &Tenant,
        order_id: &OrderId,
        sagas: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, Status> {
        let all: Vec<&String> = sagas.iter().collect();
        let mut decided = BTreeSet::new();
        for some in all.chunks(SAGAS_MAX) {
            let request = ListDecidedRequest {
                tenant: tenant.to_string(),
                order_id: order_id.to_string(),
                saga_ids: some.iter().map(ToString::to_string).collect(),
            };
            decided.extend(self.client.clone().list_decided(request).await?.into_inner().saga_ids);
        }
        Ok(decided)
    }
}
