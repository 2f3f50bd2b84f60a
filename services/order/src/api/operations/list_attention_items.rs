//! ListAttentionItems: what somebody has to look at, oldest first, of every service.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{page_of, token_of};
use crate::ops::Orders;
use crate::wire::attention;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::ListAttentionItemsRequest>,
) -> Result<wire::ListAttentionItemsResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let listing = Listing::new("ListAttentionItems", &caller.tenant, &request.include_closed);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let found = orders.attention(&caller, request.include_closed, &page_of(&page)?).await?;
    Ok(wire::ListAttentionItemsResponse {
        items: found.items.iter().map(attention).collect(),
        next_page_token: token_of(&page, found.next),
    })
}
