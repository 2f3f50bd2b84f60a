//! Acknowledging an attention item.

use types::{AttentionId, Refusal};

use crate::ops::books::Books;
use crate::ops::command::{Answer, Asked};

pub fn acknowledge(
    books: &mut Books,
    asked: &Asked,
    attention_id: &AttentionId,
    note: &str,
) -> Result<(Answer, String), Refusal> {
    let item = books.acknowledge(asked, attention_id, note)?;
    let resource = item.attention_id.to_string();
    Ok((Answer::Attention(Box::new(item)), resource))
}
