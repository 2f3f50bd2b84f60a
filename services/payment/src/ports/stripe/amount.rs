//! Amounts as Stripe writes them: minor units of its own list of currencies, which is not ISO 4217's.

use types::Currency;

/// Without decimals at Stripe.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// Whole currencies that Stripe still writes with two decimals, always 00.
const WHOLE_WITH_CENTS: [&str; 2] = ["ISK", "UGX"];
/// With three decimals at Stripe, the last always 0.
const THREE_DECIMALS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Stripe cannot move this amount; asking would be refused, or worse, move another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountRefused {
    #[error("Stripe has no currency {0}")]
    Currency(Currency),
    #[error("{amount_minor} minor units of {currency} are not a multiple of {step_minor}, as Stripe's are")]
    Step { currency: Currency, amount_minor: i64, step_minor: i64 },
    #[error("the amount is out of range")]
    Range,
}

/// Our minor units in Stripe's.
pub fn to_stripe(currency: Currency, amount_minor: i64) -> Result<i64, AmountRefused> {
    let (decimals, step_minor) = rule(currency)?;
    if amount_minor % step_minor != 0 {
        return Err(AmountRefused::Step { currency, amount_minor, step_minor });
    }
    let ours = currency.exponent();
    if ours > decimals {
        return Ok(amount_minor / 10_i64.pow(ours - decimals));
    }
    amount_minor.checked_mul(10_i64.pow(decimals - ours)).ok_or(AmountRefused::Range)
}

/// Stripe's minor units in ours.
pub fn from_stripe(currency: Currency, amount: i64) -> Result<i64, AmountRefused> {
    let (decimals, _) = rule(currency)?;
    let ours = currency.exponent();
    if ours > decimals {
        return amount.checked_mul(10_i64.pow(ours - decimals)).ok_or(AmountRefused::Range);
    }
    let unit = 10_i64.pow(decimals - ours);
    if amount % unit == 0 { Ok(amount / unit) } else { Err(AmountRefused::Range) }
}

/// How many decimals Stripe writes, and of what our amounts have to be a multiple.
fn rule(currency: Currency) -> Result<(u32, i64), AmountRefused> {
    let (code, ours) = (currency.code(), currency.exponent());
    if WHOLE.contains(&code) {
        return Ok((0, 10_i64.pow(ours)));
    }
    if WHOLE_WITH_CENTS.contains(&code) {
        return Ok((2, 1));
    }
    if THREE_DECIMALS.contains(&code) {
        return Ok((3, 10));
    }
    if ours == 2 { Ok((2, 1)) } else { Err(AmountRefused::Currency(currency)) }
}

#[cfg(test)]
mod tests {
    use crate::domain::gateway::Capabilities;
    use crate::ports::stripe::Stripe;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn amounts_follow_stripes_own_exceptions() {
        for (code, ours, stripes) in [
            ("GBP", 1_234, 1_234),
            ("JPY", 500, 500),
            ("ISK", 500, 50_000),
            ("UGX", 7, 700),
            ("KWD", 1_230, 1_230),
            ("MGA", 500, 5),
            ("VND", 9, 9),
        ] {
            assert_eq!(to_stripe(currency(code), ours), Ok(stripes), "{code}");
            assert_eq!(from_stripe(currency(code), stripes), Ok(ours), "{code}");
        }
    }

    #[test]
    fn amounts_that_stripe_cannot_write_are_refused_and_not_rounded() {
        assert!(matches!(to_stripe(currency("KWD"), 1_234), Err(AmountRefused::Step { step_minor: 10, .. })));
        assert!(matches!(to_stripe(currency("MGA"), 50), Err(AmountRefused::Step { step_minor: 100, .. })));
        assert_eq!(to_stripe(currency("CLF"), 1), Err(AmountRefused::Currency(currency("CLF"))));
        assert_eq!(to_stripe(currency("ISK"), i64::MAX), Err(AmountRefused::Range));
        assert_eq!(from_stripe(currency("ISK"), 50), Err(AmountRefused::Range), "half a krona");
    }

    #[test]
    fn the_declared_step_is_the_one_that_is_taken() {
        let capabilities: Capabilities = Stripe::CAPABILITIES;
        for code in ["GBP", "JPY", "ISK", "UGX", "KWD", "BHD", "MGA"] {
            let step = capabilities.step_minor(currency(code));
            assert!(to_stripe(currency(code), step).is_ok(), "{code}");
            assert!(step == 1 || to_stripe(currency(code), step / 10).is_err(), "{code}");
        }
    }
}
