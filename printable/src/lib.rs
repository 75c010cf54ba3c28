//! Text from elsewhere, made fit for a terminal and for a log of lines.

use std::fmt::{self, Write as _};

/// Shows a text with all characters escaped that a terminal would obey, or that would begin a new
/// line: all control characters except the tab, the line separators of Unicode, and characters
/// that change the direction of writing.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, f, |c| {
            is_control(c)
                || matches!(c,
                    '\u{2028}' | '\u{2029}'
                    | '\u{61c}' | '\u{200e}' | '\u{200f}'
                    | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        })
    }
}

/// The output of a component, with control characters and invalid UTF-8 escaped.
/// Its language may well be one that is written from right to left.
pub fn printed(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        escape(chunk.valid(), &mut text, is_control).expect("a string takes everything");
        // A terminal may take single bytes from 80 to 9F for controls.
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a string takes everything");
        }
    }
    text
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn escape(text: &str, to: &mut impl fmt::Write, is_escaped: impl Fn(char) -> bool) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(&is_escaped) {
        to.write_str(&rest[..at])?;
        let mut after = rest[at..].chars();
        if let Some(c) = after.next() {
            write!(to, "{}", c.escape_default())?;
        }
        rest = after.as_str();
    }
    to.write_str(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_clear_the_screen_nor_begin_a_line() {
        let text = "/a\tb\u{1b}[2J\r\nError: \u{85}\u{2028}\u{202e}é";
        assert_eq!(
            Printable(text).to_string(),
            "/a\tb\\u{1b}[2J\\r\\nError: \\u{85}\\u{2028}\\u{202e}é"
        );
    }

    #[test]
    fn what_is_printed_keeps_its_letters() {
        assert_eq!(
            printed("שלום\u{200f}\t\u{1b}[0m".as_bytes()),
            "שלום\u{200f}\t\\u{1b}[0m"
        );
        assert_eq!(printed(b"a\x9bb"), "a\\x9bb");
    }
}
