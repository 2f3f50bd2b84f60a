use proptest::prelude::*;
use types::money::AMOUNT_MINOR_MAX;
use types::{Currency, Money, MoneyError, Quantity, Reason, Refusal, UnitPrice};

use super::many_cases;

const WITHOUT_DECIMALS: &str = "JPY KRW VND CLP ISK UGX XAF XOF XPF BIF DJF GNF KMF PYG RWF VUV";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR_DECIMALS: &str = "CLF UYW";
const TWO_DECIMALS: &str = "GBP EUR USD BRL INR CNY AUD CHF SEK PLN MRU MGA HUF TWD IDR";

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("a known code")
}

fn quantity(value: i64) -> Quantity {
    Quantity::parse(value).expect("a valid quantity")
}

fn price(text: &str) -> UnitPrice {
    UnitPrice::parse(text).expect("a valid price")
}

fn money(code: &str, minor: i64) -> Money {
    Money::parse(code, minor).expect("a valid amount")
}

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn a_line_amount_is_the_product_rounded_half_to_even(
        millionths in 0_i64..100_000_000_000, units in 1_i64..=1_000_000,
        code in prop::sample::select(vec!["JPY", "GBP", "KWD", "CLF"]),
    ) {
        let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        let unit = 10_i128.pow(currency(code).exponent());

        let exact = i128::from(millionths) * i128::from(units) * unit;
        match price(&text).times(quantity(units), currency(code)) {
            Ok(amount) => {
                let error = exact - i128::from(amount.minor()) * 1_000_000;
                prop_assert!(error.abs() <= 500_000);
                prop_assert!(error.abs() < 500_000 || amount.minor() % 2 == 0, "a tie went to the odd neighbour");
            }
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Overflow);
                prop_assert!(exact / 1_000_000 >= i128::from(AMOUNT_MINOR_MAX));
            }
        }
    }

    #[test]
    fn a_price_of_whole_minor_units_has_no_rounding(
        minor in 0_i64..=1_000_000_000, units in 1_i64..=1_000_000,
        code in prop::sample::select(vec!["JPY", "GBP", "KWD", "CLF"]),
    ) {
        let amount = UnitPrice::of_money(money(code, minor)).unwrap().times(quantity(units), currency(code)).unwrap();

        prop_assert_eq!(amount, money(code, minor * units));
    }

    #[test]
    fn a_price_survives_its_text(millionths in 0_i64..1_000_000_000_000_000_000) {
        let parsed = price(&format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000));

        prop_assert_eq!(price(&parsed.to_string()), parsed);
    }

    #[test]
    fn a_price_is_read_or_refused_but_never_guessed(text in "[0-9]{0,14}[.,eE+ -]?[0-9]{0,8}") {
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let valid = digits(whole) && digits(decimals) && whole.len() <= 12 && decimals.len() <= 6;

        prop_assert_eq!(UnitPrice::parse(&text).is_ok(), valid, "{}", text);
    }

    #[test]
    fn adding_and_taking_away_return_to_the_start(
        left in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, right in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX,
    ) {
        let (left, right) = (money("GBP", left), money("GBP", right));

        match left.plus(right) {
            Ok(sum) => prop_assert_eq!(sum.minus(right), Ok(left)),
            Err(error) => {
                prop_assert_eq!(error, MoneyError::Overflow);
                prop_assert!((left.minor() + right.minor()).abs() > AMOUNT_MINOR_MAX);
            }
        }
    }

    #[test]
    fn the_shown_amount_has_the_digits_of_the_minor_units(
        minor in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX,
        code in prop::sample::select(vec!["JPY", "GBP", "KWD", "CLF"]),
    ) {
        let shown = money(code, minor).to_string();

        let amount = shown.strip_prefix(code).and_then(|rest| rest.strip_prefix(' ')).unwrap();
        let decimals = amount.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        prop_assert_eq!(decimals, currency(code).exponent() as usize);
        prop_assert_eq!(amount.replace('.', "").parse::<i64>().unwrap(), minor);
    }
}

