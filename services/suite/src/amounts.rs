//! Amounts as people write them: decimal text in major units of a currency.

use anyhow::{Context, Result, ensure};
use proto::order::v1::TenderInput;
use types::money::UnitPrice;
use types::{Currency, Quantity};

/// "3.95" of GBP → 395. More decimals than the currency has are refused, not rounded.
pub fn minor(currency: Currency, text: &str) -> Result<i64> {
    let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len());
    let most = usize::try_from(currency.exponent())?;
    ensure!(decimals <= most, "{text} has more decimals than {} has ({most})", currency.code());
    product(currency, text, 1)
}

/// A payment as people write it; its amount is one of the order's currency, which is known later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenTender {
    gateway: String,
    token: String,
    amount: String,
}

impl WrittenTender {
    /// GATEWAY:TOKEN=AMOUNT, such as sandbox:tok_approve=50.00.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed = text.split_once(':').and_then(|(gateway, rest)| {
            let (token, amount) = rest.rsplit_once('=')?;
            Some(Self { gateway: gateway.to_owned(), token: token.to_owned(), amount: amount.to_owned() })
        });
        parsed.ok_or_else(|| {
            format!("\"{text}\" is not GATEWAY:TOKEN=AMOUNT, such as sandbox:tok_approve=50.00")
        })
    }
}

/// Payments of an order, captured at once.
pub fn tenders(currency_code: &str, written: &[WrittenTender]) -> Result<Vec<TenderInput>> {
    let currency = Currency::parse(currency_code)?;
    let tender = |written: &WrittenTender| {
        Ok(TenderInput {
            gateway: written.gateway.clone(),
            payment_token: written.token.clone(),
            amount_minor: minor(currency, &written.amount)?,
            capture_now: true,
        })
    };
    written.iter().map(tender).collect()
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
        let tender = WrittenTender::parse("sandbox:tok_approve=50.5").unwrap();
        assert_eq!(tenders("GBP", std::slice::from_ref(&tender)).unwrap()[0].amount_minor, 5_050);
        assert!(tenders("JPY", &[tender]).is_err(), "there is no half yen");
        assert!(WrittenTender::parse("sandbox=50.00").is_err());
        assert_eq!([decimal(gbp, -5), decimal(jpy, 395), decimal(kwd, 395)], ["-0.05", "395", "0.395"]);
    }
}
