//! Newline-delimited JSON: one JSON value a line.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};
use serde::Serialize;

use super::body::MAX_BYTES;
use super::content::{Content, Parts};
use super::response::NO_STORE;
use crate::json;

pub const NDJSON: &str = "application/x-ndjson";

/// Answers with lines that no cache may store.
pub fn response<'a>(lines: impl Parts + 'a) -> Response<Content<'a>> {
    let mut response = Response::new(Content::Parts(Box::new(lines)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    headers.insert(CACHE_CONTROL, NO_STORE);
    response
}

/// Adds a line.
pub fn push(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *bytes, value).expect("lines have string keys only");
    bytes.push(b'\n');
}

/// Splits arriving bytes into lines. It keeps one line and the bytes that arrived with it, no more.
/// A byte order mark at the very beginning is left out.
#[derive(Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// A line was taken.
    has_begun: bool,
    /// Where the next line begins.
    start: usize,
    /// No end of the line is before this place.
    searched: usize,
    /// The line is too long, and its bytes are dropped.
    too_long: bool,
}

#[derive(Debug, PartialEq)]
pub enum Line<'a> {
    /// Without its end.
    Whole(&'a [u8]),
    TooLong,
}

impl Lines {
    /// The most bytes of a line.
    pub const MAX_BYTES: usize = MAX_BYTES;

    /// Adds bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend(bytes);
    }

    /// The next line, if its end has arrived.
    pub fn next(&mut self) -> Option<Line<'_>> {
        let rest = &self.bytes[self.searched..];
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(length) => {
                let end = self.searched + length;
                Some(self.take(end, end + 1))
            }
            None => {
                if self.bytes.len() - self.start > Lines::MAX_BYTES {
                    self.too_long = true;
                    self.bytes.truncate(self.start);
                }
                self.searched = self.bytes.len();
                None
            }
        }
    }

    /// The last line, if it has no end, after all bytes have arrived.
    pub fn last(&mut self) -> Option<Line<'_>> {
        let end = self.bytes.len();
        (self.start < end || self.too_long).then(|| self.take(end, end))
    }

    fn take(&mut self, end: usize, next: usize) -> Line<'_> {
        let line = self.start..end;
        self.start = next;
        self.searched = next;
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        match std::mem::take(&mut self.too_long) || line.len() > Lines::MAX_BYTES {
            true => Line::TooLong,
            false if is_first => Line::Whole(json::without_byte_order_mark(&self.bytes[line])),
            false => Line::Whole(&self.bytes[line]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of the lines; `None` for one that is too long.
    fn lengths(bytes: &[u8], chunk: usize) -> Vec<Option<usize>> {
        let mut lines = Lines::default();
        let mut lengths = Vec::new();
        let length = |line: Line| match line {
            Line::Whole(line) => Some(line.len()),
            Line::TooLong => None,
        };
        for chunk in bytes.chunks(chunk) {
            lines.push(chunk);
            while let Some(line) = lines.next() {
                lengths.push(length(line));
            }
            assert!(lines.bytes.len() <= Lines::MAX_BYTES + chunk.len());
        }
        lengths.extend(lines.last().map(length));
        lengths
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let max = Lines::MAX_BYTES;
        let mut bytes = b"one\n\r\n\nfour".to_vec();
        bytes.extend(vec![b'4'; max - 4]);
        bytes.push(b'\n');
        bytes.extend(vec![b'5'; max + 1]);
        bytes.extend(b"\nsix\n");
        bytes.extend(vec![b'7'; 3 * max]);
        bytes.extend(b"\nlast");
        let expected = [3, 1, 0, max, usize::MAX, 3, usize::MAX, 4];
        let expected = expected.map(|length| (length < usize::MAX).then_some(length));
        for chunk in [1, 2, 1000, max, max + 1, bytes.len()] {
            assert_eq!(lengths(&bytes, chunk), expected, "{chunk}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_left_out_at_the_very_beginning() {
        let bytes = b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n";
        for chunk in [1, 2, 3, 100] {
            assert_eq!(lengths(bytes, chunk), [Some(3), Some(6)], "{chunk}");
        }
        assert_eq!(lengths(b"\xef\xbb\xbf", 1), [Some(0)]);
        assert_eq!(lengths(b"\xef\xbb", 1), [Some(2)]);
    }

    #[test]
    fn a_last_line_needs_no_end() {
        assert_eq!(lengths(b"", 1), []);
        assert_eq!(lengths(b"a", 1), [Some(1)]);
        assert_eq!(lengths(b"a\n", 1), [Some(1)]);
        assert_eq!(lengths(b"a\n\n", 3), [Some(1), Some(0)]);
        let long = vec![b'a'; 2 * Lines::MAX_BYTES];
        assert_eq!(lengths(&long, 1000), [None]);
    }
}
