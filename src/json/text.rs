//! Objects, written member by member: to serialize what has nothing to escape takes most of the
//! instructions of an object.

use serde::Serialize;

/// Adds a member to an object that begins with `{`: its name, with quotes and colon, and its value.
pub fn push_member(text: &mut Vec<u8>, name: &str, value: &impl Serialize) {
    push_name(text, name);
    serde_json::to_writer(text, value).expect("values have string keys only");
}

/// The same with a string that has nothing to escape.
pub fn push_plain(text: &mut Vec<u8>, name: &str, value: &str) {
    push_name(text, name);
    text.push(b'"');
    text.extend_from_slice(value.as_bytes());
    text.push(b'"');
}

/// The same with no value, or with one that stands behind the name.
pub fn push_name(text: &mut Vec<u8>, name: &str) {
    if !text.ends_with(b"{") {
        text.push(b',');
    }
    text.extend_from_slice(name.as_bytes());
}
