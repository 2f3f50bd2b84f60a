use std::time::Duration;

use proptest::prelude::*;
use types::{Clock, Timestamp, TimestampError};

use super::many_cases;

fn timestamps() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.unix_micros())
        .prop_map(|micros| Timestamp::from_unix_micros(micros).expect("within the range"))
}

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn an_instant_survives_its_text_and_its_protobuf_fields(instant in timestamps()) {
        let (seconds, nanos) = instant.seconds_and_nanos();

        prop_assert_eq!(Timestamp::parse(&instant.to_string()), Ok(instant));
        prop_assert_eq!(Timestamp::from_seconds_and_nanos(seconds, nanos), Ok(instant));
    }

    #[test]
    fn texts_sort_as_their_instants_do(left in timestamps(), right in timestamps()) {
        prop_assert_eq!(left.to_string().cmp(&right.to_string()), left.cmp(&right));
    }

    #[test]
    fn a_duration_added_is_the_duration_between(instant in timestamps(), micros in 0_u64..1_000_000_000_000) {
        let later = instant.plus(Duration::from_micros(micros));

        prop_assert!(later == Timestamp::MAX || later.since(instant) == Duration::from_micros(micros));
        prop_assert!(later == Timestamp::MAX || later.minus(Duration::from_micros(micros)) == instant);
        prop_assert_eq!(instant.since(later), Duration::ZERO);
    }
}

#[test]
fn the_text_form_has_six_digits_always() {
    let cases = [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_795_300_632_123_456, "2026-11-21T22:37:12.123456Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    ];

    for (micros, text) in cases {
        assert_eq!(Timestamp::from_unix_micros(micros).unwrap().to_string(), text);
        assert_eq!(Timestamp::parse(text).unwrap().unix_micros(), micros);
    }
}

#[test]
fn another_spelling_of_an_instant_is_refused() {
    let spellings = [
        "",
        "2026-11-21",
        "2026-11-21T22:37:12Z",
        "2026-11-21T22:37:12.123Z",
        "2026-11-21T22:37:12.1234567Z",
        "2026-11-21T22:37:12.123456",
        "2026-11-21T22:37:12.123456z",
        "2026-11-21 22:37:12.123456Z",
        "2026-11-21T22:37:12.123456+00:00",
        "+2026-11-21T22:37:12.123456Z",
        "2026-02-29T00:00:00.000000Z",
        "2026-11-21T24:00:00.000000Z",
        "2016-12-31T23:59:60.000000Z",
    ];

    for text in spellings {
        assert_eq!(Timestamp::parse(text), Err(TimestampError::Malformed { text: text.to_owned() }));
    }
    assert_eq!(Timestamp::parse("1969-12-31T23:59:59.999999Z"), Err(TimestampError::OutOfRange));
}

#[test]
fn an_instant_outside_the_four_digit_years_is_refused() {
    for micros in [-1, Timestamp::MAX.unix_micros() + 1, i64::MIN, i64::MAX] {
        assert_eq!(Timestamp::from_unix_micros(micros), Err(TimestampError::OutOfRange));
    }
    for (seconds, nanos) in [(-1, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 0)] {
        assert_eq!(Timestamp::from_seconds_and_nanos(seconds, nanos), Err(TimestampError::OutOfRange));
    }
}

#[test]
fn a_manual_clock_moves_only_when_told_and_for_all_clones() {
    let clock = Clock::manual(Timestamp::UNIX_EPOCH);
    let clone = clock.clone();

    assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
    clone.advance(Duration::from_secs(90));

    assert_eq!(clock.now().to_string(), "1970-01-01T00:01:30.000000Z");
}

#[test]
#[should_panic(expected = "the system's clock cannot be advanced")]
fn the_systems_clock_is_not_silently_left_where_it_is() {
    Clock::System.advance(Duration::from_secs(1));
}
