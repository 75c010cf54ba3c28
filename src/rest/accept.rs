//! Proactive content negotiation (RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

/// Whether the client takes an answer of the media type `offered`, by its
/// `Accept`. Without one it takes everything. What is not understood in it is
/// left out of account, as if it were not there.
pub(super) fn admits(headers: &HeaderMap, offered: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let ranges = values.iter().flat_map(|value| value.split(','));
    let mut ranges = ranges.filter(|range| !range.trim().is_empty()).peekable();
    if ranges.peek().is_none() {
        return true;
    }
    let matching = ranges.filter_map(|range| precedence(range, offered));
    matching
        .max_by_key(|(precedence, _)| *precedence)
        .is_some_and(|(_, admitted)| admitted)
}

/// How specific a media range is that covers `offered`, and whether its weight
/// is more than 0; `None` if it covers something else.
fn precedence(range: &str, offered: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let range = parts.next()?;
    let (kind, _) = offered.split_once('/')?;
    let precedence = match range.split_once('/')? {
        ("*", "*") => 0,
        (range_kind, "*") if range_kind.eq_ignore_ascii_case(kind) => 1,
        _ if range.eq_ignore_ascii_case(offered) => 2,
        _ => return None,
    };
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value)
    });
    // A weight is 0 or 1 with up to three decimals: it is 0 if no digit is more.
    let more = |text: &str| text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    Some((precedence, weight.is_none_or(more)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, admitted) in [
            ("application/json", true),
            ("APPLICATION/*", true),
            ("*/*", true),
            ("", true),
            ("text/html, */*;q=0.8", true),
            ("application/json; charset=utf-8", true),
            ("application/json; q=0.001", true),
            ("text/html", false),
            ("text/html;q=1, application/json;q=0, */*", false),
            ("application/*;q=0, */*", false),
            ("application/json;q=0.0", false),
            ("json", false),
        ] {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            assert_eq!(admits(&headers, "application/json"), admitted, "{accept}");
        }
        assert!(admits(&HeaderMap::new(), "application/json"));
    }
}
