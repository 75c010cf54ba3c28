//! Strings in double quotes, as header fields and email addresses have them.

/// The content of a string whose opening quote is left out; `None` if the string does not end with
/// the text, or if a backslash stands before a character that may not be escaped.
pub fn unquote(quoted: &str, may_be_escaped: fn(&char) -> bool) -> Option<String> {
    let mut string = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(string),
            '\\' => string.push(chars.next().filter(may_be_escaped)?),
            char => string.push(char),
        }
    }
}
