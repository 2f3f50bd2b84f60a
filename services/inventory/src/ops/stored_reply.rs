//! Replies as the step ledger keeps them: the encoded message, so that a repeat gets the same answer.

use prost::Message;
use proto::inventory::v1::{GoodsLineSplit, GoodsReply};
use storage::{DbError, LedgerRow, Outcome};

use super::command::StepAnswer;
use crate::domain::Splits;

/// There was nothing to do, which is recorded all the same.
pub fn nothing_to_do() -> GoodsReply {
    GoodsReply { nothing_to_do: true, ..GoodsReply::default() }
}

/// What was done to which units; nothing to do if there were none.
pub fn done(splits: &Splits) -> GoodsReply {
    let lines: Vec<GoodsLineSplit> = splits
        .iter()
        .map(|(line_id, split)| GoodsLineSplit {
            line_id: line_id.to_string(),
            unallocated: split.unallocated,
            allocated: split.allocated,
            submitted: split.submitted,
            shipped: split.shipped,
            refused: split.refused.map_or(0, |(units, _)| units),
            refused_reason: split.refused.map_or_else(String::new, |(_, why)| why.as_str().to_owned()),
        })
        .collect();
    GoodsReply { nothing_to_do: lines.is_empty(), lines, ..GoodsReply::default() }
}

/// The answer that was given the first time.
pub fn replay(row: &LedgerRow) -> Result<StepAnswer, DbError> {
    let unreadable = |detail: String| DbError::malformed("inventory.replay_step", detail);
    match row.outcome {
        Outcome::Applied if row.nothing_to_do => Ok(StepAnswer::Applied(nothing_to_do())),
        Outcome::Applied => GoodsReply::decode(row.reply.as_slice())
            .map(StepAnswer::Applied)
            .map_err(|problem| unreadable(problem.to_string())),
        Outcome::Rejected => kit::answer::decode(&row.reply)
            .map(StepAnswer::Refused)
            .map_err(|problem| unreadable(problem.to_string())),
        Outcome::Pending => Ok(StepAnswer::Pending),
        Outcome::Tombstoned => {
            Err(unreadable("the ledger refuses what was tombstoned, and replays nothing".to_owned()))
        }
    }
}
