//! Email addresses.

mod local_part;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::violation::{Rule, check_visible};
use crate::domain_name::{self, Flaw};
use crate::unicode::caseless;

/// An email address, in any script (RFC 5321 and RFC 6531), kept as it was written. Its
/// domain is a name and no address of a host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The most bytes an address has (RFC 5321, section 4.5.3.1.3, less its brackets), with
    /// its domain as it was written and as the DNS has it.
    pub const MAX_BYTES: usize = 254;

    /// The most bytes before the `@` (RFC 5321, section 4.5.3.1.1).
    pub const MAX_LOCAL_PART_BYTES: usize = 64;

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`, as it was written.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(local, _)| local)
    }

    /// Equal for two addresses that are the same: the local part without quotes, as
    /// [`caseless`] compares it, and the domain as the DNS has it.
    pub fn folded(&self) -> String {
        match Parts::of(&self.0) {
            Ok(parts) => [&caseless(&parts.local), "@", &parts.domain].concat(),
            // Not valid any more: the rules of another version had let it in.
            Err(_) => caseless(&self.0),
        }
    }
}

/// Addresses that mean the same are the same address.
impl PartialEq for Email {
    fn eq(&self, other: &Email) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }
}

impl Eq for Email {}

impl TryFrom<String> for Email {
    type Error = Rule;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Parts::of(&text)?;
        Ok(Email(text))
    }
}

/// The parts of an address.
struct Parts {
    /// Without quotes.
    local: String,
    /// As the DNS has it.
    domain: String,
}

impl Parts {
    fn of(text: &str) -> Result<Parts, Rule> {
        if text.len() > Email::MAX_BYTES {
            return Err("must have at most 254 bytes".into());
        }
        check_visible(text)?;
        // The last one, as a quoted local part may have others.
        let Some((local, domain)) = text.rsplit_once('@') else {
            return Err("must be an email address, such as ada@example.com".into());
        };
        let parts = Parts {
            local: local_part::read(local)?,
            domain: read_domain(domain)?,
        };
        match local.len() + 1 + parts.domain.len() > Email::MAX_BYTES {
            true => Err("must have at most 254 bytes, with its domain as the DNS has it".into()),
            false => Ok(parts),
        }
    }
}

/// The domain as the DNS has it.
fn read_domain(domain: &str) -> Result<String, Rule> {
    let domain = domain_name::to_ascii(domain).map_err(|flaw| match flaw {
        Flaw::Malformed => {
            "must have a domain name after its @: letters, digits and inner hyphens, \
             with single dots between them"
        }
        Flaw::TooLong => {
            "must have a domain name after its @ that has at most 253 bytes, and 63 between \
             two dots, as the DNS has it"
        }
    })?;
    // So that no name is mistaken for an address of a host (RFC 1123, section 2.1).
    let last = domain.rsplit('.').next().unwrap_or_default();
    match last.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Err("must have a domain name after its @, not an address of a host".into()),
        false => Ok(domain),
    }
}
