//! How things look at a terminal: aligned tables, money with its currency, colour only where a person reads.

use console::{Alignment, Style, measure_text_width, pad_str};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;
use types::{Currency, Money};

use crate::say::{self, one_line};

/// `GBP 12.34`; an unknown currency shows the bare minor units.
pub fn money(currency: &str, minor: i64) -> String {
    match Currency::parse(currency)
        .map_err(|_| ())
        .and_then(|currency| Money::new(currency, minor).map_err(|_| ()))
    {
        Ok(money) => money.to_string(),
        Err(()) => format!("{currency} {minor} (minor units)"),
    }
}

/// 12345 → `12,345`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// `1 order`, `2 orders`.
pub fn counted(number: i64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", count(number))
}

/// A table without rules: a header line, then rows. Columns named in `right` are aligned to the right. A row is one line,
/// whatever is in its cells.
pub fn table(header: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines = vec![header.iter().map(|name| dim(name)).collect::<Vec<_>>()];
    lines.extend(rows.into_iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()));
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| measure_text_width(cell)).max()
    };
    let widths: Vec<usize> = (0..header.len()).map(|column| width(column).unwrap_or_default()).collect();
    let pad = |(column, cell): (usize, &String)| {
        let alignment = if right.contains(&column) { Alignment::Right } else { Alignment::Left };
        pad_str(cell, widths[column], alignment, None).into_owned()
    };
    let text = |line: &Vec<String>| {
        line.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// Colours a state word: green when it ended well, red when it did not, yellow while it moves.
pub fn state(word: &str) -> String {
    let style = match word {
        "COMPLETED" | "CONFIRMED" | "SUCCEEDED" | "DELIVERED" | "SHIPPED" => Style::new().green(),
        "REJECTED" | "PLACEMENT_FAILED" | "CANCELLED" | "DECLINED" => Style::new().red(),
        _ => Style::new().yellow(),
    };
    style.apply_to(word).to_string()
}

pub fn heading(text: &str) -> String {
    Style::new().bold().apply_to(text).to_string()
}

pub fn dim(text: &str) -> String {
    Style::new().dim().apply_to(text).to_string()
}

/// `ORDER_STATE_CANCELLED` with prefix `ORDER_STATE_` → `CANCELLED`.
pub fn short<'a>(name: &'a str, prefix: &str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// A new name for one request, so that it can be repeated safely.
pub fn request_id() -> String {
    types::Ids::random(types::Clock::System).mint::<types::EventId>().to_string()
}

/// Prints a value as one JSON document.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    say::json(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A protobuf message in the standard JSON mapping, defaults included, so that a script finds every field.
pub fn proto_json(full_name: &str, message: &impl Message) -> anyhow::Result<serde_json::Value> {
    encoded_json(full_name, &message.encode_to_vec())
}

/// The same of a message that is known by its name only.
pub fn encoded_json(full_name: &str, message: &[u8]) -> anyhow::Result<serde_json::Value> {
    let pool = DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET)?;
    let descriptor = pool
        .get_message_by_name(full_name)
        .ok_or_else(|| anyhow::anyhow!("{full_name} is not in the descriptor set"))?;
    let dynamic = DynamicMessage::decode(descriptor, message)?;
    let options = SerializeOptions::new().skip_default_fields(false).stringify_64_bit_integers(false);
    Ok(dynamic.serialize_with_options(serde_json::value::Serializer, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_shows_the_exponent_of_its_currency() {
        assert_eq!(money("GBP", 1234), "GBP 12.34");
        assert_eq!(money("JPY", 1234), "JPY 1234");
        assert_eq!(money("KWD", 1234), "KWD 1.234");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(
            [count(0), count(999), count(15_631), count(-1_234_567)],
            ["0", "999", "15,631", "-1,234,567"]
        );
    }

    #[test]
    fn a_cell_cannot_pass_for_a_row() {
        let note = "ok\n2  2026-11-21 12:00:00.000  ann (staff)  order.paid\u{1b}[1A";

        let text = table(&["#", "what happened"], &[0], [vec!["1".into(), note.into()]]);

        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.ends_with("1  ok\\n2  2026-11-21 12:00:00.000  ann (staff)  order.paid\\u{1b}[1A"),
            "{text}"
        );
    }

    #[test]
    fn columns_line_up() {
        let text =
            table(&["sku", "units"], &[1], [vec!["A".into(), "5".into()], vec!["LONG".into(), "12".into()]]);

        let ends: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}
