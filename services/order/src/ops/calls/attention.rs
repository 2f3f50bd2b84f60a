//! Closing attention items by hand.

use kit::{Failure, Principal};
use types::{AttentionId, RequestId};

use crate::domain::attention::AttentionItem;
use crate::ops::calls::asking::{asked, unexpected};
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Answer, Wish};

impl Orders {
    /// Closes an item that is done with once somebody has looked.
    pub async fn acknowledge_attention(
        &self,
        principal: &Principal,
        request_id: RequestId,
        attention_id: AttentionId,
        note: String,
    ) -> Result<AttentionItem, Failure> {
        let content = [attention_id.as_str().as_bytes(), note.as_bytes()];
        let asked = asked(principal, "AcknowledgeAttention", request_id, &content);
        let wish = Wish::Acknowledge { attention_id: attention_id.clone(), note };
        match self.ask(asked, wish).await? {
            Answer::Attention(item) => Ok(*item),
            Answer::AcceptedBefore(_) => self.attention_item(principal, &attention_id).await,
            _ => Err(unexpected()),
        }
    }
}
