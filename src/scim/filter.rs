//! Filters: which resources a list has (RFC 7644, section 3.4.2.2).

mod matching;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;

use serde_json::Value;

use super::ResourceType;
use super::error::{Error, ScimType};
use super::path::{AttributePath, Scope};
use super::schema::{Attribute, Type};
use super::value::time;
pub(super) use matching::compare;
use parser::Parser;

/// A condition that a resource meets or does not meet. `Display` writes a text that is read as
/// the same filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All of them, two at least, and none of them is an `And`.
    And(Vec<Filter>),
    /// Any of them, two at least, and none of them is an `Or`.
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// There is a value that is not empty.
    Present(AttributePath),
    Compare(Comparison),
    /// One of the attribute's values meets a condition by itself, as in `emails[type eq "work"]`.
    Values(AttributePath, Box<Filter>),
}

/// Compares the values of an attribute with one that the filter has.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Never complex: `emails` is read as `emails.value`.
    pub path: AttributePath,
    pub operator: Operator,
    /// Of the attribute's type; or null, with [`Operator::Eq`] and [`Operator::Ne`] alone.
    pub value: Value,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    const ALL: [Operator; 9] = [
        Operator::Eq,
        Operator::Ne,
        Operator::Co,
        Operator::Sw,
        Operator::Ew,
        Operator::Gt,
        Operator::Ge,
        Operator::Lt,
        Operator::Le,
    ];

    /// As filters have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Operator::Eq => "eq",
            Operator::Ne => "ne",
            Operator::Co => "co",
            Operator::Sw => "sw",
            Operator::Ew => "ew",
            Operator::Gt => "gt",
            Operator::Ge => "ge",
            Operator::Lt => "lt",
            Operator::Le => "le",
        }
    }
}

impl Filter {
    /// The most bytes of a filter.
    pub const MAX_BYTES: usize = 8 * 1024;

    /// The most levels of parentheses and brackets.
    pub const MAX_DEPTH: usize = 16;

    /// The most comparisons. Each is made with each value of up to 1,000 resources.
    pub const MAX_COMPARISONS: usize = 100;

    /// Reads a filter of resources of any of these types. Fails with [`ScimType::InvalidFilter`], and
    /// says where and what is wrong; so it does for unknown attributes, and for those that are never told.
    pub fn read(text: &str, types: &[&ResourceType]) -> Result<Filter, Error> {
        let mut parser = Parser::new(text, 0, Scope::Resources(types))?;
        let filter = parser.filter()?;
        parser.end()?;
        Ok(filter)
    }

    /// Comparisons that every resource meets which the filter matches: the parts of an `and`,
    /// also within brackets. There may be none.
    pub fn conjuncts(&self) -> Vec<Comparison> {
        let mut found = Vec::new();
        self.collect(None, &mut found);
        found
    }

    fn collect(&self, around: Option<AttributePath>, found: &mut Vec<Comparison>) {
        match self {
            Filter::And(parts) => parts.iter().for_each(|part| part.collect(around, found)),
            Filter::Compare(comparison) => {
                let path = match around {
                    Some(around) => AttributePath {
                        sub_attribute: Some(comparison.path.attribute),
                        ..around
                    },
                    None => comparison.path,
                };
                // One email without a type, or with another one, says nothing of the others.
                let is_of_one = comparison.operator == Operator::Ne || comparison.value.is_null();
                if around.is_none() || !is_of_one {
                    found.push(Comparison {
                        path,
                        ..comparison.clone()
                    });
                }
            }
            Filter::Values(path, filter) => filter.collect(Some(*path), found),
            Filter::Or(_) | Filter::Not(_) | Filter::Present(_) => {}
        }
    }

    /// Whether it asks for an attribute of the type itself, and not of an extension.
    pub fn mentions(&self, attribute: &str) -> bool {
        let is_it =
            |path: &AttributePath| path.extension.is_none() && path.attribute.name == attribute;
        match self {
            Filter::And(parts) | Filter::Or(parts) => {
                parts.iter().any(|part| part.mentions(attribute))
            }
            Filter::Not(part) => part.mentions(attribute),
            Filter::Compare(condition) => is_it(&condition.path),
            Filter::Present(path) | Filter::Values(path, _) => is_it(path),
        }
    }

