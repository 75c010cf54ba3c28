//! Conditional requests (RFC 9110, section 13): a change that is made only to
//! the version that the client knows.

use http::HeaderMap;
use http::header::IF_MATCH;

use super::problem::Problem;
use crate::directory::Error;
use crate::user::{User, Version};

/// The entity tag of a version. Strong (RFC 9110, section 8.8.1): a version has
/// one representation.
pub(super) fn entity_tag(version: Version) -> String {
    format!("\"{version}\"")
}

/// What `If-Match` asks for (RFC 9110, section 13.1.1).
#[derive(Debug, PartialEq)]
pub(super) enum Precondition {
    /// Nothing: there is no such header.
    None,
    /// That there is a user.
    Exists,
    /// That the user's entity tag is one of these.
    OneOf(Vec<String>),
}

impl Precondition {
    pub fn of(headers: &HeaderMap) -> Result<Precondition, Problem> {
        let mut tags = Vec::new();
        let mut present = false;
        for value in headers.get_all(IF_MATCH) {
            present = true;
            let value = value.to_str().map_err(|_| Problem::malformed_if_match())?;
            if value.trim() == "*" {
                return Ok(Precondition::Exists);
            }
            tags.extend(entity_tags(value).ok_or_else(Problem::malformed_if_match)?);
        }
        Ok(match present {
            true => Precondition::OneOf(tags),
            false => Precondition::None,
        })
    }

    /// Fails with [`Error::PreconditionFailed`] if the user is not what the client asks for.
    pub fn check(&self, user: &User) -> Result<(), Error> {
        match self {
            // The strong comparison, so that a weak tag is equal to none.
            Precondition::OneOf(tags) if !tags.contains(&entity_tag(user.version)) => {
                Err(Error::PreconditionFailed)
            }
            _ => Ok(()),
        }
    }

    /// Turns "no such user" into a failed precondition, if there is one: it asked for a user,
    /// and a client that knew a version learns that it is gone.
    pub fn of_missing(&self, error: Error) -> Error {
        match (self, error) {
            (Precondition::Exists | Precondition::OneOf(_), Error::NotFound) => {
                Error::PreconditionFailed
            }
            (_, error) => error,
        }
    }
}

/// Reads a list of entity tags, weak ones with their `W/`; `None` if it is none.
/// A tag may contain commas, so that the list can't be split at them.
fn entity_tags(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    // Empty elements don't count (RFC 9110, section 5.6.1.2).
    let mut rest = list.trim().trim_start_matches([',', ' ', '\t']);
    while !rest.is_empty() {
        let quoted = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let end = rest.len() - quoted.len() + quoted.find('"')? + 1;
        tags.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
        if !rest.is_empty() {
            rest = rest.strip_prefix(',')?.trim_start_matches([',', ' ', '\t']);
        }
    }
    Some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_entity_tags_is_read_with_commas_inside_of_tags() {
        let tags = entity_tags(r#" , "a,b" , W/"c",,"" "#).unwrap();
        assert_eq!(tags, [r#""a,b""#, r#"W/"c""#, r#""""#]);
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused() {
        for list in ["a", r#""a"#, r#""a" "b""#, r#"w/"a""#, r#"*, "a""#] {
            assert_eq!(entity_tags(list), None, "{list}");
        }
    }
}
