//! Changes that rules and batches ask for.

use types::{Fingerprint, OrderId, Quantity};

use super::change::{ChangeRequest, Channel, LabelAction, LineKey, SelectedLine, Selection};
use super::terms::Said;

impl ChangeRequest {
    /// The cancellation of a whole order.
    pub fn whole(order_id: &OrderId, channel: Channel, reason_code: &str, note: &str) -> Self {
        unattended(order_id, Selection::Everything, channel, reason_code, note)
    }

    /// The cancellation of these units of these lines, by line number.
    pub fn of_lines(
        order_id: &OrderId,
        lines: &[(i64, Quantity)],
        channel: Channel,
        reason_code: &str,
        note: &str,
    ) -> Self {
        let selected = |(number, quantity): &(i64, Quantity)| SelectedLine {
            line: LineKey::Number(*number),
            quantity: *quantity,
            reason_code: String::new(),
            note: String::new(),
            children: None,
        };
        let selection = Selection::Items(lines.iter().map(selected).collect());
        unattended(order_id, selection, channel, reason_code, note)
    }
}

/// The refund goes as the policy says. Writing the rule or starting the batch counts as confirmation, but nobody claims that the supplier was contacted.
fn unattended(
    order_id: &OrderId,
    selection: Selection,
    channel: Channel,
    reason_code: &str,
    note: &str,
) -> ChangeRequest {
    let what = format!("{selection:?}");
    let content = [order_id.as_str(), &what, channel.as_str(), reason_code, note].map(str::as_bytes);
    ChangeRequest {
        order_id: order_id.clone(),
        selection,
        settlement: None,
        label_action: LabelAction::Keep,
        channel,
        reason_code: reason_code.to_owned(),
        note: note.to_owned(),
        said: Said { confirmed: true, ..Said::default() },
        content: Fingerprint::of(&content),
    }
}
