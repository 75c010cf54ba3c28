//! JSON without the white space that is there for people, made while compiling.

/// How many bytes are left of `json`.
pub(super) const fn length(json: &str) -> usize {
    let mut significant = Significant::of(json);
    let mut length = 0;
    while significant.next().is_some() {
        length += 1;
    }
    length
}

/// `json` without white space outside of strings, which leaves `LENGTH` bytes.
pub(super) const fn minified<const LENGTH: usize>(json: &str) -> [u8; LENGTH] {
    let mut significant = Significant::of(json);
    let mut minified = [0; LENGTH];
    let mut length = 0;
    while let Some(byte) = significant.next() {
        minified[length] = byte;
        length += 1;
    }
    minified
}

/// The bytes of a JSON text that mean something, one after another. No
/// `Iterator`, for its methods can't be called while compiling.
struct Significant<'a> {
    json: &'a [u8],
    position: usize,
    in_string: bool,
    escaped: bool,
}

impl<'a> Significant<'a> {
    const fn of(json: &'a str) -> Self {
        Significant {
            json: json.as_bytes(),
            position: 0,
            in_string: false,
            escaped: false,
        }
    }

    const fn next(&mut self) -> Option<u8> {
        while self.position < self.json.len() {
            let byte = self.json[self.position];
            self.position += 1;
            if !self.in_string && byte.is_ascii_whitespace() {
                continue;
            }
            if byte == b'"' && !self.escaped {
                self.in_string = !self.in_string;
            }
            self.escaped = byte == b'\\' && !self.escaped;
            return Some(byte);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_except_in_strings() {
        const JSON: &str = " { \"a b\" : [ 1 , \"\\\" \\\\\" ] ,\n\t\"c\": \" \" } ";
        const MINIFIED: [u8; length(JSON)] = minified(JSON);
        let expected = r#"{"a b":[1,"\" \\"],"c":" "}"#;
        assert_eq!(std::str::from_utf8(&MINIFIED), Ok(expected));
    }
}
