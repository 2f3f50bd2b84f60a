//! Business instants with a text form that sorts as time does.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::{Reason, Refusal};

const MICROS: i64 = 1_000_000;

/// 9999-12-31T23:59:59.999999Z, the last instant with a year of four digits.
const UNIX_MICROS_MAX: i64 = 253_402_300_799_999_999;

const FORM: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// Microseconds since 1970 in UTC, up to the year 9999. The text form is RFC 3339 of fixed width,
/// always with six fractional digits, so that comparing texts in a database compares instants.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp {
    micros: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    #[error("{text:?} is not an instant such as 2026-11-21T22:37:12.123456Z")]
    Malformed { text: String },
    #[error("the instant is not between the years 1970 and 9999")]
    OutOfRange,
}

impl Timestamp {
    pub const UNIX_EPOCH: Self = Self { micros: 0 };
    pub const MAX: Self = Self { micros: UNIX_MICROS_MAX };

    /// Parses the one text form; every other spelling of the same instant is refused.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let malformed = || TimestampError::Malformed { text: text.chars().take(40).collect() };
        let instant = PrimitiveDateTime::parse(text, FORM).map_err(|_| malformed())?.assume_utc();
        let micros = instant.unix_timestamp() * MICROS + i64::from(instant.microsecond());
        let timestamp = Self::from_unix_micros(micros)?;
        if timestamp.to_string() == text { Ok(timestamp) } else { Err(malformed()) }
    }

    pub fn from_unix_micros(micros: i64) -> Result<Self, TimestampError> {
        if (0..=UNIX_MICROS_MAX).contains(&micros) {
            Ok(Self { micros })
        } else {
            Err(TimestampError::OutOfRange)
        }
    }

    /// From the two fields of a protobuf timestamp; what is finer than a microsecond is cut off.
    pub fn from_seconds_and_nanos(seconds: i64, nanos: i32) -> Result<Self, TimestampError> {
        if !(0..1_000_000_000).contains(&nanos) {
            return Err(TimestampError::OutOfRange);
        }
        let micros =
            seconds.checked_mul(MICROS).and_then(|micros| micros.checked_add(i64::from(nanos / 1_000)));
        Self::from_unix_micros(micros.ok_or(TimestampError::OutOfRange)?)
    }

    pub fn unix_micros(self) -> i64 {
        self.micros
    }

    /// The two fields of a protobuf timestamp.
    pub fn seconds_and_nanos(self) -> (i64, i32) {
        let nanos = self.micros % MICROS * 1_000;
        (self.micros / MICROS, i32::try_from(nanos).expect("less than a second of nanoseconds fits an i32"))
    }

    /// The instant `duration` later, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(UNIX_MICROS_MAX);
        Self { micros: self.micros.saturating_add(micros).min(UNIX_MICROS_MAX) }
    }

    /// The instant `duration` earlier, at least [`Timestamp::UNIX_EPOCH`].
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(UNIX_MICROS_MAX);
        Self { micros: self.micros.saturating_sub(micros).max(0) }
    }

    /// The time from `earlier` to this instant; zero if `earlier` is in fact later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros - earlier.micros).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.micros) * 1_000)
            .expect("a timestamp is between the years 1970 and 9999");
        let (year, month, day) = instant.to_calendar_date();
        let (hour, minute, second, micros) = instant.to_hms_micro();
        let month = u8::from(month);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimestampError;

    fn try_from(text: String) -> Result<Self, TimestampError> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

impl From<TimestampError> for Refusal {
    fn from(error: TimestampError) -> Self {
        Self::new(Reason::FieldInvalid, error.to_string())
    }
}
