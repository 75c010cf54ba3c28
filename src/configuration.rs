//! The operator's configuration. Every variable is read here, and only here, but for `scim_schemas`, which
//! one component alone has a use for (`src/scim/service/schemas.rs`).
//!
//! A value that can't be read is a fault, and is never guessed. The service then answers no request
//! for users, and `/readyz` and one line of the log say which variable breaks which rule.

mod paths;

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::auth::issuer::Issuer;
use crate::auth::tokens::Tokens;
use crate::message::cors::Origins;
use crate::message::host::HostNames;
use crate::platform::Platform;
use paths::Paths;

/// The variables by name, with the value that each has where the operator gives none.
#[derive(Debug, Default)]
pub struct Configuration {
    /// `auth` is `off`: everybody may do everything. By default, `token`, a request needs a token.
    pub is_open: bool,
    /// `tokens`: none.
    pub tokens: Tokens,
    /// `jwt_issuer`, `jwt_audience`, `jwt_jwks`, `jwt_jwks_url`: no issuer is trusted.
    pub issuer: Option<Issuer>,
    /// `allowed_hosts`: the names by which clients may reach an open service, besides `localhost`
    /// and the like.
    pub allowed_hosts: HostNames,
    /// `page_size`: users on a page for which the client gives no limit, 100.
    pub page_size: u64,
    /// `indexed_attributes`: the members of attributes by which users can be found, none.
    pub indexed_attributes: Paths,
    /// `require_preconditions` is `on`: changes need an `If-Match`. By default, `off`, they don't.
    pub require_preconditions: bool,
    /// `cors_origins`: pages of no other origin may read answers.
    pub cors_origins: Origins,
    /// `rate_limit`: requests a minute of one client; 0, the default, is no limit.
    pub rate_limit: u64,
    /// `bulk_time_limit`: after this time an import or export ends, 20 s. Hosts end a request
    /// after 30 s.
    pub bulk_time_limit: Duration,
    /// The variables that can't be read. While there are any, requests for users are refused.
    pub faults: Vec<Fault>,
}

/// A variable whose value breaks a rule. The value is not repeated: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub variable: &'static str,
    /// The rest of a sentence whose subject is the variable.
    pub rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable {} {}", self.variable, self.rule)
    }
}

impl Configuration {
    /// The most users on a page.
    pub const MAX_PAGE_SIZE: u64 = 1000;

    /// Counters of requests have room for a million, see `directory/quota.rs`.
    const MAX_RATE_LIMIT: u64 = 1_000_000;

    /// Reads all variables. Faults go to the log, unless `before` has the same.
    pub fn read(platform: &impl Platform, before: Option<&Configuration>) -> Configuration {
        let mut reader = Reader {
            platform,
            faults: Vec::new(),
        };
        let mut configuration = Configuration {
            is_open: reader.choice("auth", "token", "off"),
            tokens: reader.read("tokens", Tokens::read),
            issuer: reader.issuer(),
            allowed_hosts: reader.list("allowed_hosts", HostNames::read),
            page_size: reader.number("page_size", 100, 1..=Self::MAX_PAGE_SIZE),
            indexed_attributes: reader.list("indexed_attributes", Paths::read),
            require_preconditions: reader.choice("require_preconditions", "off", "on"),
            cors_origins: reader.list("cors_origins", Origins::read),
            rate_limit: reader.number("rate_limit", 0, 0..=Self::MAX_RATE_LIMIT),
            bulk_time_limit: Duration::from_secs(reader.number("bulk_time_limit", 20, 1..=3600)),
            faults: Vec::new(),
        };
        configuration.faults = reader.faults;
        let faults = &configuration.faults;
        if !faults.is_empty() && before.is_none_or(|before| before.faults != *faults) {
            let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
            platform.log_error(&format!("misconfigured: {}", faults.join("; ")));
        }
        configuration
    }
}

/// Reads one variable after the other, and collects the faults.
struct Reader<'a, P> {
    platform: &'a P,
    faults: Vec<Fault>,
}

impl<P: Platform> Reader<'_, P> {
    /// The value of a variable; `None` if it has none, or an empty one.
    fn text(&mut self, variable: &'static str) -> Option<String> {
        match self.platform.variable(variable) {
            Ok(value) => value.filter(|text| !text.is_empty()),
            Err(reason) => {
                self.fault(variable, format!("can't be read: {reason}"));
                None
            }
        }
    }

    fn fault(&mut self, variable: &'static str, rule: String) {
        self.faults.push(Fault { variable, rule });
    }

    /// The value as `read` reads it. `read` fails with the rule that the value breaks.
    fn read<T: Default>(
        &mut self,
        variable: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let Some(text) = self.text(variable) else {
            return T::default();
        };
        read(&text).unwrap_or_else(|rule| {
            self.fault(variable, rule);
            T::default()
        })
    }

    /// A list as `read` reads it.
    fn list<T: Default>(
        &mut self,
        variable: &'static str,
        read: fn(&[&str]) -> Result<T, &'static str>,
    ) -> T {
        self.read(variable, |text| {
            read(&elements(text)).map_err(str::to_owned)
        })
    }

    /// Whether the value is `other`, where it is either that or `default`.
    fn choice(&mut self, variable: &'static str, default: &str, other: &str) -> bool {
        let text = self.text(variable);
        let is_other = text.as_deref() == Some(other);
        if !is_other && text.is_some_and(|text| text != default) {
            self.fault(variable, format!("must be {default} or {other}"));
        }
        is_other
    }

    fn number(&mut self, variable: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let Some(text) = self.text(variable) else {
            return default;
        };
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && range.contains(&number) => number,
            _ => {
                let (first, last) = (range.start(), range.end());
                let rule = format!("must be a whole number from {first} to {last}");
                self.fault(variable, rule);
                default
            }
        }
    }

    fn issuer(&mut self) -> Option<Issuer> {
        let values = Issuer::VARIABLES.map(|variable| {
            let text = self.text(variable)?;
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        });
        Issuer::read(values).unwrap_or_else(|(variable, rule)| {
            self.fault(variable, rule);
            None
        })
    }
}

