//! A user, and the rules for its members. What these types hold is valid:
//! they can only be made from input that keeps the rules, or read from the store,
//! where it was valid when it was written.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::timestamp::Timestamp;

/// Names a user for ever: 1, 2, 3 … in order of creation, never given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct UserId(u64);

impl UserId {
    /// The highest id that can be given: 17,179,869,183. An id shares 64 bits
    /// with a claim number where emails are reserved.
    pub const MAX_NUMBER: u64 = (1 << 34) - 1;

    /// The id as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for UserId {
    type Error = &'static str;

    fn try_from(number: u64) -> Result<Self, Self::Error> {
        match number {
            1..=UserId::MAX_NUMBER => Ok(UserId(number)),
            _ => Err("is not the id of a user"),
        }
    }
}

impl From<UserId> for u64 {
    fn from(id: UserId) -> u64 {
        id.0
    }
}

/// Reads an id as a path has it: decimal, without sign or leading zeros, so
/// that a user has one URL only.
impl FromStr for UserId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        match text.parse::<u64>() {
            Ok(number) if canonical => UserId::try_from(number),
            _ => Err("is not the id of a user"),
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a user is called: 1 to 200 characters, none of them a control
/// character, without white space at either end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// The most characters (Unicode scalar values) a name has.
    pub const MAX_CHARS: usize = 200;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().count() > Name::MAX_CHARS {
            return Err("must have 1 to 200 characters, not counting white space at its ends");
        }
        if trimmed.chars().any(char::is_control) {
            return Err("must not contain control characters");
        }
        Ok(Name(trimmed.to_owned()))
    }
}

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

/// The application's own data about a user: a JSON object of at most 8 KiB.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// The most bytes of attributes, written as JSON without white space.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The most members of all objects in them.
    pub const MAX_MEMBERS: usize = 1000;

    /// The most levels of objects and arrays, the attributes themselves being the first.
    pub const MAX_DEPTH: usize = 32;
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

impl TryFrom<Map<String, Value>> for Attributes {
    type Error = &'static str;

    fn try_from(object: Map<String, Value>) -> Result<Self, Self::Error> {
        if 1 + object.values().map(depth).max().unwrap_or(0) > Attributes::MAX_DEPTH {
            return Err("must have at most 32 levels of objects and arrays");
        }
        if object.len() + object.values().map(members).sum::<usize>() > Attributes::MAX_MEMBERS {
            return Err("must have at most 1000 members, those of objects in them included");
        }
        match serde_json::to_vec(&object) {
            Ok(json) if json.len() <= Attributes::MAX_BYTES => Ok(Attributes(object)),
            _ => Err("must have at most 8192 bytes, written as JSON without white space"),
        }
    }
}

/// The members of a user that clients set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
}

/// The members of a user that only the service sets.
pub const READ_ONLY: [&str; 3] = ["id", "created_at", "updated_at"];

/// A member that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Where the member is (JSON Pointer, RFC 6901).
    pub pointer: String,
    /// The rule, as the rest of a sentence whose subject is the member.
    pub detail: String,
}

impl Violation {
    fn new(member: &str, detail: &str) -> Violation {
        Violation {
            // RFC 6901, section 3.
            pointer: format!("/{}", member.replace('~', "~0").replace('/', "~1")),
            detail: detail.to_owned(),
        }
    }

    /// Somebody else than the service would set `member`, one of [`READ_ONLY`].
    pub fn read_only(member: &str) -> Violation {
        Violation::new(member, "is set by the service")
    }
}

