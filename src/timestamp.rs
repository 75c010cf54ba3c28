//! Points in time, to the millisecond, as RFC 3339 writes them in UTC.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// As in `2026-11-22T21:53:40.125Z`.
    pub fn to_rfc3339(self) -> String {
        let time = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or_default();
        let (date, clock) = (time.naive_utc().date(), time.naive_utc().time());
        let Ok(year @ 0..=9999) = u32::try_from(date.year()) else {
            return time.to_rfc3339_opts(SecondsFormat::Millis, true);
        };
        // Every user has two of them. The formatter takes more than twice the instructions.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |place: usize, number: u32| {
            text[place] += (number / 10) as u8;
            text[place + 1] += (number % 10) as u8;
        };
        let millis = clock.nanosecond() / 1_000_000;
        put(0, year / 100);
        put(2, year % 100);
        put(5, date.month());
        put(8, date.day());
        put(11, clock.hour());
        put(14, clock.minute());
        put(17, clock.second());
        put(20, millis / 10);
        text[22] += (millis % 10) as u8;
        let text = str::from_utf8(&text).expect("digits and little else");
        text.to_owned()
    }

    /// The time that the text says, with its offset; `None` if it says none.
    pub fn from_rfc3339(text: &str) -> Option<Timestamp> {
        let time = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Timestamp(time.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_utc_with_milliseconds() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_384_420_125, "2026-11-22T21:53:40.125Z"),
            // By a clock that is wrong.
            (-1, "1969-12-31T23:59:59.999Z"),
            (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
            (-62_167_219_200_001, "-0001-12-31T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "+10000-01-01T00:00:00.000Z"),
            (i64::MAX, "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp(millis).to_rfc3339(), text);
        }
    }

    #[test]
    fn is_read_with_its_offset() {
        let time = Some(Timestamp(1_795_384_420_125));
        for text in ["2026-11-22T21:53:40.125Z", "2026-11-22T22:53:40.125+01:00"] {
            assert_eq!(Timestamp::from_rfc3339(text), time, "{text}");
        }
        for text in [
            "",
            "2026-11-22",
            "2026-11-22T21:53:40",
            "2026-13-22T21:53:40Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
    }
}
