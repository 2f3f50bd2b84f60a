//! Amounts as people write them: decimal text in major units of a currency.

use anyhow::{Context, Result, ensure};
use types::money::UnitPrice;
use types::{Currency, Quantity};

/// "3.95" of GBP → 395. More decimals than the currency has are refused, not rounded.
pub fn minor(currency: Currency, text: &str) -> Result<i64> {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
    let most = usize::try_from(currency.exponent())?;
    ensure!(decimals <= most, "{text} has more decimals than {} has ({most})", currency.code());
    product(currency, text, 1)
}

/// Units times price, rounded half-even as the services do.
pub fn product(currency: Currency, price: &str, units: i64) -> Result<i64> {
    let price =
        UnitPrice::parse(price).with_context(|| format!("{price:?} is not an amount such as 3.95"))?;
    Ok(price.times(Quantity::parse(units)?, currency)?.minor())
}

/// 395 of GBP → "3.95", without the currency.
pub fn decimal(currency: Currency, minor: i64) -> String {
    let places = usize::try_from(currency.exponent()).unwrap_or_default();
    let digits = format!("{:0>1$}", minor.unsigned_abs(), places + 1);
    let (whole, decimals) = digits.split_at(digits.len() - places);
    let sign = if minor < 0 { "-" } else { "" };
    if decimals.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_currency_says_how_many_decimals_there_are() {
        let [gbp, jpy, kwd] = ["GBP", "JPY", "KWD"].map(|code| Currency::parse(code).unwrap());
        assert_eq!(minor(gbp, "3.95").unwrap(), 395);
        assert_eq!(minor(gbp, "3.950").unwrap(), 395);
        assert_eq!(minor(jpy, "395").unwrap(), 395);
        assert_eq!(minor(kwd, "0.395").unwrap(), 395);
        assert!(minor(gbp, "3.955").is_err());
        assert!(minor(gbp, "-1").is_err());
        assert_eq!([decimal(gbp, -5), decimal(jpy, 395), decimal(kwd, 395)], ["-0.05", "395", "0.395"]);
    }
}
