//! GetTimeline: an order's history, page by page. A page may hold less than was asked for, where the
//! caller may not see all of it.

use kit::page::{Listing, Page};
use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{order_id, sequence_of};
use crate::ops::Orders;
use crate::wire::timeline_entry;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::GetTimelineRequest>,
) -> Result<wire::GetTimelineResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let order_id = order_id("order_id", &request.order_id)?;
    let listing = Listing::new("GetTimeline", &caller.tenant, &order_id);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let reader = orders.reader(&caller, &order_id).await?;
    let mut entries = orders.timeline(&caller, &order_id, sequence_of(&page)?, page.limit()).await?;
    let next_page_token = page.finish(&mut entries, |recorded| vec![recorded.sequence.to_string()]);
    entries.retain(|recorded| reader.reads(recorded.entry.visibility));
    Ok(wire::GetTimelineResponse { entries: entries.iter().map(timeline_entry).collect(), next_page_token })
}