#[test]
fn exponents_are_those_of_iso_4217() {
    let table = [(WITHOUT_DECIMALS, 0), (TWO_DECIMALS, 2), (THREE_DECIMALS, 3), (FOUR_DECIMALS, 4)];

    for (codes, exponent) in table {
        for code in codes.split(' ') {
            assert_eq!(currency(code).exponent(), exponent, "{code}");
        }
    }
}

#[test]
fn only_the_upper_case_code_of_a_currency_with_a_minor_unit_is_read() {
    for code in ["gbp", "Gbp", "", "GB", "GBPX", "XXX", "XAU", "XTS", "£", "826"] {
        let refusal = Refusal::from(Currency::parse(code).unwrap_err());
        assert_eq!(refusal.reason, Reason::CurrencyUnknown, "{code:?}");
    }
}

#[test]
fn amounts_are_shown_with_code_and_all_decimals() {
    let cases = [
        ("GBP", 1234, "GBP 12.34"),
        ("GBP", -5, "GBP -0.05"),
        ("GBP", 0, "GBP 0.00"),
        ("JPY", 1200, "JPY 1200"),
        ("JPY", -7, "JPY -7"),
        ("KWD", 1234, "KWD 1.234"),
        ("CLF", 12345, "CLF 1.2345"),
    ];

    for (code, minor, shown) in cases {
        assert_eq!(money(code, minor).to_string(), shown);
    }
}

#[test]
fn line_amounts_are_rounded_once_in_the_currency_of_the_line() {
    let cases = [
        ("2.55", 6, "GBP", 1530),
        ("0.005", 1, "GBP", 0),
        ("0.015", 1, "GBP", 2),
        ("0.025", 1, "GBP", 2),
        ("0.0375", 3, "GBP", 11),
        ("0.5", 1, "JPY", 0),
        ("1.5", 1, "JPY", 2),
        ("1.2345", 1, "KWD", 1234),
        ("0", 1_000_000, "GBP", 0),
        ("999999999999.99", 1, "GBP", 99_999_999_999_999),
    ];

    for (text, units, code, minor) in cases {
        assert_eq!(
            price(text).times(quantity(units), currency(code)),
            Ok(money(code, minor)),
            "{units} x {text}"
        );
    }
    assert_eq!(price("999999999999").times(quantity(1_000_000), currency("GBP")), Err(MoneyError::Overflow));
    assert_eq!(price("999999999999").times(quantity(1_000_000), currency("CLF")), Err(MoneyError::Overflow));
}

#[test]
fn currencies_do_not_mix() {
    let (pounds, yen) = (money("GBP", 1), money("JPY", 1));

    for result in
        [pounds.plus(yen), pounds.minus(yen), pounds.lower(yen), Money::sum(pounds.currency(), [yen])]
    {
        let error = result.unwrap_err();
        assert_eq!(error, MoneyError::CurrencyMismatch { left: pounds.currency(), right: yen.currency() });
        assert_eq!(Refusal::from(error).reason, Reason::CurrencyMismatch);
    }
}

#[test]
fn an_amount_beyond_the_bound_is_refused() {
    for minor in [AMOUNT_MINOR_MAX + 1, -AMOUNT_MINOR_MAX - 1, i64::MAX, i64::MIN] {
        assert_eq!(Money::parse("GBP", minor), Err(MoneyError::Overflow));
    }
    assert_eq!(money("GBP", AMOUNT_MINOR_MAX).plus(money("GBP", 1)), Err(MoneyError::Overflow));
}

#[test]
fn a_quantity_is_one_to_a_million() {
    for value in [1, 2, 1_000_000] {
        assert_eq!(quantity(value).get(), value);
    }
    for value in [0, -1, 1_000_001, i64::MAX, i64::MIN] {
        let refusal = Refusal::from(Quantity::parse(value).unwrap_err());
        assert_eq!(refusal.reason, Reason::QuantityOutOfRange);
        assert_eq!(refusal.details["quantity"], value.to_string());
    }
}
