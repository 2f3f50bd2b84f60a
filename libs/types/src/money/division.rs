//! Dividing an amount so that the parts sum to it exactly, to the last minor unit.
//!
//! Both ways compute in `i128` and end within the amount, so neither can overflow. They panic on
//! arguments that no valid order can produce (negative weights, more units than there are): those
//! are defects of the caller, and an answer would be a wrong amount of money.

use std::cmp::Reverse;

use super::MoneyError;

/// Divides `amount` in proportion to `weights` by largest remainder.
///
/// Every part is the floor of its exact share, and the units left over go one each to the largest
/// remainders; a tie goes to the larger weight, then to the lower index, so that the result never
/// depends on chance. If all weights are zero they count as equal. A negative amount is divided by
/// its magnitude and negated, so that a charge and its reversal cancel part by part.
pub fn allocate(amount: i64, weights: &[i64]) -> Vec<i64> {
    assert!(weights.iter().all(|weight| *weight >= 0), "a weight is an amount or a count, never negative");
    assert!(amount == 0 || !weights.is_empty(), "an amount cannot be divided over nothing");

    let equal = vec![1; weights.len()];
    let weights = if weights.iter().all(|weight| *weight == 0) { &equal } else { weights };
    let total: i128 = weights.iter().copied().map(i128::from).sum();
    let magnitude = i128::from(amount).abs();

    let share = |weight: i64| magnitude * i128::from(weight);
    let mut parts: Vec<i128> = weights.iter().map(|weight| share(*weight) / total).collect();
    let left_over = magnitude - parts.iter().sum::<i128>();

    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder
        .sort_by_key(|&index| (Reverse(share(weights[index]) % total), Reverse(weights[index]), index));
    // Every remainder is below one whole unit, so there are fewer units left over than parts.
    let left_over = usize::try_from(left_over).expect("fewer units are left over than there are parts");
    for &index in &by_remainder[..left_over] {
        parts[index] += 1;
    }

    let sign = i128::from(amount.signum());
    parts.into_iter().map(|part| within_amount(sign * part)).collect()
}

/// What the first `k` of `n` units of `amount` are worth together: `round_half_even(amount·k/n)`.
///
/// Rounding the running total, not the price of one unit, is what makes every partition of the
/// units sum to `amount`: the differences telescope.
pub fn cumulative(amount: i64, k: i64, n: i64) -> i64 {
    assert!(n >= 1 && (0..=n).contains(&k), "{k} of {n} units is not a part of a line");
    within_amount(round_half_even(i128::from(amount) * i128::from(k), i128::from(n)))
}

/// What the units `from_k..to_k` of `n` are worth: `C(to_k) − C(from_k)`, never negative for a
/// non-negative `amount`. `from_k` counts the units that were taken before.
pub fn telescope(amount: i64, n: i64, from_k: i64, to_k: i64) -> i64 {
    assert!(from_k <= to_k, "units are taken forwards, not from {from_k} back to {to_k}");
    cumulative(amount, to_k, n) - cumulative(amount, from_k, n)
}

/// `round_half_even(amount·by/of)`: an amount in the proportion of two others, such as the tax of more goods at the same
/// rate. Unlike a part of an amount it may be larger than the amount itself.
pub fn scaled(amount: i64, by: i64, of: i64) -> Result<i64, MoneyError> {
    assert!(of > 0, "nothing is in proportion to {of}");
    let scaled = round_half_even(i128::from(amount) * i128::from(by), i128::from(of));
    i64::try_from(scaled).map_err(|_| MoneyError::Overflow)
}

/// The quotient rounded to the nearest integer, a tie to the even neighbour.
pub(super) fn round_half_even(numerator: i128, denominator: i128) -> i128 {
    assert!(denominator > 0, "division by {denominator}");
    let floor = numerator.div_euclid(denominator);
    let twice_rest = 2 * numerator.rem_euclid(denominator);
    let up = twice_rest > denominator || (twice_rest == denominator && floor % 2 != 0);
    if up { floor + 1 } else { floor }
}

fn within_amount(part: i128) -> i64 {
    i64::try_from(part).expect("a part is never larger than the amount it was taken from")
}
