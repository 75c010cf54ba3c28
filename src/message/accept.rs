//! Proactive negotiation (RFC 9110, section 12.5): the weights of a client's preferences.

use http::HeaderMap;
use http::header::{ACCEPT, HeaderName};

/// The weight of an element that has none, in thousandths.
const DEFAULT_WEIGHT: Option<u16> = Some(1000);

/// The media type among `offered` that the client prefers by its `Accept`: the first one with
/// the highest weight; `None` if the client takes none of them. A client without `Accept` takes
/// everything.
pub fn preferred<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    // What most clients send.
    if let (Some(value), Some(first)) = (headers.get(ACCEPT), offered.first())
        && (value == "*/*" || value == first)
        && headers.get_all(ACCEPT).iter().count() == 1
    {
        return Some(first);
    }
    let ranges = weighted(headers, ACCEPT);
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let weight = |offered: &str| {
        let matching = ranges.iter().filter_map(|(range, weight)| {
            let precedence = precedence(range, offered)?;
            Some((precedence, *weight))
        });
        matching
            .max_by_key(|(precedence, _)| *precedence)
            .map_or(0, |(_, weight)| weight)
    };
    let weighed = offered
        .iter()
        .rev()
        .map(|offered| (weight(offered), *offered));
    // max_by_key takes the last of equals: because of rev, the first offer.
    let (weight, preferred) = weighed.max_by_key(|(weight, _)| *weight)?;
    (weight > 0).then_some(preferred)
}

/// How specific a media range is that covers `offered`; `None` if it covers something else.
fn precedence(range: &str, offered: &str) -> Option<u8> {
    let (kind, _) = offered.split_once('/')?;
    match range.split_once('/')? {
        ("*", "*") => Some(0),
        (range_kind, "*") if range_kind.eq_ignore_ascii_case(kind) => Some(1),
        _ if range.eq_ignore_ascii_case(offered) => Some(2),
        _ => None,
    }
}

/// The elements of a header, without parameters, each with its weight in thousandths (RFC 9110,
/// section 12.4.2). An element with a malformed weight is left out: neither its presence nor its
/// weight can be relied on.
pub fn weighted(headers: &HeaderMap, name: HeaderName) -> Vec<(&str, u16)> {
    let mut weighted = Vec::new();
    for value in headers.get_all(name) {
        for element in split(value.to_str().unwrap_or_default(), ',') {
            let mut parts = split(element, ';').map(str::trim);
            let listed = parts.next().unwrap_or_default();
            let weight = parts.find_map(|parameter| {
                let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
                let is_weight = name.trim().eq_ignore_ascii_case("q");
                is_weight.then(|| thousandths(value.trim()))
            });
            if let (false, Some(weight)) = (listed.is_empty(), weight.unwrap_or(DEFAULT_WEIGHT)) {
                weighted.push((listed, weight));
            }
        }
    }
    weighted
}

/// The parts of a text between separators that don't stand in quoted strings (RFC 9110, section
/// 5.6.4).
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |char| {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return char == separator && !is_quoted,
        }
        false
    })
}

/// A weight: 0 or 1 with up to three decimals, at most 1; `None` if it is malformed.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 {
        return None;
    }
    let mut number = u16::from(whole == "1");
    for place in 0..3 {
        let digit = decimals.as_bytes().get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        number = 10 * number + u16::from(digit - b'0');
    }
    (number <= 1000).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            ("application/json;Q=0", false),
            ("application/json; q = 0", false),
            ("application/json;a=\"b,c;q=1\";q=0", false),
            ("json", false),
        ] {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            let offered = ["application/json"];
            assert_eq!(
                preferred(&headers, &offered).is_some(),
                admitted,
                "{accept}"
            );
        }
    }

    #[test]
    fn a_weight_has_up_to_three_decimals_and_is_at_most_1() {
        for (weight, expected) in [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.125", Some(125)),
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0.1234", None),
            ("1.001", None),
            ("2", None),
            ("00.5", None),
            (".5", None),
            ("-0", None),
            ("0.-1", None),
            ("0.5.1", None),
            ("\"0\"", None),
            ("", None),
        ] {
            assert_eq!(thousandths(weight), expected, "{weight}");
        }
    }

    #[test]
    fn what_has_a_malformed_weight_is_not_there() {
        let json_or_html = |accept: &str| {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            preferred(&headers, &["application/json", "text/html"])
        };
        for (accept, expected) in [
            (
                "application/json;q=0.1234, text/html;q=0.1",
                Some("text/html"),
            ),
            ("application/json;q, text/html;q=0.1", Some("text/html")),
            ("application/json;q=2, text/html;q=0", None),
            ("text/html;q=0.1234", Some("application/json")),
        ] {
            assert_eq!(json_or_html(accept), expected, "{accept}");
        }
    }

    #[test]
    fn the_highest_weight_wins_and_of_equals_the_first_that_is_offered() {
        let json_or_html = |accept: &str| {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            preferred(&headers, &["application/json", "text/html"])
        };
        for accept in [
            "*/*",
            "",
            "text/html;q=0.9, */*",
            "application/*",
            "text/html;q=0",
        ] {
            let json = (accept != "text/html;q=0").then_some("application/json");
            assert_eq!(json_or_html(accept), json, "{accept}");
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for accept in [browser, "text/*", "text/html;q=0.2, application/json;q=0.1"] {
            assert_eq!(json_or_html(accept), Some("text/html"), "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_accept_is_read(accept in "[ -~]*") {
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            let preferred = preferred(&headers, &["application/json", "text/html"]);
            prop_assert!(matches!(preferred, None | Some("application/json" | "text/html")));
        }

        #[test]
        fn weights_are_compared_as_numbers(json in 0..=1000_u32, html in 0..=1000_u32) {
            let weight = |thousandths: u32| format!("{:.3}", f64::from(thousandths) / 1000.0);
            let accept = format!("text/html;q={}, application/json; q={}", weight(html), weight(json));
            let headers = [(ACCEPT, accept.parse().unwrap())].into_iter().collect();
            let expected = match (json, html) {
                (0, 0) => None,
                _ if json >= html => Some("application/json"),
                _ => Some("text/html"),
            };
            prop_assert_eq!(preferred(&headers, &["application/json", "text/html"]), expected);
        }
    }
}