impl Profile {
    /// Reads a profile from a JSON value, or names every member that breaks a
    /// rule. An optional member that is null counts as absent.
    pub fn from_json(value: Value) -> Result<Profile, Vec<Violation>> {
        let Value::Object(mut members) = value else {
            return Err(vec![Violation {
                pointer: String::new(),
                detail: "must be a JSON object".to_owned(),
            }]);
        };
        let mut violations = Vec::new();
        let name = match members.remove("name") {
            None | Some(Value::Null) => Err("is required"),
            Some(Value::String(text)) => Name::try_from(text),
            Some(_) => Err("must be a string"),
        };
        let email = match members.remove("email") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Email::try_from(text).map(Some),
            Some(_) => Err("must be a string"),
        };
        let attributes = match members.remove("attributes") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(object)) => Attributes::try_from(object).map(Some),
            Some(_) => Err("must be a JSON object"),
        };
        for (member, error) in [
            ("name", name.as_ref().err()),
            ("email", email.as_ref().err()),
            ("attributes", attributes.as_ref().err()),
        ] {
            violations.extend(error.map(|rule| Violation::new(member, rule)));
        }
        for member in members.keys() {
            violations.push(match READ_ONLY.contains(&member.as_str()) {
                true => Violation::read_only(member),
                false => Violation::new(member, "is not a member of a user"),
            });
        }
        match (name, email, attributes) {
            (Ok(name), Ok(email), Ok(attributes)) if violations.is_empty() => Ok(Profile {
                name,
                email,
                attributes,
            }),
            _ => Err(violations),
        }
    }
}

/// A user, at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub profile: Profile,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Names this version among all versions of all users.
    pub version: Version,
}

/// A number that is drawn at random for each version of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u64::from_str_radix(&text, 16).map(Version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn email(text: &str) -> Result<Email, &'static str> {
        Email::try_from(text.to_owned())
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!("17".parse(), Ok(UserId(17)));
        assert_eq!("17179869183".parse(), Ok(UserId(UserId::MAX_NUMBER)));
        for text in ["", "0", "017", "+17", "-1", "1.0", " 1", "١", "abc"] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
        for text in ["17179869184", "18446744073709551616"] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_measured_in_characters() {
        let name = |text: &str| Name::try_from(text.to_owned());
        assert_eq!(name("  Zoë \t").unwrap().as_str(), "Zoë");
        assert!(name(&"ß".repeat(200)).is_ok());
        assert!(name(&"ß".repeat(201)).is_err());
        for text in ["", " \n ", "a\0b", "a\nb", "a\u{85}b"] {
            assert!(name(text).is_err(), "{text:?}");
        }
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

    #[test]
    fn attributes_have_at_most_8_kib() {
        let attributes = |length: usize| {
            let object = json!({ "k": "v".repeat(length) });
            Attributes::try_from(object.as_object().unwrap().clone())
        };
        let frame = r#"{"k":""}"#.len();
        assert!(attributes(Attributes::MAX_BYTES - frame).is_ok());
        assert!(attributes(Attributes::MAX_BYTES - frame + 1).is_err());
    }

    #[test]
    fn every_member_that_breaks_a_rule_is_named() {
        let wrong = json!({ "name": 1, "email": "x", "attributes": [], "id": 7, "a/b~c": 0 });
        let pointers: Vec<_> = Profile::from_json(wrong)
            .unwrap_err()
            .into_iter()
            .map(|violation| violation.pointer)
            .collect();
        assert_eq!(
            pointers,
            ["/name", "/email", "/attributes", "/a~1b~0c", "/id"]
        );
        assert_eq!(Profile::from_json(json!([])).unwrap_err()[0].pointer, "");
    }

    #[test]
    fn attributes_have_at_most_32_levels() {
        let attributes = |levels: usize| {
            let object = (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
            Attributes::try_from(object.as_object().unwrap().clone())
        };
        assert!(attributes(32).is_ok());
        assert!(attributes(33).is_err());
    }

    #[test]
    fn attributes_have_at_most_1000_members() {
        let attributes = |inner: usize| {
            let inner: Map<_, _> = (0..inner).map(|n| (n.to_string(), json!(0))).collect();
            Attributes::try_from(Map::from_iter([("a".to_owned(), json!([inner]))]))
        };
        assert!(attributes(999).is_ok());
        assert!(attributes(1000).is_err());
    }

    #[test]
    fn integers_of_64_bits_and_all_doubles_keep_their_value() {
        let text =
            r#"{"name":"Ada","attributes":{"n":[18446744073709551615,-9223372036854775808,0.1]}}"#;
        let profile = Profile::from_json(serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&profile).unwrap(), text);
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

        #[test]
        fn any_text_is_a_name_or_refused(text in any::<String>()) {
            if let Ok(name) = Name::try_from(text.clone()) {
                prop_assert_eq!(name.as_str(), text.trim());
                prop_assert!(name.as_str().chars().count() <= Name::MAX_CHARS);
            }
        }
    }
}