    /// All of the filters.
    fn and(parts: Vec<Filter>) -> Filter {
        let split = |part| match part {
            Filter::And(parts) => parts,
            other => vec![other],
        };
        Filter::joined(parts.into_iter().flat_map(split).collect(), Filter::And)
    }

    /// Any of the filters.
    fn or(parts: Vec<Filter>) -> Filter {
        let split = |part| match part {
            Filter::Or(parts) => parts,
            other => vec![other],
        };
        Filter::joined(parts.into_iter().flat_map(split).collect(), Filter::Or)
    }

    fn joined(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
        match parts.len() {
            1 => parts.remove(0),
            _ => join(parts),
        }
    }
}

/// The filter in brackets that begins at a place in a text, and what follows the bracket that
/// closes it.
pub(super) fn filter_of_values<'a>(
    text: &'a str,
    at: usize,
    attribute: &'static Attribute,
) -> Result<(Filter, &'a str), Error> {
    let mut parser = Parser::new(text, at, Scope::Values(attribute))?;
    let filter = parser.filter()?;
    parser.close(']')?;
    Ok((filter, parser.rest()))
}

impl Comparison {
    /// Fails with what is wrong, as the rest of a sentence.
    fn new(path: AttributePath, operator: Operator, value: Value) -> Result<Comparison, String> {
        let Some(simple) = path.to_simple() else {
            return Err(format!(
                "{path} has sub-attributes, and one of them must be named"
            ));
        };
        let path = simple;
        let word = operator.as_str();
        let kind = path.last().kind;
        let is_order = matches!(
            operator,
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
        );
        let is_part = matches!(operator, Operator::Co | Operator::Sw | Operator::Ew);
        if value.is_null() && (is_order || is_part) {
            return Err(format!("null can't be compared by {word:?}"));
        }
        let is_refused = match kind {
            Type::Boolean => is_order || is_part,
            Type::Binary => is_order,
            Type::Integer | Type::Decimal | Type::DateTime => is_part,
            Type::String | Type::Reference | Type::Complex => false,
        };
        if is_refused {
            let kind = kind.as_str();
            return Err(format!(
                "{path} is of the type {kind}, which {word:?} does not compare"
            ));
        }
        let value = match (kind, value) {
            (_, Value::Null) => Value::Null,
            // Entra ID writes "True".
            (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => {
                true.into()
            }
            (Type::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => {
                false.into()
            }
            (_, value) => value,
        };
        let is_of_type = match kind {
            _ if value.is_null() => true,
            Type::Boolean => value.is_boolean(),
            Type::Integer | Type::Decimal => value.is_number(),
            Type::DateTime => value.as_str().and_then(time).is_some(),
            Type::String | Type::Reference | Type::Binary | Type::Complex => value.is_string(),
        };
        if !is_of_type {
            let kind = kind.as_str();
            return Err(format!(
                "{path} must be compared with a value of the type {kind}"
            ));
        }
        Ok(Comparison {
            path,
            operator,
            value,
        })
    }
}

fn invalid(detail: String) -> Error {
    Error::new(ScimType::InvalidFilter, detail)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let list = |f: &mut fmt::Formatter, parts: &[Filter], word: &str| {
            for (number, part) in parts.iter().enumerate() {
                if number > 0 {
                    write!(f, " {word} ")?;
                }
                // `and` binds closer than `or`.
                match part {
                    Filter::Or(_) => write!(f, "({part})")?,
                    _ => part.fmt(f)?,
                }
            }
            Ok(())
        };
        match self {
            Filter::And(parts) => list(f, parts, "and"),
            Filter::Or(parts) => list(f, parts, "or"),
            Filter::Not(filter) => write!(f, "not ({filter})"),
            Filter::Present(path) => write!(f, "{path} pr"),
            Filter::Compare(comparison) => comparison.fmt(f),
            Filter::Values(path, filter) => write!(f, "{path}[{filter}]"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {} {}", self.path, self.operator.as_str(), self.value)
    }
}
