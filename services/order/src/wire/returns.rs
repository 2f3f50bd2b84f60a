//! Returns.

use proto::order::v1 as wire;
use types::text::display;

use super::shared::{actor, timestamp};
use crate::domain::returns::{Return, ReturnLine, ReturnState};

pub fn order_return(returned: &Return) -> wire::Return {
    wire::Return {
        return_id: returned.return_id.to_string(),
        number: returned.number.clone(),
        order_id: returned.order_id.to_string(),
        state: state(returned.state).into(),
        lines: returned.lines.iter().map(line).collect(),
        reason_code: returned.reason_code.clone(),
        note: display(&returned.note),
        opened_by: Some(actor(&returned.opened_by)),
        policy_version: returned.policy_version.clone(),
        expires_at: returned.expires_at.to_string(),
        created_at: returned.created_at.to_string(),
        closed_at: timestamp(returned.closed_at),
        version: returned.version,
    }
}

fn line(line: &ReturnLine) -> wire::ReturnLine {
    wire::ReturnLine {
        line_id: line.line_id.to_string(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        expected: line.expected,
        received: line.received,
        accepted: line.accepted,
        rejected: line.rejected,
    }
}

fn state(state: ReturnState) -> wire::ReturnState {
    match state {
        ReturnState::Open => wire::ReturnState::Open,
        ReturnState::Completed => wire::ReturnState::Completed,
        ReturnState::Closed => wire::ReturnState::Closed,
        ReturnState::Expired => wire::ReturnState::Expired,
    }
}
