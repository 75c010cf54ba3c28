//! Points in time, to the millisecond, as RFC 3339 writes them in UTC.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// As in `2026-11-22T21:53:40.125Z`.
    pub fn to_rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Millis, true)
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
        assert_eq!(Timestamp(0).to_rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            Timestamp(1_795_384_420_125).to_rfc3339(),
            "2026-11-22T21:53:40.125Z"
        );
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
