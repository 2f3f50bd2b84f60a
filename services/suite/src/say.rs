//! Standard output, where the reader may go away before the end: `countermand timeline ord_01… | head`. Nothing that
//! somebody else has written gets power over the terminal on its way out.

use std::fmt::{Arguments, Write as _};
use std::io::{ErrorKind, Write as _};

use types::text;

/// As `println!`, which would panic where nobody reads any more, and which would obey what it is given to print.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::line(format_args!($($text)*)) };
}

/// As [`say!`] for a JSON document, which stays one with the same values in it.
macro_rules! say_json {
    ($value:expr) => {
        $crate::say::json(&serde_json::to_string(&$value)?)
    };
}

/// The colours of this program, and the end of one: the only sequences that a terminal gets from it.
const STYLES: [&str; 6] = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m"];

/// Writes one line, or the lines of a table that was made here.
pub fn line(text: Arguments<'_>) {
    write(&harmless(&text.to_string()));
}

pub fn json(document: &str) {
    write(&harmless_json(document));
}

/// Writes to standard error what went wrong.
pub fn problem(text: &str) {
    eprintln!("{}", harmless(text));
}

/// The text without power over a terminal: what it would obey, or not show, stands as its number. Line feeds and colours
/// stay; where a text of somebody else stands among others, [`one_line`] has taken its line feeds before.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(style) = STYLES.iter().find(|style| rest.starts_with(**style)) {
            shown.push_str(style);
            rest = &rest[style.len()..];
            continue;
        }
        if character == '\n' || is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
        rest = &rest[character.len_utf8()..];
    }
    shown
}

/// A text of somebody else among others: it ends no line, so that it cannot pass for the next row.
pub fn one_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n")
}

/// In a JSON document such characters stand inside strings only, and JSON has its own way to write their numbers.
fn harmless_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        if character == '\n' || is_plain(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            write!(shown, "\\u{unit:04x}").expect("a string takes any text");
        }
    }
    shown
}

fn is_plain(character: char) -> bool {
    text::is_plain(character.encode_utf8(&mut [0; 4]))
}

fn write(text: &str) {
    if let Err(problem) = writeln!(std::io::stdout().lock(), "{text}") {
        if problem.kind() == ErrorKind::BrokenPipe {
            std::process::exit(0);
        }
        eprintln!("countermand: writing the answer: {problem}");
        std::process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_that_somebody_else_has_written() {
        let attacks = [
            ("\u{1b}[2K\u{1b}[1A", "\\u{1b}[2K\\u{1b}[1A"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("a\rb\u{8}c\u{7f}", "a\\u{d}b\\u{8}c\\u{7f}"),
            ("\u{202e}drawkcab\u{200b}", "\\u{202e}drawkcab\\u{200b}"),
            ("\u{1b}[8mhidden\u{1b}[0m", "\\u{1b}[8mhidden\u{1b}[0m"),
        ];
        for (attack, shown) in attacks {
            assert_eq!(harmless(attack), shown);
        }
        for own in ["\u{1b}[32mCOMPLETED\u{1b}[0m", "two\nlines", "Größe 42 – 日本 🚚"] {
            assert_eq!(harmless(own), own);
        }
    }

    #[test]
    fn a_text_among_others_ends_no_line() {
        assert_eq!(one_line("ok\n2  2026-11-21 12:00  staff"), "ok\\n2  2026-11-21 12:00  staff");
        assert_eq!(one_line("ok\u{2028}2"), "ok\\u{2028}2");
    }

    #[test]
    fn a_json_document_keeps_its_values() {
        let value = serde_json::json!({"note": "a\n\u{202e}b\u{9b}c\u{e0041}\u{1b}", "seen": "é"});

        let shown = harmless_json(&serde_json::to_string_pretty(&value).unwrap());

        assert!(shown.chars().all(|character| character == '\n' || is_plain(character)), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
