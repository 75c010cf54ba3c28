//! The `Date` of responses (RFC 9110, section 6.6.1), and clocks that can't be right.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderValue, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

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

/// Makes a thread fit to serve connections. hyper notes the date when it first serves one on a
/// thread, although the host writes the header, and it panics if the clock stands before 1970 at
/// that moment. So this serves a connection that ends at once, while the clock is right.
pub fn prepare_thread() {
    if now().is_none() {
        return;
    }
    let service = service_fn(async |_| Ok::<_, Infallible>(Response::new(String::new())));
    let ended = TokioIo::new(tokio::io::empty());
    let connection = http1::Builder::new().serve_connection(ended, service);
    let _ = pin!(connection).poll(&mut Context::from_waker(Waker::noop()));
}
