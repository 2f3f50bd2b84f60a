//! The amounts by tender that a quote has promised.

use std::collections::BTreeMap;

use types::{Fingerprint, Reason, Refusal};

use super::split::Share;

/// How much each tender was going to give back when the quote was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quoted {
    pub amount_minor: i64,
    pub fingerprint: Fingerprint,
}

impl Quoted {
    /// Refuses if other amounts would move now.
    pub(super) fn check(&self, shares: &[Share]) -> Result<(), Refusal> {
        let mut by_tender: BTreeMap<String, i64> = BTreeMap::new();
        for share in shares {
            *by_tender.entry(share.payment_id.to_string()).or_default() += share.amount_minor;
        }
        if Fingerprint::of_amounts(&by_tender) == self.fingerprint {
            return Ok(());
        }
        let amount: i64 = by_tender.values().sum();
        let message = "something else would go back than was quoted; preview the change again";
        Err(Refusal::new(Reason::QuoteStale, message)
            .detail("quoted_minor", self.amount_minor)
            .detail("amount_minor", amount)
            .detail("difference_minor", amount - self.amount_minor))
    }
}
