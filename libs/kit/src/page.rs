//! Pages of a listing: how many, and after which key.
//!
//! A token is the last key of the page before, signed, and bound to its listing (RPC, tenant, filter): one that was
//! made up, or carried to another listing, is refused instead of skipping rows. It grants nothing all the same: the
//! query still names the tenant.

use std::fmt;

use types::{Reason, Tenant};

use crate::failure::Failure;
use crate::seal::Seal;

pub const SIZE_DEFAULT: i64 = 50;
pub const SIZE_MAX: i64 = 200;
/// No key part may hold it: keys are ids, names and numbers.
const SEPARATOR: char = '\u{1f}';
/// What tokens of pages are told apart by from others that the seal closes.
const PURPOSE: &str = "page";

/// What a token is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    rpc: &'static str,
    tenant: Tenant,
    filter: String,
}

impl Listing {
    /// `filter` is whatever of the request chooses the rows or their order.
    pub fn new(rpc: &'static str, tenant: &Tenant, filter: &impl fmt::Debug) -> Self {
        Self { rpc, tenant: tenant.clone(), filter: format!("{filter:?}") }
    }

    fn bound(&self) -> [&str; 4] {
        [PURPOSE, self.rpc, self.tenant.as_str(), &self.filter]
    }
}

/// One page of a listing as asked for.
#[derive(Debug, Clone)]
pub struct Page {
    size: i64,
    /// The key of the last row already seen.
    after: Option<Vec<String>>,
    seal: Seal,
    listing: Listing,
}

impl Page {
    pub fn parse(seal: &Seal, listing: Listing, size: i32, token: &str) -> Result<Self, Failure> {
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
        let after = match token {
            "" => None,
            token => Some(decode(seal, &listing, token).ok_or_else(|| {
                Failure::invalid(
                    "page_token",
                    Reason::PageTokenInvalid,
                    "page_token must come from the page before of this same listing",
                )
            })?),
        };
        Ok(Self { size, after, seal: seal.clone(), listing })
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
        debug_assert!(key.iter().all(|part| !part.contains(SEPARATOR)), "a key part holds the separator");
        self.seal.close(&self.listing.bound(), &key.join(&SEPARATOR.to_string()))
    }
}

fn decode(seal: &Seal, listing: &Listing, token: &str) -> Option<Vec<String>> {
    let key = seal.open(&listing.bound(), token)?;
    Some(key.split(SEPARATOR).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (&'static str, i64);

    fn seal() -> Seal {
        Seal::new(b"a secret of at least thirty-two bytes")
    }

    fn listing(tenant: &str, filter: &str) -> Listing {
        Listing::new("ListOrders", &Tenant::parse(tenant).unwrap(), &filter)
    }

    fn parsed(size: i32, token: &str) -> Result<Page, Failure> {
        Page::parse(&seal(), listing("default", "open"), size, token)
    }

    fn key(row: &Row) -> Vec<String> {
        vec![row.0.to_owned(), row.1.to_string()]
    }

    fn rows(count: i64) -> Vec<Row> {
        (1..=count).map(|number| ("2026-11-21", number)).collect()
    }

    #[test]
    fn a_full_page_has_a_token_that_leads_behind_its_last_row() {
        let page = parsed(2, "").unwrap();
        let mut rows = rows(3);

        let token = page.finish(&mut rows, key);

        assert_eq!(rows.len(), 2);
        let next = parsed(2, &token).unwrap();
        assert_eq!(next.after(2).unwrap().unwrap(), ["2026-11-21", "2"]);
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = parsed(2, "").unwrap();

        assert_eq!(page.finish(&mut rows(2), key), "");
    }

    #[test]
    fn the_size_has_a_default_and_a_limit() {
        assert_eq!(parsed(0, "").unwrap().size, 50);
        assert_eq!(parsed(10_000, "").unwrap().size, 200);
        assert_eq!(parsed(-1, "").unwrap_err().reason(), Reason::FieldInvalid);
    }

    #[test]
    fn a_token_of_another_listing_is_refused() {
        let token = parsed(1, "").unwrap().finish(&mut rows(2), key);
        let default = Tenant::default();
        let others = [
            (seal(), listing("other", "open")),
            (seal(), listing("default", "closed")),
            (seal(), Listing::new("ListChangeOrders", &default, &"open")),
            (Seal::new(b"another service's secret"), listing("default", "open")),
        ];
        for (seal, other) in others {
            let error = Page::parse(&seal, other.clone(), 1, &token).unwrap_err();

            assert_eq!(error.reason(), Reason::PageTokenInvalid, "{other:?}");
        }
        assert!(parsed(1, &token).is_ok());
    }

    #[test]
    fn a_token_that_was_made_up_is_refused() {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let token = parsed(1, "").unwrap().finish(&mut rows(2), key);
        let mut sealed = URL_SAFE_NO_PAD.decode(token).unwrap();
        let last = sealed.len() - 1;
        assert_eq!(sealed[last], b'1');
        sealed[last] = b'9';

        let error = parsed(1, &URL_SAFE_NO_PAD.encode(sealed)).unwrap_err();

        assert_eq!(error.reason(), Reason::PageTokenInvalid);
    }

    #[test]
    fn rubbish_is_not_a_token() {
        for token in ["!", "AAAA", "a b", "=", &"A".repeat(3_000)] {
            assert_eq!(parsed(1, token).unwrap_err().reason(), Reason::PageTokenInvalid, "{token}");
        }
    }

    #[test]
    fn a_token_with_another_number_of_parts_is_refused() {
        let token = parsed(1, "").unwrap().finish(&mut rows(2), key);

        let page = parsed(1, &token).unwrap();

        assert_eq!(page.after(1).unwrap_err().reason(), Reason::PageTokenInvalid);
    }
}
