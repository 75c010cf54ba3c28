//! How much of a request is looked at, before anything is made of it.

use http::Request;

use super::problem::Problem;

/// The most bytes of the target of a request, its path and query.
pub const MAX_TARGET_BYTES: usize = 8 * 1024;

/// The most bytes of all header fields, names and values. The host adds some of
/// its own, two of which repeat the target.
pub const MAX_HEADER_BYTES: usize = 32 * 1024;

/// The most levels of objects and arrays in a body. More would be refused by the
/// parser too, but as if it were no JSON.
pub const MAX_JSON_DEPTH: usize = 64;

/// The most members of objects and elements of arrays in a body, all counted.
pub const MAX_JSON_VALUES: usize = 10_000;

/// Fails if the target or the header fields are too long.
pub fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    let target = request.uri().path_and_query();
    if target.is_some_and(|target| target.as_str().len() > MAX_TARGET_BYTES) {
        return Err(Problem::target_too_long());
    }
    let fields = request.headers().iter();
    let bytes: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    match bytes > MAX_HEADER_BYTES {
        true => Err(Problem::header_too_large()),
        false => Ok(()),
    }
}

/// Fails if a JSON text is too deep or too wide to be parsed. That it is JSON is
/// left to the parser: of anything else the figures mean nothing, and are not
/// less than those of the part that is JSON.
pub fn check_json(text: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut deepest, mut values) = (0_usize, 0, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    if deepest > MAX_JSON_DEPTH {
        return Err(Problem::body_too_complex(
            MAX_JSON_DEPTH,
            "levels of objects and arrays",
        ));
    }
    if values > MAX_JSON_VALUES {
        return Err(Problem::body_too_complex(
            MAX_JSON_VALUES,
            "members and elements",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_measured_outside_of_strings() {
        let deep = |levels| [&b"[".repeat(levels)[..], &b"]".repeat(levels)[..]].concat();
        assert!(check_json(&deep(MAX_JSON_DEPTH)).is_ok());
        assert!(check_json(&deep(MAX_JSON_DEPTH + 1)).is_err());
        let text = |inside: &str| format!(r#"{{"a\"\\":"{inside}"}}"#);
        assert!(check_json(text(&"[".repeat(1000)).as_bytes()).is_ok());
        assert!(check_json(text(&",".repeat(20_000)).as_bytes()).is_ok());
        let wide = |values: usize| format!("[{}0]", "0,".repeat(values));
        assert!(check_json(wide(MAX_JSON_VALUES - 1).as_bytes()).is_ok());
        assert!(check_json(wide(MAX_JSON_VALUES).as_bytes()).is_err());
    }

    #[test]
    fn unbalanced_brackets_are_left_to_the_parser() {
        assert!(check_json(b"]]]}").is_ok());
        assert!(check_json(b"\"\\").is_ok());
    }
}
