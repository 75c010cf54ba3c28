//! Lines of the log and of the audit trail. A line may contain text that a client chose, which
//! must neither end the line nor make it look like something else. So a line has visible ASCII
//! and spaces only.

use std::fmt::Write;

/// A JSON text as one line. Characters beyond ASCII are escaped (RFC 8259, section 7).
pub fn json(json: String) -> String {
    let escape = |line: &mut String, char: char| {
        for unit in char.encode_utf16(&mut [0; 2]) {
            write!(line, "\\u{unit:04x}").expect("a string takes all");
        }
    };
    // Characters beyond ASCII are in strings only.
    plain(json, escape)
}

/// A text as one line. Characters beyond ASCII are written like `\u{e9}`.
pub fn text(line: &str) -> String {
    plain(line.to_owned(), |line, char| {
        line.extend(char.escape_unicode());
    })
}

fn plain(line: String, escape: impl Fn(&mut String, char)) -> String {
    // Nearly every line is, and to look at its bytes takes few instructions.
    if line.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return line;
    }
    let mut plain = String::with_capacity(line.len());
    for char in line.chars() {
        match char {
            ' '..='~' => plain.push(char),
            _ => escape(&mut plain, char),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn a_line_of_json_has_nothing_that_ends_it_or_hides_in_it() {
        let value = "a\"\\\n\u{7f}\u{85}\u{2028}\u{202e}é\u{1f600}";
        let line = json(Value::from(value).to_string());
        assert_eq!(
            line,
            r#""a\"\\\n\u007f\u0085\u2028\u202e\u00e9\ud83d\ude00""#
        );
    }

    #[test]
    fn a_line_of_text_is_one_line() {
        assert_eq!(
            text("a\nb\u{7f}\u{85}\u{2028}é"),
            r"a\u{a}b\u{7f}\u{85}\u{2028}\u{e9}"
        );
    }

    proptest! {
        #[test]
        fn any_value_comes_through(value in any::<String>()) {
            let line = json(Value::from(&*value).to_string());
            prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), Value::from(value));
        }
    }
}
