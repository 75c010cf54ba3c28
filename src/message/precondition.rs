//! Conditional requests (RFC 9110, section 13): a change that is made only to
//! the version that the client knows, an answer that is sent only if it is new.

use http::header::{IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};

use super::compression;
use super::problem::{Problem, types};

/// The entity tag of content without a version of its own: a hash of the content.
pub fn entity_tag_of(hash: Sha256) -> String {
    let hash = hash.finalize();
    let (half, _) = hash.split_first_chunk::<16>().expect("it has 32 bytes");
    format!("\"{:032x}\"", u128::from_be_bytes(*half))
}

/// The preconditions of a request. Preconditions on dates are ignored, as no resource has a
/// `Last-Modified` (RFC 9110, sections 13.1.3 and 13.1.4).
#[derive(Debug, PartialEq)]
pub struct Preconditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Debug, PartialEq)]
enum Tags {
    Any,
    /// Entity tags, weak ones with their `W/`.
    OneOf(Vec<String>),
}

/// The outcome for a read.
#[derive(Debug, PartialEq)]
pub enum Read {
    Answer,
    /// The client has the answer already, under this entity tag: 304.
    NotModified(String),
}

impl Preconditions {
    pub fn of(headers: &HeaderMap) -> Result<Preconditions, Problem> {
        Ok(Preconditions {
            if_match: Tags::of(headers, IF_MATCH)?,
            if_none_match: Tags::of(headers, IF_NONE_MATCH)?,
        })
    }

    /// The preconditions of a change. Fails if the operator asks for one that names the version
    /// that the client knows, and there is no `If-Match` (RFC 6585, section 3). `If-None-Match`
    /// is none: it can admit every version but one.
    pub fn of_change(headers: &HeaderMap, required: bool) -> Result<Preconditions, Problem> {
        let preconditions = Preconditions::of(headers)?;
        match required && preconditions.if_match.is_none() {
            true => Err(Problem::precondition_required()),
            false => Ok(preconditions),
        }
    }

    /// The precondition that the version is one of those in the list, as `If-Match` has it;
    /// `None` if it is no such list.
    pub fn if_match(list: &str) -> Option<Preconditions> {
        Some(Preconditions {
            if_match: Some(match list.trim() {
                "*" => Tags::Any,
                _ => Tags::OneOf(entity_tags(list)?),
            }),
            if_none_match: None,
        })
    }

    /// Whether the request has no precondition.
    pub fn are_none(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Evaluates the preconditions of a read of a resource with the entity tag `current`, in the
    /// order of RFC 9110, section 13.2.2.
    pub fn check_read(&self, current: &str) -> Result<Read, Problem> {
        self.check_if_match(current)?;
        Ok(match &self.if_none_match {
            None => Read::Answer,
            Some(tags) => match tags.match_weakly(current) {
                None => Read::Answer,
                Some(tag) => Read::NotModified(tag),
            },
        })
    }

    /// Evaluates the preconditions of a change of a resource with the entity tag `current`.
    pub fn check_change(&self, current: &str) -> Result<(), Problem> {
        self.check_if_match(current)?;
        match &self.if_none_match {
            Some(tags) if tags.match_weakly(current).is_some() => {
                Err(Problem::precondition_failed())
            }
            _ => Ok(()),
        }
    }

    fn check_if_match(&self, current: &str) -> Result<(), Problem> {
        match &self.if_match {
            Some(tags) if !tags.match_strongly(current) => Err(Problem::precondition_failed()),
            _ => Ok(()),
        }
    }

    /// Turns "no such user" into a failed precondition, if `If-Match` asked for a user: a client
    /// that knew a version learns that it is gone.
    pub fn of_missing(&self, problem: Problem) -> Problem {
        match self.if_match.is_some() && problem.is(types::USER_NOT_FOUND) {
            true => Problem::precondition_failed(),
            false => problem,
        }
    }
}

impl Tags {
    fn of(headers: &HeaderMap, name: HeaderName) -> Result<Option<Tags>, Problem> {
        let rule = "must be * or a list of entity tags in double quotes, as ETag has them";
        let malformed = || Problem::malformed_header(&name, rule);
        let mut tags = None;
        for value in headers.get_all(&name) {
            let value = value.to_str().map_err(|_| malformed())?;
            if value.trim() == "*" {
                return Ok(Some(Tags::Any));
            }
            let listed = entity_tags(value).ok_or_else(malformed)?;
            tags.get_or_insert_with(Vec::new).extend(listed);
        }
        Ok(tags.map(Tags::OneOf))
    }

