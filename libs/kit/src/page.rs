//! Pages of a listing: how many, and after which key.
//!
//! A token is the last key of the page before, opaque to callers, and bound to its listing (method,
//! tenant, filter), so that a token carried to another listing is refused instead of skipping rows.
//! It grants nothing: the query still names the tenant.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use types::{Fingerprint, Reason};

use crate::failure::Failure;

pub const SIZE_DEFAULT: i64 = 50;
pub const SIZE_MAX: i64 = 200;
const TOKEN_LENGTH_MAX: usize = 2_048;
const BINDING_LENGTH: usize = 16;
/// No key part may hold it: keys are ids, names and numbers.
const SEPARATOR: char = '\u{1f}';

/// One page of a listing as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    size: i64,
    /// The key of the last row already seen.
    after: Option<Vec<String>>,
    binding: String,
}

impl Page {
    /// `listing` is what a token is bound to: the method, the tenant and the filter.
    pub fn parse(size: i32, token: &str, listing: &[&str]) -> Result<Self, Failure> {
        let size = match i64::from(size) {
            0 => SIZE_DEFAULT,
            size if size < 0 => {
                return Err(Failure::invalid(
                    "page_size",
                    Reason::FieldInvalid,
                    "page_size must not be negative",
                ));
            }
            size => size.min(SIZE_MAX),
        };
        let binding = binding(listing);
        let after = match token {
            "" => None,
            token => Some(decode(token, &binding).ok_or_else(|| {
                Failure::invalid(
                    "page_token",
                    Reason::PageTokenInvalid,
                    "page_token must come from the page before of this same listing",
                )
            })?),
        };
        Ok(Self { size, after, binding })
    }

    /// How many rows to read: one more than the page holds, to learn whether another follows.
    pub fn limit(&self) -> i64 {
        self.size + 1
    }

    /// The key's parts as the last page left them; `parts` is how many a key of this listing has.
    pub fn after(&self, parts: usize) -> Result<Option<&[String]>, Failure> {
        match &self.after {
            None => Ok(None),
            Some(key) if key.len() == parts => Ok(Some(key)),
            Some(_) => Err(Failure::invalid(
                "page_token",
                Reason::PageTokenInvalid,
                "page_token belongs to another version of this listing",
            )),
        }
    }

    /// Cuts the extra row off and makes the token of the next page; empty when this is the last one.
    pub fn finish<T>(&self, rows: &mut Vec<T>, key: impl Fn(&T) -> Vec<String>) -> String {
        let size = usize::try_from(self.size).expect("a page size is between 1 and 200");
        if rows.len() <= size {
            return String::new();
        }
        rows.truncate(size);
        rows.last().map(|row| self.token(&key(row))).unwrap_or_default()
    }

    /// The token of the page that begins behind `key`, for rows that were cut elsewhere.
    pub fn token(&self, key: &[String]) -> String {
        encode(&self.binding, key)
    }
}

fn binding(listing: &[&str]) -> String {
    let parts: Vec<&[u8]> = listing.iter().map(|part| part.as_bytes()).collect();
    Fingerprint::of(&parts).as_str()[..BINDING_LENGTH].to_owned()
}

fn encode(binding: &str, key: &[String]) -> String {
    debug_assert!(key.iter().all(|part| !part.contains(SEPARATOR)), "a key part holds the separator");
    URL_SAFE_NO_PAD.encode(format!("{binding}{SEPARATOR}{}", key.join(&SEPARATOR.to_string())))
}

fn decode(token: &str, binding: &str) -> Option<Vec<String>> {
    if token.len() > TOKEN_LENGTH_MAX {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let key = text.strip_prefix(binding)?.strip_prefix(SEPARATOR)?;
    Some(key.split(SEPARATOR).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, i64);

    const LISTING: [&str; 2] = ["ListOrders", "default"];

    fn key(row: &Row) -> Vec<String> {
        vec![row.0.to_owned(), row.1.to_string()]
    }

    fn rows(count: i64) -> Vec<Row> {
        (1..=count).map(|number| ("2026-11-21", number)).collect()
    }

    #[test]
    fn a_full_page_has_a_token_that_leads_behind_its_last_row() {
        let page = Page::parse(2, "", &LISTING).unwrap();
        let mut rows = rows(3);

        let token = page.finish(&mut rows, key);

        assert_eq!(rows.len(), 2);
        let next = Page::parse(2, &token, &LISTING).unwrap();
        assert_eq!(next.after(2).unwrap().unwrap(), ["2026-11-21", "2"]);
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = Page::parse(2, "", &LISTING).unwrap();

        assert_eq!(page.finish(&mut rows(2), key), "");
    }

    #[test]
    fn the_size_has_a_default_and_a_limit() {
        assert_eq!(Page::parse(0, "", &LISTING).unwrap().size, 50);
        assert_eq!(Page::parse(10_000, "", &LISTING).unwrap().size, 200);
        assert_eq!(Page::parse(-1, "", &LISTING).unwrap_err().reason(), Reason::FieldInvalid);
    }

    #[test]
    fn a_token_of_another_listing_is_refused() {
        let token = Page::parse(1, "", &LISTING).unwrap().finish(&mut rows(2), key);

        let error = Page::parse(1, &token, &["ListOrders", "other"]).unwrap_err();

        assert_eq!(error.reason(), Reason::PageTokenInvalid);
    }

    #[test]
    fn rubbish_is_not_a_token() {
        for token in ["!", "AAAA", "a b", "=", &"A".repeat(3_000)] {
            assert_eq!(
                Page::parse(1, token, &LISTING).unwrap_err().reason(),
                Reason::PageTokenInvalid,
                "{token}"
            );
        }
    }

    #[test]
    fn a_token_with_another_number_of_parts_is_refused() {
        let token = Page::parse(1, "", &LISTING).unwrap().finish(&mut rows(2), key);

        let page = Page::parse(1, &token, &LISTING).unwrap();

        assert_eq!(page.after(1).unwrap_err().reason(), Reason::PageTokenInvalid);
    }
}
