//! Proactive content negotiation (RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::ACCEPT;

/// The media type of those `offered` that the client prefers by its `Accept`:
/// the first of those with the highest weight; `None` if it takes none of them.
/// Without an `Accept` it takes everything. What is not understood in it is
/// left out of account, as if it were not there.
pub fn preferred<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Option<&'a str> {
    let values = headers.get_all(ACCEPT).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    let ranges = values.iter().flat_map(|value| value.split(','));
    let ranges: Vec<_> = ranges.filter(|range| !range.trim().is_empty()).collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let weight = |offered: &str| {
        let matching = ranges.iter().filter_map(|range| precedence(range, offered));
        matching
            .max_by_key(|(precedence, _)| *precedence)
            .map_or(0, |(_, weight)| weight)
    };
    let weighed = offered
        .iter()
        .rev()
        .map(|offered| (weight(offered), *offered));
    // Of equals the last is the maximum, which is the first that was offered.
    let (weight, preferred) = weighed.max_by_key(|(weight, _)| *weight)?;
    (weight > 0).then_some(preferred)
}

/// How specific a media range is that covers `offered`, and its weight in
/// thousandths; `None` if it covers something else.
fn precedence(range: &str, offered: &str) -> Option<(u8, u16)> {
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
    Some((precedence, weight.map_or(1000, thousandths)))
}

/// A weight: 0 or 1 with up to three decimals (RFC 9110, section 12.4.2). What
/// is none counts as 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let number = format!("{whole}{decimals:0<3}").parse();
    number.unwrap_or(0).min(1000)
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
