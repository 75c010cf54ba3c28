//! The values of labels.

use http::{Method, StatusCode};

/// The label of a method: its name if it is one of HTTP's (RFC 9110, RFC 5789), else `other`.
pub fn method(method: &Method) -> &'static str {
    const METHODS: [Method; 9] = [
        Method::GET,
        Method::POST,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::TRACE,
    ];
    const NAMES: [&str; METHODS.len()] = [
        "GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = METHODS.iter().position(|known| known == method);
    known.map_or("other", |number| NAMES[number])
}

/// The label of a response's status: its class.
pub fn status(status: StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        // The class of any other is unknown to clients, which treat it as 5xx (RFC 9110, 15).
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_http_does_not_know_share_a_label() {
        assert_eq!(method(&Method::PATCH), "PATCH");
        for unknown in ["get", "PROPFIND", "X"] {
            assert_eq!(method(&unknown.parse().unwrap()), "other");
        }
    }

    #[test]
    fn statuses_are_told_by_class() {
        for (code, class) in [
            (200, "2xx"),
            (304, "3xx"),
            (429, "4xx"),
            (503, "5xx"),
            (999, "5xx"),
        ] {
            assert_eq!(status(StatusCode::from_u16(code).unwrap()), class);
        }
    }
}
