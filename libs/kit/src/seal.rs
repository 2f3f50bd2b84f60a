//! [`Seal`]: signs what a service hands out and wants to get back unchanged, such as the tokens of pages.
//!
//! A token is bound: it is good only where it is opened with the words it was closed with. It hides nothing.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

/// The whole digest.
const SIGNATURE_BYTES: usize = 32;
const TOKEN_LENGTH_MAX: usize = 2_048;

/// The service's own secret, ready to sign. Clones share it.
#[derive(Clone)]
pub struct Seal(Arc<hmac::Key>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl Seal {
    pub fn new(secret: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// A secret for one other purpose, which tells nothing about this one.
    pub fn subkey(&self, purpose: &str) -> Vec<u8> {
        hmac::sign(&self.0, &message(&["subkey", purpose], "")).as_ref().to_vec()
    }

    /// A token of this text, good only with the same `bound`.
    pub fn close(&self, bound: &[&str], text: &str) -> String {
        let signature = hmac::sign(&self.0, &message(bound, text));
        let sealed = [signature.as_ref(), text.as_bytes()].concat();
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The text of a token that was closed here, with this `bound`. The comparison takes the same time wherever it
    /// differs.
    pub fn open(&self, bound: &[&str], token: &str) -> Option<String> {
        if token.len() > TOKEN_LENGTH_MAX {
            return None;
        }
        let sealed = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (signature, text) = sealed.split_at_checked(SIGNATURE_BYTES)?;
        let text = str::from_utf8(text).ok()?;
        let holds = hmac::verify(&self.0, &message(bound, text), signature);
        holds.ok().map(|()| text.to_owned())
    }
}

/// Each part stands behind its length, so that no byte can move from one to the next.
fn message(bound: &[&str], text: &str) -> Vec<u8> {
    let mut message = Vec::new();
    for part in bound.iter().copied().chain([text]) {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part.as_bytes());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal::new(b"a secret of at least thirty-two bytes")
    }

    #[test]
    fn a_token_opens_where_it_was_closed_and_nowhere_else() {
        let token = seal().close(&["page", "acme"], "2026-11-21");

        assert_eq!(seal().open(&["page", "acme"], &token), Some("2026-11-21".to_owned()));
        for bound in [&["page", "other"] as &[&str], &["pag", "eacme"], &["page"], &["page", "acme", ""]] {
            assert_eq!(seal().open(bound, &token), None, "{bound:?}");
        }
        assert_eq!(Seal::new(b"another secret").open(&["page", "acme"], &token), None);
    }

    #[test]
    fn nothing_but_our_own_signature_makes_a_token() {
        let bytes = URL_SAFE_NO_PAD.decode(seal().close(&["page"], "7")).unwrap();
        let longer = [bytes.as_slice(), b"0"].concat();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            assert_eq!(seal().open(&["page"], &URL_SAFE_NO_PAD.encode(forged)), None, "byte {at}");
        }
        for forged in [&bytes[..SIGNATURE_BYTES], &bytes[1..], &longer, b"7", b""] {
            assert_eq!(seal().open(&["page"], &URL_SAFE_NO_PAD.encode(forged)), None);
        }
        assert_eq!(seal().open(&["page"], &"A".repeat(TOKEN_LENGTH_MAX + 4)), None);
    }

    #[test]
    fn a_subkey_is_not_the_secret_of_another_purpose() {
        assert_ne!(seal().subkey("quote"), seal().subkey("page"));
        assert!(!format!("{:?}", seal()).contains("secret"));
    }
}
