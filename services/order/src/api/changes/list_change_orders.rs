//! ListChangeOrders: oldest first.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use super::shown;
use crate::api::convert::{SYSTEM_LENGTH_MAX, change_states, condition, order_id, page_of, token_of};
use crate::domain::listing::{ChangeFilter, Concern};
use crate::ops::{Orders, actor};

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ListChangeOrdersRequest>,
) -> Result<wire::ListChangeOrdersResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let of_order = (!request.order_id.is_empty()).then(|| order_id("order_id", &request.order_id));
    let filter = ChangeFilter {
        order_id: of_order.transpose()?,
        states: change_states(&request.states)?,
        external_system: condition("external_system", SYSTEM_LENGTH_MAX, &request.external_system)?,
        concerning: Concern::of(caller.grants.reach, &actor(&caller)),
    };
    let listing = Listing::new("ListChangeOrders", &caller.tenant, &filter);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let found = orders.list_changes(&caller, &filter, &page_of(&page)?).await?;
    Ok(wire::ListChangeOrdersResponse {
        change_orders: found.items.iter().map(shown).collect(),
        next_page_token: token_of(&page, found.next),
    })
}
