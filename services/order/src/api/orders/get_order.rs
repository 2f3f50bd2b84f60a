//! GetOrder: by id or by number.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;
use types::text::display;
use types::{Reason, Refusal};

use super::new_order::NUMBER_LENGTH_MAX;
use crate::api::convert::{missing, order_id, required};
use crate::ops::Orders;
use crate::wire::order;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::GetOrderRequest>,
) -> Result<wire::GetOrderResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let found = match (request.order_id.as_str(), request.number.as_str()) {
        ("", "") => return Err(missing("order_id", "an order is named by its id or by its number").into()),
        (id, "") => orders.get_order(&caller, &order_id("order_id", id)?).await?,
        ("", number) => {
            let number = required("number", NUMBER_LENGTH_MAX, number)?;
            orders.find_by_number(&caller, &number).await?
        }
        (_, _) => {
            let message = "an order is named by its id or by its number, not by both";
            return Err(Refusal::new(Reason::FieldInvalid, message).field("number").into());
        }
    };
    let folders = orders.folders_of_orders(&caller, [found.order_id.clone()]).await?;
    let folder = folders.get(&found.order_id);
    let shown = wire::Order {
        folder_id: folder.map_or_else(String::new, |folder| folder.folder_id.to_string()),
        folder: folder.map_or_else(String::new, |folder| display(&folder.name)),
        ..order(&found)
    };
    Ok(wire::GetOrderResponse { order: Some(shown) })
}