    /// The strong comparison (RFC 9110, section 8.8.3.2): a weak tag is equal to none.
    fn match_strongly(&self, current: &str) -> bool {
        match self {
            Tags::Any => true,
            Tags::OneOf(tags) => tags.iter().any(|tag| names(tag, current)),
        }
    }

    /// The weak comparison: a tag is what is in its quotes. Answers the one that is equal, which
    /// may be that of the compressed representation.
    fn match_weakly(&self, current: &str) -> Option<String> {
        match self {
            Tags::Any => Some(current.to_owned()),
            Tags::OneOf(tags) => {
                let mut strong = tags.iter().map(|tag| tag.trim_start_matches("W/"));
                strong.find(|tag| names(tag, current)).map(str::to_owned)
            }
        }
    }
}

/// Whether the tag is `current`, or that of the same content compressed.
fn names(tag: &str, current: &str) -> bool {
    let unclosed = tag.strip_suffix('"').unwrap_or(tag);
    let unclosed = unclosed
        .strip_suffix(compression::SUFFIX)
        .unwrap_or(unclosed);
    current.strip_suffix('"') == Some(unclosed)
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
    use proptest::prelude::*;

    fn preconditions(headers: &[(HeaderName, &str)]) -> Result<Preconditions, Problem> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        Preconditions::of(&headers.collect())
    }

    #[test]
    fn a_list_of_entity_tags_is_read_with_commas_inside_of_tags() {
        let tags = entity_tags(r#" , "a,b" , W/"c",,"" "#).unwrap();
        assert_eq!(tags, [r#""a,b""#, r#"W/"c""#, r#""""#]);
    }

    #[test]
    fn what_is_no_list_of_entity_tags_is_refused() {
        for list in ["a", r#""a"#, r#""a" "b""#, r#"w/"a""#, r#"*, "a""#] {
            assert_eq!(entity_tags(list), None, "{list}");
            assert!(preconditions(&[(IF_NONE_MATCH, list)]).is_err(), "{list}");
        }
    }

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        let not_modified = |tag: &str| Some(Read::NotModified(tag.to_owned()));
        for (header, value, read, change) in [
            (IF_MATCH, r#""x", "a""#, Some(Read::Answer), true),
            (IF_MATCH, r#"W/"a""#, None, false),
            (IF_MATCH, "*", Some(Read::Answer), true),
            (IF_NONE_MATCH, r#"W/"a""#, not_modified(r#""a""#), false),
            (
                IF_NONE_MATCH,
                r#""a-gzip""#,
                not_modified(r#""a-gzip""#),
                false,
            ),
            (IF_NONE_MATCH, "*", not_modified(r#""a""#), false),
            (IF_MATCH, r#""a-gzip""#, Some(Read::Answer), true),
            (IF_NONE_MATCH, r#""x""#, Some(Read::Answer), true),
            (IF_NONE_MATCH, "", Some(Read::Answer), true),
        ] {
            let preconditions = preconditions(&[(header.clone(), value)]).unwrap();
            let case = format!("{header}: {value}");
            assert_eq!(preconditions.check_read(r#""a""#).ok(), read, "{case}");
            let changed = preconditions.check_change(r#""a""#).is_ok();
            assert_eq!(changed, change, "{case}");
        }
    }

    #[test]
    fn if_match_is_evaluated_before_if_none_match() {
        let both = preconditions(&[(IF_MATCH, r#""old""#), (IF_NONE_MATCH, r#""a""#)]).unwrap();
        assert!(both.check_read(r#""a""#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_as_a_list_is_read_as_it(
            tags in prop::collection::vec("(W/)?\"[!#-~ ]*\"", 0..5),
            separator in "[ \t]*,[ \t,]*",
        ) {
            prop_assert_eq!(entity_tags(&tags.join(&separator)), Some(tags));
        }

        #[test]
        fn any_text_is_a_list_or_none(text in any::<String>()) {
            for tag in entity_tags(&text).into_iter().flatten() {
                let quoted = tag.strip_prefix("W/").unwrap_or(&tag);
                prop_assert!(quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"'));
                prop_assert!(text.contains(&tag));
            }
        }
    }
}
