//! What a refund is made of: its share of its change's price, to the last unit.

use types::money::telescope;

use super::account::{Account, Hold};
use super::refund::Refund;
use super::reply::Leg;

/// What a change's amount is made of, as the order priced it:
/// gross - discount + tax + shipping + shipping tax - fee. Tax within the prices is part of gross.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    pub gross_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub shipping_minor: i64,
    pub shipping_tax_minor: i64,
    pub fee_minor: i64,
    /// Within gross.
    pub included_tax_minor: i64,
}

impl Parts {
    pub const fn sum(&self) -> i64 {
        self.gross_minor - self.discount_minor
            + self.tax_minor
            + self.shipping_minor
            + self.shipping_tax_minor
            - self.fee_minor
    }

    fn each(&self, part: impl Fn(i64) -> i64) -> Self {
        Self {
            gross_minor: part(self.gross_minor),
            discount_minor: part(self.discount_minor),
            tax_minor: part(self.tax_minor),
            shipping_minor: part(self.shipping_minor),
            shipping_tax_minor: part(self.shipping_tax_minor),
            fee_minor: part(self.fee_minor),
            included_tax_minor: part(self.included_tax_minor),
        }
    }
}

/// One refund explained: the parts, the remainder, what was carried over and what nobody here asked
/// for sum to its amount.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    pub parts: Parts,
    /// The indivisible units that dividing each part over the tenders left with this one.
    pub remainder_minor: i64,
    /// Owed by earlier changes; negative where less was paid than the change is worth.
    pub carried_minor: i64,
    /// Given back at the gateway by somebody else, or taken too late: no change explains it.
    pub elsewhere_minor: i64,
    /// Given back beyond what the order is worth less, because a person said so.
    pub over_minor: i64,
    /// How the whole change goes back.
    pub tenders: Vec<Leg>,
}

impl Explanation {
    pub const fn sum(&self) -> i64 {
        self.parts.sum() + self.remainder_minor + self.carried_minor + self.elsewhere_minor + self.over_minor
    }
}

/// The part of a change that falls to the units `from..to` of `whole`: running totals telescope, so
/// all shares together are the parts exactly.
fn share(hold: &Hold, whole_minor: i64, from_minor: i64, to_minor: i64) -> Explanation {
    let of = |amount| telescope(amount, whole_minor, from_minor, to_minor);
    let carried = whole_minor - hold.parts.sum() - hold.over_minor;
    Explanation {
        parts: hold.parts.each(of),
        carried_minor: of(carried),
        over_minor: of(hold.over_minor),
        ..Explanation::default()
    }
}

impl Account {
    /// What a refund is made of. What makes good another one, or what is left of it, is made of the same.
    pub fn explain(&self, refund: &Refund) -> Explanation {
        let first = self.first_try(refund);
        let Some(hold) = self.holds.get(&first.saga_id).filter(|_| first.change_order_id.is_some()) else {
            return Explanation { elsewhere_minor: refund.amount_minor, ..Explanation::default() };
        };
        let legs: Vec<&Refund> = self
            .refunds
            .values()
            .filter(|leg| {
                leg.saga_id == hold.saga_id && leg.change_order_id.is_some() && leg.retry_of.is_none()
            })
            .collect();
        let whole: i64 = legs.iter().map(|leg| leg.amount_minor).sum();
        let before: i64 =
            legs.iter().take_while(|leg| leg.refund_id != first.refund_id).map(|leg| leg.amount_minor).sum();
        // A later try may be for less than the first one.
        let to = before + refund.amount_minor.min(first.amount_minor);
        let share = share(hold, whole, before, to);
        Explanation {
            remainder_minor: refund.amount_minor - share.sum(),
            tenders: legs.into_iter().map(Refund::leg).collect(),
            ..share
        }
    }

    fn first_try<'a>(&'a self, refund: &'a Refund) -> &'a Refund {
        let mut first = refund;
        // Each is older than the one that makes it good, so this ends.
        while let Some(earlier) = first.retry_of.as_ref().and_then(|id| self.refunds.get(id)) {
            first = earlier;
        }
        first
    }
}
