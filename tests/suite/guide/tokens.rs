//! What differs from run to run: ids, numbers of changes, instants, durations, secrets and other opaque texts.

use std::collections::HashMap;

use anyhow::{Context, Result};

/// Letters and digits behind the underscore of an id (`ord_01m8…`).
const ID_LENGTH: usize = 26;
/// And behind the hyphen of a change order's number.
const NUMBER_LENGTH: usize = 12;
/// Quotes, page tokens, digests and the like are at least so long.
const OPAQUE_LENGTH: usize = 40;
const UNITS: [&str; 4] = ["ms", "s", "seconds", "minutes"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// An id's prefix, or what else it is.
    pub kind: String,
    pub text: String,
}

/// The line with each token replaced by its kind, and the tokens.
pub fn split(line: &str) -> (String, Vec<Token>) {
    let mut plain = String::new();
    let mut tokens = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let end = word_end(rest);
        if end == 0 {
            let mut characters = rest.chars();
            plain.extend(characters.next());
            rest = characters.as_str();
            continue;
        }
        let (mut word, after) = rest.split_at(end);
        // `sandbox-rfd_01m8…`: an id at the end of a longer word.
        if let Some((head, tail)) = word.rsplit_once('-')
            && kind(word).is_none()
            && kind(tail).is_some()
        {
            plain.push_str(head);
            plain.push('-');
            word = tail;
        }
        let unit = unit_after(word, after);
        let kind = if unit > 0 { Some("duration".to_owned()) } else { kind(word) };
        match kind {
            None => plain.push_str(word),
            Some(kind) => {
                plain.push('<');
                plain.push_str(&kind);
                plain.push('>');
                tokens.push(Token { kind, text: format!("{word}{}", &after[..unit]) });
            }
        }
        rest = &after[unit..];
    }
    (plain.trim_end().to_owned(), tokens)
}

/// How long the word at the beginning is. Points and colons belong to it between digits only.
fn word_end(text: &str) -> usize {
    if text.starts_with("whsec_") {
        let is_secret = |c: char| c.is_ascii_alphanumeric() || "_+/=".contains(c);
        return text.find(|c| !is_secret(c)).unwrap_or(text.len());
    }
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = 0;
    while let Some(&byte) = bytes.get(end) {
        let is_inside = byte.is_ascii_alphanumeric()
            || byte == b'_'
            || (byte == b'-' && end > 0)
            || (matches!(byte, b'.' | b':') && end > 0 && is_digit(end - 1) && is_digit(end + 1));
        if !is_inside {
            break;
        }
        end += 1;
    }
    end
}

/// The length of ` s`, ` ms` … behind a number.
fn unit_after(word: &str, after: &str) -> usize {
    if word.parse::<f64>().is_err() || !word.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    let Some(next) = after.strip_prefix(' ') else { return 0 };
    let end = next.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(next.len());
    if UNITS.contains(&&next[..end]) { end + 1 } else { 0 }
}

fn kind(word: &str) -> Option<String> {
    if let Some((prefix, suffix)) = word.split_once('_') {
        let is_id = prefix.len() == 3
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && suffix.len() == ID_LENGTH
            && suffix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if is_id {
            return Some(prefix.to_owned());
        }
        if prefix == "whsec" {
            return Some("secret".to_owned());
        }
    }
    // Change orders and returns have numbers for people.
    if let Some((kind @ ("CO" | "RT"), number)) = word.split_once('-')
        && number.len() == NUMBER_LENGTH
        && number.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    {
        return Some(kind.to_owned());
    }
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let whole = shape.split_once('.').map_or(shape.as_str(), |(whole, _)| whole);
    if matches!(whole, "9999-99-99" | "99:99:99" | "9999-99-99T99:99:99" | "9999-99-99T99:99:99Z") {
        return Some("instant".to_owned());
    }
    let number = word.strip_suffix("ms").or_else(|| word.strip_suffix('s'));
    if number.is_some_and(|number| number.parse::<f64>().is_ok()) {
        return Some("duration".to_owned());
    }
    is_opaque(word).then(|| "opaque".to_owned())
}

