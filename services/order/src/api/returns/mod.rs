//! ReturnService: what buyers send back.

mod requests;

use kit::page::{Listing, Page};
use kit::{Deadline, Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::return_service_server::ReturnService;
use tonic::{Request, Response, Status};
use types::Refusal;

use super::changes::shown;
use super::convert::{order_id, page_of, request_id, token_of, wait};
use crate::domain::returns::Return;
use crate::ops::Orders;
use crate::ops::use_cases::{OpenReturn, UseCase};
use crate::wire::order_return;

pub struct ReturnApi {
    orders: Orders,
}

impl ReturnApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    /// Receives, rejects or closes.
    async fn moved(
        &self,
        caller: &Principal,
        id: &str,
        step: Result<impl UseCase<Answer = Return>, Refusal>,
    ) -> Result<Option<wire::Return>, Failure> {
        let moved = self.orders.ask(caller, request_id(id)?, step?).await?;
        Ok(Some(order_return(&moved)))
    }

    async fn listed(
        &self,
        request: Request<wire::ListReturnsRequest>,
    ) -> Result<wire::ListReturnsResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let of_order = (!request.order_id.is_empty()).then(|| order_id("order_id", &request.order_id));
        let (of_order, states) = (of_order.transpose()?, requests::states(&request.states)?);
        let listing = Listing::new("ListReturns", &caller.tenant, &(&of_order, &states));
        let page = Page::parse(self.orders.seal(), listing, request.page_size, &request.page_token)?;
        let found = self.orders.list_returns(&caller, of_order.as_ref(), &states, &page_of(&page)?).await?;
        Ok(wire::ListReturnsResponse {
            returns: found.items.iter().map(order_return).collect(),
            next_page_token: token_of(&page, found.next),
        })
    }

    async fn accepted(
        &self,
        request: Request<wire::AcceptReturnRequest>,
    ) -> Result<wire::AcceptReturnResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let deadline = Deadline::of(&request);
        let request = request.into_inner();
        let (id, until) = (request_id(&request.request_id)?, (wait(request.wait)?, deadline));
        let view = self.orders.ask_for_change(&caller, id, requests::accept(&request)?, until).await?;
        Ok(wire::AcceptReturnResponse { change_order: Some(shown(&view)) })
    }
}

#[tonic::async_trait]
impl ReturnService for ReturnApi {
    async fn open_return(
        &self,
        request: Request<wire::OpenReturnRequest>,
    ) -> Result<Response<wire::OpenReturnResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let id = request_id(&request.request_id).map_err(Failure::from)?;
        let opening = requests::opening(&request, self.orders.now()).map_err(Failure::from)?;
        let opened = self.orders.ask(&caller, id, OpenReturn(opening)).await?;
        Ok(Response::new(wire::OpenReturnResponse { order_return: Some(order_return(&opened)) }))
    }

    async fn receive_return(
        &self,
        request: Request<wire::ReceiveReturnRequest>,
    ) -> Result<Response<wire::ReceiveReturnResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let order_return = self.moved(&caller, &request.request_id, requests::receive(&request)).await?;
        Ok(Response::new(wire::ReceiveReturnResponse { order_return }))
    }

    async fn accept_return(
        &self,
        request: Request<wire::AcceptReturnRequest>,
    ) -> Result<Response<wire::AcceptReturnResponse>, Status> {
        Ok(Response::new(self.accepted(request).await?))
    }

    async fn reject_return(
        &self,
        request: Request<wire::RejectReturnRequest>,
    ) -> Result<Response<wire::RejectReturnResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let order_return = self.moved(&caller, &request.request_id, requests::reject(&request)).await?;
        Ok(Response::new(wire::RejectReturnResponse { order_return }))
    }

    async fn close_return(
        &self,
        request: Request<wire::CloseReturnRequest>,
    ) -> Result<Response<wire::CloseReturnResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();
        let order_return = self.moved(&caller, &request.request_id, requests::close(&request)).await?;
        Ok(Response::new(wire::CloseReturnResponse { order_return }))
    }

    async fn get_return(
        &self,
        request: Request<wire::GetReturnRequest>,
    ) -> Result<Response<wire::GetReturnResponse>, Status> {
        let caller = Principal::of(&request)?.clone();
        let return_id = requests::return_id(&request.get_ref().return_id).map_err(Failure::from)?;
        let found = self.orders.get_return(&caller, &return_id).await?;
        Ok(Response::new(wire::GetReturnResponse { order_return: Some(order_return(&found)) }))
    }

    async fn list_returns(
        &self,
        request: Request<wire::ListReturnsRequest>,
    ) -> Result<Response<wire::ListReturnsResponse>, Status> {
        Ok(Response::new(self.listed(request).await?))
    }
}
