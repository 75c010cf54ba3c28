//! How much of a JSON text is read.

use serde_json::Value;

use super::Error;

/// The most levels of objects and arrays in a text. More would be refused by the
/// parser too, but as if it were no JSON.
pub const MAX_DEPTH: usize = 64;

/// The most members of objects and elements of arrays in a text, all counted.
pub const MAX_VALUES: usize = 10_000;

/// Fails if a text is too deep or too wide to be parsed. That it is JSON is left to the
/// parser: of anything else the figures mean nothing, and are not less than those of the
/// part that is JSON.
pub(super) fn check_bounds(text: &[u8]) -> Result<(), Error> {
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
    if deepest > MAX_DEPTH {
        return Err(Error::TooDeep);
    }
    if values > MAX_VALUES {
        return Err(Error::TooWide);
    }
    Ok(())
}

/// The levels of objects and arrays that a value has: 0 if it is neither.
pub fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_measured_outside_of_strings() {
        let deep = |levels| [&b"[".repeat(levels)[..], &b"]".repeat(levels)[..]].concat();
        assert!(check_bounds(&deep(MAX_DEPTH)).is_ok());
        assert!(matches!(
            check_bounds(&deep(MAX_DEPTH + 1)),
            Err(Error::TooDeep)
        ));
        let text = |inside: &str| format!(r#"{{"a\"\\":"{inside}"}}"#);
        assert!(check_bounds(text(&"[".repeat(1000)).as_bytes()).is_ok());
        assert!(check_bounds(text(&",".repeat(20_000)).as_bytes()).is_ok());
        let wide = |values: usize| format!("[{}0]", "0,".repeat(values));
        assert!(check_bounds(wide(MAX_VALUES - 1).as_bytes()).is_ok());
        assert!(matches!(
            check_bounds(wide(MAX_VALUES).as_bytes()),
            Err(Error::TooWide)
        ));
    }

    #[test]
    fn unbalanced_brackets_are_left_to_the_parser() {
        assert!(check_bounds(b"]]]}").is_ok());
        assert!(check_bounds(b"\"\\").is_ok());
    }
}
