use proptest::collection::vec;
use proptest::prelude::*;
use types::money::{AMOUNT_MINOR_MAX, allocate, cumulative, telescope};

use super::many_cases;

fn amounts() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => -1_000_i64..=1_000,
        2 => -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX,
        1 => Just(0_i64),
        1 => prop_oneof![Just(i64::MAX), Just(i64::MIN)],
    ]
}

fn weights() -> impl Strategy<Value = Vec<i64>> {
    let weight =
        prop_oneof![3 => 0_i64..=5, 3 => 0_i64..=100_000, 1 => 0..=AMOUNT_MINOR_MAX, 1 => Just(0_i64)];
    vec(weight, 1..40)
}

/// The weights that count: equal ones when all are zero.
fn effective(weights: &[i64]) -> Vec<i128> {
    if weights.iter().all(|weight| *weight == 0) {
        vec![1; weights.len()]
    } else {
        weights.iter().copied().map(i128::from).collect()
    }
}

/// A line amount, its number of units, and the sizes in which the units are taken.
fn partitions() -> impl Strategy<Value = (i64, i64, Vec<i64>)> {
    let amount = prop_oneof![0_i64..=1_000, 0..=AMOUNT_MINOR_MAX];
    (amount, vec(1_i64..=50, 1..30)).prop_map(|(amount, sizes)| (amount, sizes.iter().sum(), sizes))
}

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn allocated_parts_sum_to_the_amount(amount in amounts(), weights in weights()) {
        let parts = allocate(amount, &weights);

        prop_assert_eq!(parts.len(), weights.len());
        prop_assert_eq!(parts.into_iter().map(i128::from).sum::<i128>(), i128::from(amount));
    }

    #[test]
    fn an_allocated_part_is_less_than_one_unit_from_its_exact_share(amount in amounts(), weights in weights()) {
        let parts = allocate(amount, &weights);

        let effective = effective(&weights);
        let total: i128 = effective.iter().sum();
        for (part, weight) in parts.iter().zip(&effective) {
            let scaled_error = i128::from(*part) * total - i128::from(amount) * weight;
            prop_assert!(scaled_error.abs() < total, "{part} for weight {weight} of {total}");
        }
    }

    #[test]
    fn a_charge_and_its_reversal_cancel_part_by_part(amount in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, weights in weights()) {
        let charge = allocate(amount, &weights);
        let reversal = allocate(-amount, &weights);

        prop_assert!(charge.iter().zip(&reversal).all(|(charge, reversal)| charge + reversal == 0));
    }

    #[test]
    fn a_larger_weight_never_gets_less(amount in 0..=AMOUNT_MINOR_MAX, weights in weights()) {
        let parts = allocate(amount, &weights);

        for (left, left_part) in weights.iter().zip(&parts) {
            for (right, right_part) in weights.iter().zip(&parts) {
                prop_assert!(left <= right || left_part >= right_part);
            }
        }
    }

    #[test]
    fn any_partition_in_any_order_telescopes_to_the_line_amount(
        ((amount, units, _), sizes) in partitions()
            .prop_flat_map(|line| { let sizes = line.2.clone(); (Just(line), Just(sizes).prop_shuffle()) })
    ) {
        let mut taken = 0;
        let mut sum = 0;
        for size in sizes {
            let part = telescope(amount, units, taken, taken + size);
            prop_assert!(part >= 0, "{part} for units {taken} to {}", taken + size);
            taken += size;
            sum += part;
        }

        prop_assert_eq!(taken, units);
        prop_assert_eq!(sum, amount);
    }

    #[test]
    fn a_part_of_a_line_is_within_one_unit_of_its_exact_share((amount, units, sizes) in partitions()) {
        let mut taken = 0;
        for size in sizes {
            let part = telescope(amount, units, taken, taken + size);
            let scaled_error = i128::from(part) * i128::from(units) - i128::from(amount) * i128::from(size);
            prop_assert!(scaled_error.abs() <= i128::from(units));
            taken += size;
        }
    }

    #[test]
    fn the_running_total_of_a_negative_amount_mirrors_the_positive_one((amount, units, sizes) in partitions()) {
        prop_assert_eq!(cumulative(-amount, sizes[0], units), -cumulative(amount, sizes[0], units));
    }
}

#[test]
fn left_over_units_go_to_the_largest_remainder_then_weight_then_index() {
    let cases: &[(i64, &[i64], &[i64])] = &[
        (100, &[1, 1, 1], &[34, 33, 33]),
        (101, &[1, 1, 1], &[34, 34, 33]),
        // Remainders 0.2, 0.4, 0.4: one unit left over, and a tie of remainder and weight.
        (2, &[1, 2, 2], &[0, 1, 1]),
        (10, &[6, 3, 3], &[5, 3, 2]),
        // Exact shares 0.5 and 1.5: the remainders tie, the larger weight wins.
        (2, &[1, 3], &[0, 2]),
        (2, &[3, 1], &[2, 0]),
        (7, &[0, 5, 0], &[0, 7, 0]),
        (5, &[0, 0], &[3, 2]),
        (-100, &[1, 1, 1], &[-34, -33, -33]),
        (0, &[3, 4], &[0, 0]),
        (9, &[1], &[9]),
    ];

    for (amount, weights, expected) in cases {
        assert_eq!(allocate(*amount, weights), *expected, "{amount} over {weights:?}");
    }
    assert_eq!(allocate(0, &[]), Vec::<i64>::new());
}

#[test]
fn the_running_total_rounds_half_to_even() {
    let cases = [
        (1, 1, 2, 0),   // 0.5
        (3, 1, 2, 2),   // 1.5
        (5, 1, 2, 2),   // 2.5
        (-1, 1, 2, 0),  // -0.5
        (-3, 1, 2, -2), // -1.5
        (100, 1, 3, 33),
        (100, 2, 3, 67),
        (100, 3, 3, 100),
        (100, 0, 3, 0),
        (i64::MAX, 1, 1, i64::MAX),
        (i64::MIN, 7, 7, i64::MIN),
    ];

    for (amount, k, n, expected) in cases {
        assert_eq!(cumulative(amount, k, n), expected, "{amount} * {k} / {n}");
    }
}

#[test]
#[should_panic(expected = "4 of 3 units is not a part of a line")]
fn more_units_than_there_are_is_a_defect_not_an_amount() {
    cumulative(100, 4, 3);
}

#[test]
#[should_panic(expected = "an amount cannot be divided over nothing")]
fn an_amount_is_not_lost_over_no_weights() {
    allocate(1, &[]);
}