fn is_opaque(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.bytes().any(|byte| is(&byte));
    let is_mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    word.len() >= OPAQUE_LENGTH
        && !word.contains('.')
        && (is_mixed || word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Which of this run's tokens stands for which of the page's.
#[derive(Default)]
pub struct Bindings {
    actual: HashMap<String, String>,
    shown: HashMap<String, String>,
    /// By prefix, the id that was printed last.
    last: HashMap<String, String>,
}

impl Bindings {
    /// Whether the ids of two lines that agree are the ones that they were further up.
    pub fn allow(&self, shown: &str, printed: &str) -> bool {
        let (_, shown) = split(shown);
        let (_, printed) = split(printed);
        let mut pairs = shown.iter().zip(&printed).take_while(|(a, b)| a.kind == b.kind);
        pairs.all(|(shown, printed)| {
            let names_nothing = matches!(shown.kind.as_str(), "instant" | "duration");
            let is_same = |known: Option<&String>, other: &String| known.is_none_or(|known| known == other);
            names_nothing
                || (is_same(self.actual.get(&shown.text), &printed.text)
                    && is_same(self.shown.get(&printed.text), &shown.text))
        })
    }

    /// Two lines that agree.
    pub fn bind(&mut self, shown: &str, printed: &str) {
        let (_, printed) = split(printed);
        let (_, shown) = split(shown);
        // A line that was cut short with `…` may hold fewer: its first ones still belong together.
        for (shown, printed) in shown.iter().zip(&printed).take_while(|(a, b)| a.kind == b.kind) {
            self.pair(shown, printed);
        }
        self.see(&printed);
    }

    /// Two outputs that do not agree: the first `ord_` id of one stands for the first of the other, and so on.
    pub fn bind_in_order(&mut self, shown: &[String], printed: &[String]) {
        let all = |lines: &[String]| lines.iter().flat_map(|line| split(line).1).collect::<Vec<_>>();
        let (shown, printed) = (all(shown), all(printed));
        let mut taken: HashMap<&str, Vec<&Token>> = HashMap::new();
        for token in &shown {
            let of_kind = taken.entry(&token.kind).or_default();
            if !of_kind.contains(&token) {
                of_kind.push(token);
            }
        }
        let mut met: HashMap<&str, Vec<&str>> = HashMap::new();
        for token in &printed {
            let of_kind = met.entry(&token.kind).or_default();
            if of_kind.contains(&token.text.as_str()) {
                continue;
            }
            of_kind.push(&token.text);
            match taken.get(token.kind.as_str()).and_then(|shown| shown.get(of_kind.len() - 1)) {
                Some(shown) => self.pair(shown, token),
                None => self.pair(token, token),
            }
        }
        self.see(&printed);
    }

    fn pair(&mut self, shown: &Token, printed: &Token) {
        let is_known = self.actual.contains_key(&shown.text) || self.shown.contains_key(&printed.text);
        if is_known {
            return;
        }
        self.actual.entry(shown.text.clone()).or_insert_with(|| printed.text.clone());
        self.shown.entry(printed.text.clone()).or_insert_with(|| shown.text.clone());
    }

    fn see(&mut self, printed: &[Token]) {
        self.last.extend(printed.iter().map(|token| (token.kind.clone(), token.text.clone())));
    }

    /// What to type for what the page says.
    pub fn in_command(&self, text: &str) -> Result<String> {
        let mut typed = text.to_owned();
        for token in text.lines().flat_map(|line| split(line).1) {
            match self.actual.get(&token.text) {
                Some(actual) => typed = typed.replace(&token.text, actual),
                None if matches!(token.kind.as_str(), "instant" | "duration" | "opaque" | "secret") => {}
                None => return Err(anyhow::anyhow!("{} stands in no output above", token.text)),
            }
        }
        while let Some(at) = typed.find("_…") {
            let from = at.checked_sub(3).context("`_…` needs a prefix, as in chg_…")?;
            let prefix = typed.get(from..at).context("`_…` needs a prefix, as in chg_…")?.to_owned();
            let last =
                self.last.get(&prefix).with_context(|| format!("no {prefix}_ id was printed above"))?;
            typed.replace_range(from..at + "_…".len(), last);
        }
        Ok(typed)
    }

    /// What to show for what was printed.
    pub fn in_page(&self, printed: &str) -> String {
        let mut line = printed.to_owned();
        for token in split(printed).1 {
            if let Some(shown) = self.shown.get(&token.text) {
                line = line.replace(&token.text, shown);
            }
        }
        line
    }
}
