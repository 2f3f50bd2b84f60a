//! AddNote and ListNotes.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use proto::order::v1::conversation_service_server::ConversationService;
use tonic::{Request, Response, Status};
use types::{ChangeOrderId, Refusal};

use crate::api::convert::{
    NOTE_LENGTH_MAX, order_id, page_of, request_id, required_text, token_of, unknown_value,
};
use crate::domain::conversation::NewMessage;
use crate::domain::history::Visibility;
use crate::ops::Orders;
use crate::ops::use_cases::AddNote;
use crate::wire::note;

pub struct ConversationApi {
    orders: Orders,
}

impl ConversationApi {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    async fn add(&self, request: Request<wire::AddNoteRequest>) -> Result<wire::AddNoteResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let request_id = request_id(&request.request_id)?;
        let new = NewMessage {
            order_id: order_id("order_id", &request.order_id)?,
            visibility: visibility("visibility", request.visibility)?.unwrap_or(Visibility::Parties),
            text: required_text("text", NOTE_LENGTH_MAX, &request.text)?,
            change_order_id: change(&request.change_order_id)?,
        };
        let message = self.orders.ask(&caller, request_id, AddNote(new)).await?;
        Ok(wire::AddNoteResponse { note: Some(note(&message)) })
    }

    async fn list(
        &self,
        request: Request<wire::ListNotesRequest>,
    ) -> Result<wire::ListNotesResponse, Failure> {
        let caller = Principal::of(&request)?.clone();
        let request = request.into_inner();

        let order_id = order_id("order_id", &request.order_id)?;
        let listing = Listing::new("ListNotes", &caller.tenant, &order_id);
        let page = Page::parse(self.orders.seal(), listing, request.page_size, &request.page_token)?;
        let found = self.orders.notes(&caller, &order_id, &page_of(&page)?).await?;
        Ok(wire::ListNotesResponse {
            notes: found.items.iter().map(note).collect(),
            next_page_token: token_of(&page, found.next),
        })
    }
}

#[tonic::async_trait]
impl ConversationService for ConversationApi {
    async fn add_note(
        &self,
        request: Request<wire::AddNoteRequest>,
    ) -> Result<Response<wire::AddNoteResponse>, Status> {
        Ok(Response::new(self.add(request).await?))
    }

    async fn list_notes(
        &self,
        request: Request<wire::ListNotesRequest>,
    ) -> Result<Response<wire::ListNotesResponse>, Status> {
        Ok(Response::new(self.list(request).await?))
    }
}

/// Who may read something; absent when it was left open.
pub fn visibility(field: &str, given: i32) -> Result<Option<Visibility>, Refusal> {
    match wire::TimelineVisibility::try_from(given) {
        Ok(wire::TimelineVisibility::Unspecified) => Ok(None),
        Ok(wire::TimelineVisibility::Internal) => Ok(Some(Visibility::Internal)),
        Ok(wire::TimelineVisibility::Parties) => Ok(Some(Visibility::Parties)),
        Ok(wire::TimelineVisibility::Public) => Ok(Some(Visibility::Public)),
        Err(_) => Err(unknown_value(field, given)),
    }
}

fn change(given: &str) -> Result<Option<ChangeOrderId>, Refusal> {
    if given.is_empty() {
        return Ok(None);
    }
    ChangeOrderId::parse(given).map(Some).map_err(|error| Refusal::from(error).field("change_order_id"))
}
