//! Email addresses.

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};

/// An email address (RFC 5321, without domain literals and display names), at
/// most 254 bytes, kept as it was written.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The most bytes an address has (RFC 5321, section 4.5.3.1.3, less its brackets).
    pub const MAX_BYTES: usize = 254;

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two addresses the same one: the address in lower case, each
    /// character by itself. (`str::to_lowercase` looks at a character's neighbours.)
    pub fn folded(&self) -> String {
        self.0.chars().flat_map(char::to_lowercase).collect()
    }
}

/// Addresses that differ in case only are the same address.
impl PartialEq for Email {
    fn eq(&self, other: &Email) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Email {}

impl TryFrom<String> for Email {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let options = Options::default()
            .without_display_text()
            .without_domain_literal();
        if text.len() > Email::MAX_BYTES {
            return Err("must have at most 254 bytes");
        }
        if text.chars().any(char::is_control)
            || EmailAddress::parse_with_options(&text, options).is_err()
        {
            return Err("must be a valid email address");
        }
        Ok(Email(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn email(text: &str) -> Result<Email, &'static str> {
        Email::try_from(text.to_owned())
    }

    #[test]
    fn an_email_is_a_plain_address() {
        for text in ["a@b.example", "o'hara+x@b.example", "Ünal@b.example"] {
            assert!(email(text).is_ok(), "{text:?}");
        }
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b.example",
            "a b@c.example",
            "A <a@b.example>",
            "a@[127.0.0.1]",
            "a@b..example",
            " a@b.example",
            "a@b.example\n",
        ] {
            assert!(email(text).is_err(), "{text:?}");
        }
        let domain = [&"d".repeat(60)[..]; 4].join(".");
        assert!(email(&format!("{}@{domain}", "l".repeat(10))).is_ok());
        assert!(email(&format!("{}@{domain}", "l".repeat(11))).is_err());
    }

    #[test]
    fn emails_that_differ_in_case_are_the_same() {
        assert_eq!(email("Ada@Example.com"), email("aDA@eXAMPLE.COM"));
        assert_eq!(email("ΟΔΟΣ@example.com"), email("οδοσ@example.com"));
        assert_ne!(email("ada@example.com"), email("ado@example.com"));
    }

    proptest! {
        #[test]
        fn an_email_keeps_its_spelling_and_is_equal_in_any_case(
            text in "[a-zA-Z0-9.+_-]{1,40}@([a-zA-Z0-9-]{1,20}\\.){1,3}[a-z]{2,6}",
        ) {
            if let Ok(address) = email(&text) {
                prop_assert_eq!(address.as_str(), &text);
                prop_assert_eq!(email(&text.to_uppercase()), Ok(address.clone()));
                prop_assert_eq!(address.folded(), text.to_lowercase());
            }
        }

        #[test]
        fn any_text_is_an_email_or_refused(text in any::<String>()) {
            if let Ok(address) = email(&text) {
                prop_assert!(text.contains('@') && text.len() <= Email::MAX_BYTES);
                prop_assert_eq!(email(&address.folded()), Ok(address));
            }
        }
    }
}
