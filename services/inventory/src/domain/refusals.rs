//! How a refusal names the lines it is about.

use std::collections::BTreeSet;

use types::{LineId, Reason, Refusal};

use super::names::Sku;

/// More lines than this are counted, not named: details travel in HTTP/2 trailers, whose size is limited.
const NAMED_MAX: usize = 10;

/// A line that could not be served.
pub(super) struct Shortage {
    pub line_id: LineId,
    pub sku: Sku,
    pub wanted: i64,
    pub available: i64,
    pub reason: Reason,
}

/// One refusal for all of them.
pub(super) fn short(reason: Reason, message: &str, lines: &[Shortage]) -> Refusal {
    let mut refusal = Refusal::new(reason, message).detail("short_lines", lines.len());
    for (index, line) in lines.iter().take(NAMED_MAX).enumerate() {
        let name = |field: &str| format!("lines[{index}].{field}");
        refusal = refusal
            .detail(name("line_id"), &line.line_id)
            .detail(name("sku"), &line.sku)
            .detail(name("wanted"), line.wanted)
            .detail(name("available"), line.available)
            .detail(name("reason"), line.reason);
    }
    refusal
}

/// A request that names a line twice is ambiguous about what it wants.
pub(super) fn distinct<'a>(lines: impl Iterator<Item = &'a LineId>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for (index, line) in lines.enumerate() {
        if !seen.insert(line) {
            return Err(Refusal::new(Reason::DuplicateLine, format!("line {line} is named twice"))
                .field(format!("lines[{index}].line_id"))
                .detail("line_id", line));
        }
    }
    Ok(())
}

pub(super) fn no_such_line(line: &LineId) -> Refusal {
    Refusal::not_found("line", line)
}
