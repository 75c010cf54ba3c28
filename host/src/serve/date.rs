//! The `Date` of responses (RFC 9110, section 6.6.1), and clocks that can't be right.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use http::HeaderValue;

thread_local! {
    /// The last second that was asked for, and its text.
    static LAST: RefCell<Option<(u64, HeaderValue)>> = const { RefCell::new(None) };
}

/// The message if the clock is before 1970, which the host can't handle.
pub const CLOCK_IS_WRONG: &str =
    "The clock of this machine stands before 1970. The operator has to set it.";

/// The time that it is, as a header's value. Nothing if the clock stands before 1970.
pub fn now() -> Option<HeaderValue> {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).ok()?.as_secs();
    LAST.with_borrow_mut(|last| {
        if let Some((last, text)) = last
            && *last == second
        {
            return Some(text.clone());
        }
        // The form has years of four digits.
        let is_shown = second < 253_402_300_800;
        let text = is_shown.then(|| httpdate::fmt_http_date(now))?;
        let text = HeaderValue::try_from(text).ok()?;
        *last = Some((second, text.clone()));
        Some(text)
    })
}