/// The elements of a list: they are separated by commas or white space.
pub fn elements(text: &str) -> Vec<&str> {
    let elements = text.split([',', ' ', '\t', '\r', '\n']);
    elements.filter(|element| !element.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::FakePlatform;

    fn read(variable: &'static str, value: &'static str) -> Configuration {
        let platform = FakePlatform {
            variables: [(variable, value)].into(),
            ..FakePlatform::default()
        };
        Configuration::read(&platform, None)
    }

    #[test]
    fn each_variable_has_a_default_and_an_empty_value_is_none() {
        for variable in ["", "auth", "tokens", "page_size", "require_preconditions"] {
            let configuration = read(variable, "");
            assert_eq!(configuration.faults, []);
            assert!(!configuration.is_open && configuration.tokens.is_empty());
            assert!(!configuration.require_preconditions);
            assert_eq!(
                (configuration.page_size, configuration.rate_limit),
                (100, 0)
            );
            assert_eq!(configuration.bulk_time_limit, Duration::from_secs(20));
        }
    }

    #[test]
    fn what_can_be_read_counts() {
        assert!(read("auth", "off").is_open);
        assert!(!read("auth", "token").is_open);
        assert!(read("require_preconditions", "on").require_preconditions);
        assert_eq!(read("rate_limit", "1000000").rate_limit, 1_000_000);
        assert_eq!(read("page_size", "1").page_size, 1);
        let Paths(paths) = read("indexed_attributes", " team,\naddress.city").indexed_attributes;
        let paths = Vec::from_iter(paths.iter().map(|path| path.as_str()));
        assert_eq!(paths, ["team", "address.city"]);
        assert_eq!(
            read("bulk_time_limit", "3600").bulk_time_limit.as_secs(),
            3600
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_rule_and_not_repeated() {
        for (variable, value, rule) in [
            ("auth", "OFF", "must be token or off"),
            ("auth", "off\n", "must be token or off"),
            ("auth", "FAILS", "can't be read: it fails"),
            (
                "tokens",
                "admin admin secretish",
                "can't be read at entry 1: its SHA-256",
            ),
            ("jwt_issuer", "https://secretish", "must be set"),
            ("jwt_audience", "secretish", "must be set"),
            (
                "allowed_hosts",
                "https://secretish",
                "must list names of hosts",
            ),
            ("page_size", "0", "must be a whole number from 1 to 1000"),
            ("page_size", "1001", "must be a whole number from 1 to 1000"),
            ("page_size", "many", "must be a whole number from 1 to 1000"),
            (
                "indexed_attributes",
                "a..secretish",
                "must list at most 16 members",
            ),
            ("indexed_attributes", "secretish,secretish", "each once"),
            (
                "indexed_attributes",
                "a b c d e f g h i j k l m n o p q",
                "at most 16",
            ),
            ("require_preconditions", "yes", "must be off or on"),
            ("cors_origins", "secretish", "must list origins"),
            (
                "rate_limit",
                "100/min",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "rate_limit",
                "-1",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "rate_limit",
                "+1",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "rate_limit",
                " 2",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "rate_limit",
                "2.0",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "rate_limit",
                "99999999999999999999",
                "must be a whole number from 0 to 1000000",
            ),
            (
                "bulk_time_limit",
                "20s",
                "must be a whole number from 1 to 3600",
            ),
        ] {
            let faults = read(variable, value).faults;
            let [fault] = &*faults else {
                panic!("{variable}={value}: {faults:?}");
            };
            let told = fault.to_string();
            assert!(
                told.starts_with("the variable ") && told.contains(rule),
                "{told}"
            );
            assert!(!told.contains("secretish"), "{told}");
        }
    }

    #[test]
    fn faults_are_told_to_the_log_in_one_line_and_once() {
        let platform = FakePlatform {
            variables: [("rate_limit", "x"), ("page_size", "x")].into(),
            ..FakePlatform::default()
        };
        let first = Configuration::read(&platform, None);
        Configuration::read(&platform, Some(&first));
        let log = platform.log.borrow();
        let [line] = &**log else {
            panic!("{log:?}");
        };
        assert!(
            line.contains("rate_limit") && line.contains("page_size"),
            "{line}"
        );
    }
}
