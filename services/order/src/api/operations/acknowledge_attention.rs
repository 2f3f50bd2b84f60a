//! AcknowledgeAttention: somebody has looked, and the item is closed.

use kit::{Failure, Principal};
use proto::order::v1 as wire;
use tonic::Request;

use crate::api::convert::{NOTE_LENGTH_MAX, attention_id, free_text, request_id};
use crate::ops::Orders;
use crate::ops::use_cases::AcknowledgeAttention;
use crate::wire::attention;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::AcknowledgeAttentionRequest>,
) -> Result<wire::AcknowledgeAttentionResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let request_id = request_id(&request.request_id)?;
    let attention_id = attention_id(&request.attention_id)?;
    let note = free_text("note", NOTE_LENGTH_MAX, &request.note)?;
    let item = orders.ask(&caller, request_id, AcknowledgeAttention { attention_id, note }).await?;
    Ok(wire::AcknowledgeAttentionResponse { item: Some(attention(&item)) })
}
