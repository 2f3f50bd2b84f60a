//! ListOrders: summaries, oldest first.

use kit::page::Page;
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{
    REFERENCE_LENGTH_MAX, SYSTEM_LENGTH_MAX, condition, listing, order_states, page_of, reference, token_of,
};
use crate::domain::listing::OrderFilter;
use crate::ops::Orders;
use crate::wire::summary;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ListOrdersRequest>,
) -> Result<wire::ListOrdersResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let filter = OrderFilter {
        states: order_states(&request.states)?,
        customer_id: condition("customer_id", REFERENCE_LENGTH_MAX, &request.customer_id)?,
        reference: request
            .external_reference
            .as_ref()
            .map(|given| reference("external_reference", given))
            .transpose()?,
        external_system: condition("external_system", SYSTEM_LENGTH_MAX, &request.external_system)?,
    };
    let listing = listing("ListOrders", &caller.tenant, &filter);
    let page = Page::parse(request.page_size, &request.page_token, &[&listing])?;
    let found = orders.list_orders(&caller, &filter, &page_of(&page)?).await?;
    Ok(wire::ListOrdersResponse {
        orders: found.items.iter().map(summary).collect(),
        next_page_token: token_of(&page, found.next),
    })
}
