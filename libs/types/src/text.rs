//! Free text written by people: names, reasons, notes.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{Reason, Refusal};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    #[error("the text is empty")]
    Empty,
    #[error("the text has {length} characters, of at most {limit}")]
    TooLong { length: usize, limit: usize },
    #[error("the text holds the control character U+{:04X}", u32::from(*character))]
    ControlCharacter { character: char },
}

/// Text in normal form C of at most `limit` characters. NUL and the other C0 controls but line
/// feed and tab are refused: one database cannot store them, and a terminal obeys them. Bidirectional
/// controls are part of real names and stay; [`display`] takes them out where text meets other text.
pub fn parse(limit: usize, text: &str) -> Result<String, TextError> {
    if let Some(character) = text.chars().find(|character| is_refused_control(*character)) {
        return Err(TextError::ControlCharacter { character });
    }
    let normal = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
    let length = normal.chars().count();
    if length > limit { Err(TextError::TooLong { length, limit }) } else { Ok(normal) }
}

/// As [`parse`], and refuses text that is empty or only white space.
pub fn parse_required(limit: usize, text: &str) -> Result<String, TextError> {
    if text.trim().is_empty() { Err(TextError::Empty) } else { parse(limit, text) }
}

/// The text as it may stand in a line of output: without the controls that reorder what is around
/// them, by which a name could make a table or a log line read otherwise.
pub fn display(text: &str) -> String {
    text.chars().filter(|character| !is_bidi_control(*character)).collect()
}

fn is_refused_control(character: char) -> bool {
    character < ' ' && character != '\n' && character != '\t'
}

fn is_bidi_control(character: char) -> bool {
    matches!(
        character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

impl From<TextError> for Refusal {
    fn from(error: TextError) -> Self {
        let message = error.to_string();
        match error {
            TextError::Empty => Self::new(Reason::FieldRequired, message),
            TextError::TooLong { limit, .. } => {
                Self::new(Reason::FieldTooLong, message).detail("limit", limit)
            }
            TextError::ControlCharacter { .. } => Self::new(Reason::FieldInvalid, message),
        }
    }
}
