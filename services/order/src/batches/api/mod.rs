//! BatchService: many orders, each for itself.

mod create;
mod shown;
mod watch;

use kit::page::{Listing, Page};
use kit::server::Routes;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::batch_service_server::{BatchService, BatchServiceServer};
use tonic::{Request, Response, Status};
use types::{BatchId, Refusal};

use self::shown::{batch, item, item_states};
use crate::api::convert::{page_of, request_id, token_of};
use crate::api::waiting::Messages;
use crate::batches::ask::Batches;

/// A batch may name ten thousand orders.
const BYTES_MAX: usize = 1024 * 1024;

/// Adds what operators may call.
pub fn routes(routes: Routes, batches: &Batches) -> Routes {
    let api = BatchServiceServer::new(BatchApi { batches: batches.clone() });
    routes.request_bytes_max(BYTES_MAX).add_service(api.max_decoding_message_size(BYTES_MAX))
}

struct BatchApi {
    batches: Batches,
}

impl BatchApi {
    async fn get(&self, request: Request<wire::GetBatchRequest>) -> Result<wire::GetBatchResponse, Failure> {
        let caller = operator(&request)?;
        let batch_id = batch_id(&request.get_ref().batch_id)?;
        let found = self.batches.batch(&caller, &batch_id).await?;
        Ok(wire::GetBatchResponse { batch: Some(batch(&found)) })
    }

    async fn list(
        &self,
        request: Request<wire::ListBatchesRequest>,
    ) -> Result<wire::ListBatchesResponse, Failure> {
        let caller = operator(&request)?;
        let request = request.into_inner();
        let listing = Listing::new("ListBatches", &caller.tenant, &());
        let page = Page::parse(self.batches.orders.seal(), listing, request.page_size, &request.page_token)?;
        let found = self.batches.list_batches(&caller, &page_of(&page)?).await?;
        Ok(wire::ListBatchesResponse {
            batches: found.items.iter().map(batch).collect(),
            next_page_token: token_of(&page, found.next),
        })
    }

    async fn list_items(
        &self,
        request: Request<wire::ListBatchItemsRequest>,
    ) -> Result<wire::ListBatchItemsResponse, Failure> {
        let caller = operator(&request)?;
        let request = request.into_inner();
        let batch_id = batch_id(&request.batch_id)?;
        let states = item_states(&request.states)?;
        let listing = Listing::new("ListBatchItems", &caller.tenant, &(&batch_id, &states));
        let page = Page::parse(self.batches.orders.seal(), listing, request.page_size, &request.page_token)?;
        let found = self.batches.batch_items(&caller, &batch_id, &states, &page_of(&page)?).await?;
        Ok(wire::ListBatchItemsResponse {
            items: found.items.iter().map(item).collect(),
            next_page_token: token_of(&page, found.next),
        })
    }

    async fn pause(
        &self,
        request: Request<wire::PauseBatchRequest>,
    ) -> Result<wire::PauseBatchResponse, Failure> {
        let caller = operator(&request)?;
        let request = request.into_inner();
        let (request_id, batch_id) = (request_id(&request.request_id)?, batch_id(&request.batch_id)?);
        let paused = self.batches.pause_batch(&caller, request_id, &batch_id).await?;
        Ok(wire::PauseBatchResponse { batch: Some(batch(&paused)) })
    }

    async fn resume(
        &self,
        request: Request<wire::ResumeBatchRequest>,
    ) -> Result<wire::ResumeBatchResponse, Failure> {
        let caller = operator(&request)?;
        let request = request.into_inner();
        let (request_id, batch_id) = (request_id(&request.request_id)?, batch_id(&request.batch_id)?);
        let resumed = self.batches.resume_batch(&caller, request_id, &batch_id).await?;
        Ok(wire::ResumeBatchResponse { batch: Some(batch(&resumed)) })
    }
}

#[tonic::async_trait]
impl BatchService for BatchApi {
    type WatchBatchStream = Messages<wire::WatchBatchResponse>;

    async fn create_batch(
        &self,
        request: Request<wire::CreateBatchRequest>,
    ) -> Result<Response<wire::CreateBatchResponse>, Status> {
        Ok(Response::new(create::answer(&self.batches, request).await?))
    }

    async fn get_batch(
        &self,
        request: Request<wire::GetBatchRequest>,
    ) -> Result<Response<wire::GetBatchResponse>, Status> {
        Ok(Response::new(self.get(request).await?))
    }

    async fn list_batches(
        &self,
        request: Request<wire::ListBatchesRequest>,
    ) -> Result<Response<wire::ListBatchesResponse>, Status> {
        Ok(Response::new(self.list(request).await?))
    }

    async fn list_batch_items(
        &self,
        request: Request<wire::ListBatchItemsRequest>,
    ) -> Result<Response<wire::ListBatchItemsResponse>, Status> {
        Ok(Response::new(self.list_items(request).await?))
    }

    async fn pause_batch(
        &self,
        request: Request<wire::PauseBatchRequest>,
    ) -> Result<Response<wire::PauseBatchResponse>, Status> {
        Ok(Response::new(self.pause(request).await?))
    }

    async fn resume_batch(
        &self,
        request: Request<wire::ResumeBatchRequest>,
    ) -> Result<Response<wire::ResumeBatchResponse>, Status> {
        Ok(Response::new(self.resume(request).await?))
    }

    async fn watch_batch(
        &self,
        request: Request<wire::WatchBatchRequest>,
    ) -> Result<Response<Self::WatchBatchStream>, Status> {
        Ok(Response::new(watch::answer(&self.batches, request).await?))
    }
}

/// Many orders at once are for those who run the place.
fn operator<T>(request: &Request<T>) -> Result<Principal, Failure> {
    let caller = Principal::of(request)?.clone();
    Ok(caller)
}

fn batch_id(given: &str) -> Result<BatchId, Refusal> {
    BatchId::parse(given).map_err(|error| Refusal::from(error).field("batch_id"))
}
