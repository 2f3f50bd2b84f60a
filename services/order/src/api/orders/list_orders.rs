//! ListOrders: summaries, oldest first.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::text::display;
use types::{FolderId, Reason, Refusal};

use super::new_order::NUMBER_LENGTH_MAX;
use crate::api::convert::{
    REFERENCE_LENGTH_MAX, SYSTEM_LENGTH_MAX, condition, instant, order_states, page_of, reference, token_of,
    unknown_value,
};
use crate::domain::listing::{Concern, OrderFilter, View};
use crate::domain::order::{OrderState, Summary};
use crate::ops::{Orders, actor};
use crate::wire::summary;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ListOrdersRequest>,
) -> Result<wire::ListOrdersResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let filter = OrderFilter {
        states: states(&request)?,
        customer_id: condition("customer_id", REFERENCE_LENGTH_MAX, &request.customer_id)?,
        reference: request
            .external_reference
            .as_ref()
            .map(|given| reference("external_reference", given))
            .transpose()?,
        external_system: condition("external_system", SYSTEM_LENGTH_MAX, &request.external_system)?,
        folder_id: folder(&request.folder_id)?,
        organisation: condition("organisation", REFERENCE_LENGTH_MAX, &request.organisation)?,
        number: condition("number", NUMBER_LENGTH_MAX, &request.number)?,
        created_from: instant("created_from", &request.created_from)?,
        created_before: instant("created_before", &request.created_before)?,
        concerning: Concern::of(caller.grants.reach, &actor(&caller)),
    };
    let listing = Listing::new("ListOrders", &caller.tenant, &filter);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let found = orders.list_orders(&caller, &filter, &page_of(&page)?).await?;
    let ids = found.items.iter().map(|order| order.order_id.clone());
    let folders = orders.folders_of_orders(&caller, ids).await?;
    let shown = |order: &Summary| {
        let folder = folders.get(&order.order_id);
        wire::OrderSummary {
            folder_id: folder.map_or_else(String::new, |folder| folder.folder_id.to_string()),
            folder: folder.map_or_else(String::new, |folder| display(&folder.name)),
            ..summary(order)
        }
    };
    Ok(wire::ListOrdersResponse {
        orders: found.items.iter().map(shown).collect(),
        next_page_token: token_of(&page, found.next),
    })
}

/// The states that were asked for, as far as they are in the view.
fn states(request: &wire::ListOrdersRequest) -> Result<Vec<OrderState>, Refusal> {
    let mut states = order_states(&request.states)?;
    let view = match wire::OrderView::try_from(request.view) {
        Ok(wire::OrderView::Unspecified) => return Ok(states),
        Ok(wire::OrderView::Active) => View::Active,
        Ok(wire::OrderView::Cancelled) => View::Cancelled,
        Ok(wire::OrderView::Closed) => View::Closed,
        Err(_) => return Err(unknown_value("view", request.view)),
    };
    if states.is_empty() {
        return Ok(view.states().to_vec());
    }
    states.retain(|state| view.states().contains(state));
    if states.is_empty() {
        let message = "none of these states is in this view";
        return Err(Refusal::new(Reason::FieldInvalid, message).field("states"));
    }
    Ok(states)
}

fn folder(given: &str) -> Result<Option<FolderId>, Refusal> {
    if given.is_empty() {
        return Ok(None);
    }
    FolderId::parse(given).map(Some).map_err(|error| Refusal::from(error).field("folder_id"))
}
