//! Text as it comes in, in three kinds, each parsed by its own function where it enters.
//!
//! | kind | examples | function | takes |
//! |---|---|---|---|
//! | name | ids of others, numbers, codes, SKUs, users | [`name`] | what is seen, on one line |
//! | line | titles, people, places | [`line`] | as free text, on one line |
//! | free text | notes, messages, templates | [`parse`] | line feeds, tabs, bidirectional controls |
//!
//! A name is compared and looked up, so two of them must not look alike and differ; free text is a person's own. Where any
//! of it meets a terminal, the terminal's side escapes it.

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
    #[error("the text holds U+{:04X}, which is not seen", u32::from(*character))]
    UnseenCharacter { character: char },
}

/// Free text in normal form C of at most `limit` characters. NUL and all other controls but line feed and tab are
/// refused: one database cannot store NUL, and a terminal obeys the rest. Bidirectional controls are part of how people
/// write and stay; [`display`] takes them out where text meets other text.
pub fn parse(limit: usize, text: &str) -> Result<String, TextError> {
    let refused = |character: &char| character.is_control() && !matches!(character, '\n' | '\t');
    if let Some(character) = text.chars().find(refused) {
        return Err(TextError::ControlCharacter { character });
    }
    normal(limit, text)
}

/// As [`parse`], and refuses text that is empty or only white space.
pub fn parse_required(limit: usize, text: &str) -> Result<String, TextError> {
    not_blank(text)?;
    parse(limit, text)
}

/// One line of free text: no control at all, and no separator of lines or paragraphs.
pub fn line(limit: usize, text: &str) -> Result<String, TextError> {
    if let Some(character) = text.chars().find(|character| ends_a_line(*character)) {
        return Err(TextError::ControlCharacter { character });
    }
    normal(limit, text)
}

/// As [`line`], and refuses one that is empty or only white space.
pub fn line_required(limit: usize, text: &str) -> Result<String, TextError> {
    not_blank(text)?;
    line(limit, text)
}

/// A name: one line without characters that are not seen, such as those that reorder what is around them, joiners and
/// blanks without width.
pub fn name(limit: usize, text: &str) -> Result<String, TextError> {
    if let Some(character) = text.chars().find(|character| is_unseen(*character)) {
        return Err(TextError::UnseenCharacter { character });
    }
    line(limit, text)
}

/// As [`name`], and refuses a name that is empty or only white space.
pub fn name_required(limit: usize, text: &str) -> Result<String, TextError> {
    not_blank(text)?;
    name(limit, text)
}

/// Whether text of any length could be a name, normal form aside.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|character| ends_a_line(character) || is_unseen(character))
}

/// The text as it may stand in a line of output: without the controls that reorder what is around
/// them, by which a name could make a table or a log line read otherwise.
pub fn display(text: &str) -> String {
    text.chars().filter(|character| !is_bidi_control(*character)).collect()
}

fn normal(limit: usize, text: &str) -> Result<String, TextError> {
    let normal = if is_nfc(text) { text.to_owned() } else { text.nfc().collect() };
    let length = normal.chars().count();
    if length > limit { Err(TextError::TooLong { length, limit }) } else { Ok(normal) }
}

fn not_blank(text: &str) -> Result<(), TextError> {
    if text.trim().is_empty() { Err(TextError::Empty) } else { Ok(()) }
}

/// C0, DEL and C1, and Unicode's own separators of lines and paragraphs.
fn ends_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Unicode's format characters (category Cf), with the places that are kept for more of them.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{600}'..='\u{605}'
            | '\u{61C}'
            | '\u{6DD}'
            | '\u{70F}'
            | '\u{890}'..='\u{891}'
            | '\u{8E2}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{110BD}'
            | '\u{110CD}'
            | '\u{13430}'..='\u{1343F}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E007F}'
    )
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
            TextError::ControlCharacter { .. } | TextError::UnseenCharacter { .. } => {
                Self::new(Reason::FieldInvalid, message)
            }
        }
    }
}
