//! Whether two outputs are the same but for what may differ, and how they differ otherwise.

use libtest_mimic::Failed;

use super::tokens;

const ANY: &str = "…";

/// Which line of the page is which printed one; nothing where they do not agree.
pub fn pairs(shown: &[String], printed: &[String]) -> Option<Vec<(usize, usize)>> {
    let (mut at, mut with) = (0, 0);
    let mut pairs = Vec::new();
    // The last `…`: its line, the first line it does not swallow, and how many pairs there were before.
    let mut any: Option<(usize, usize, usize)> = None;
    while with < printed.len() {
        let line = shown.get(at);
        if line.is_some_and(|line| line.trim() == ANY) {
            any = Some((at, with, pairs.len()));
            at += 1;
        } else if line.is_some_and(|line| agree(line, &printed[with])) {
            pairs.push((at, with));
            (at, with) = (at + 1, with + 1);
        } else {
            let (line, swallowed, count) = any?;
            any = Some((line, swallowed + 1, count));
            pairs.truncate(count);
            (at, with) = (line + 1, swallowed + 1);
        }
    }
    shown[at..].iter().all(|line| line.trim() == ANY).then_some(pairs)
}

fn agree(shown: &str, printed: &str) -> bool {
    let (shown, _) = tokens::split(shown);
    let (printed, _) = tokens::split(printed);
    let mut pieces = shown.split(ANY);
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(between) = last.replace(piece) {
            match rest.split_once(between) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// The lines of both, those that only the page has with `-`, those that were only printed with `+`.
pub fn difference(shown: &[String], printed: &[String]) -> String {
    // Longest common subsequence from each pair of positions on.
    let mut common = vec![vec![0_usize; printed.len() + 1]; shown.len() + 1];
    for at in (0..shown.len()).rev() {
        for with in (0..printed.len()).rev() {
            common[at][with] = if agree(&shown[at], &printed[with]) {
                common[at + 1][with + 1] + 1
            } else {
                common[at + 1][with].max(common[at][with + 1])
            };
        }
    }
    let (mut at, mut with) = (0, 0);
    let mut lines = Vec::new();
    while at < shown.len() || with < printed.len() {
        let may_drop = at < shown.len();
        let may_add = with < printed.len();
        if may_drop && may_add && agree(&shown[at], &printed[with]) {
            lines.push(format!("  {}", printed[with]));
            (at, with) = (at + 1, with + 1);
        } else if may_drop && (!may_add || common[at + 1][with] >= common[at][with + 1]) {
            lines.push(format!("- {}", shown[at]));
            at += 1;
        } else {
            lines.push(format!("+ {}", printed[with]));
            with += 1;
        }
    }
    lines.join("\n")
}

/// The comparison fails on what differs and passes what may.
pub fn a_difference_is_told() -> Result<(), Failed> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let shown =
        lines("WEB-1  ord_01m808w922ezjb0m62rdzzp0v5\nat 2026-11-22 00:10:38.978, after 1.5 s\n…\nGBP 3.25");
    let same = lines(
        "WEB-1  ord_01m80bhbk2ey09rbzz9xmf90tf\nat 2027-01-02 03:04:05.678, after 20 s\nA\nB\nGBP 3.25",
    );
    if pairs(&shown, &same).is_none() {
        return Err(format!("ids and times may differ\n{}", difference(&shown, &same)).into());
    }
    let (shown, other) = (lines("MUG  2\nGBP 3.25"), lines("MUG  2\nGBP 3.24"));
    let told = difference(&shown, &other);
    if pairs(&shown, &other).is_some() || told != "  MUG  2\n- GBP 3.25\n+ GBP 3.24" {
        return Err(format!("a penny may not differ\n{told}").into());
    }
    Ok(())
}
