//! The paths of attributes (RFC 7644, section 3.10), and of the values that a patch changes
//! (section 3.5.2).

#[cfg(test)]
mod tests;

use std::fmt;
use std::slice;

use serde_json::{Map, Value};

use super::ResourceType;
use super::error::{Error, ScimType};
use super::filter::{Filter, filter_of_values};
use super::schema::{Attribute, Schema, Type};

/// An attribute, or a sub-attribute of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttributePath {
    /// The extension that has the attribute, if one does.
    pub extension: Option<&'static Schema>,
    pub attribute: &'static Attribute,
    pub sub_attribute: Option<&'static Attribute>,
}

/// Where names of attributes are looked up.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// In resources of any of these types.
    Resources(&'a [&'a ResourceType]),
    /// In the values of a complex attribute.
    Values(&'static Attribute),
}

impl AttributePath {
    /// Reads the path of an attribute of any of these types, as `name.familyName` or with the
    /// schema's URN before it; fails with what is wrong, as the rest of a sentence.
    pub fn read(text: &str, types: &[&ResourceType]) -> Result<AttributePath, String> {
        AttributePath::resolve(text, Scope::Resources(types))
    }

    pub(super) fn resolve(text: &str, scope: Scope) -> Result<AttributePath, String> {
        let path = match scope {
            Scope::Resources(types) => types
                .iter()
                .find_map(|one| AttributePath::of_type(text, one)),
            Scope::Values(attribute) => attribute.sub_attribute(text).map(|sub| AttributePath {
                extension: None,
                attribute: sub,
                sub_attribute: None,
            }),
        };
        path.ok_or_else(|| format!("{:?} is no attribute", shortened(text)))
    }

    fn of_type(text: &str, resource_type: &ResourceType) -> Option<AttributePath> {
        let (extension, names) = split_urn(text, resource_type)?;
        let (name, sub) = match names.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (names, None),
        };
        let attribute = match extension {
            Some(extension) => extension.attribute(name)?,
            None => resource_type.attribute(name)?,
        };
        let sub_attribute = match sub {
            Some(sub) => Some(attribute.sub_attribute(sub)?),
            None => None,
        };
        Some(AttributePath {
            extension,
            attribute,
            sub_attribute,
        })
    }

    /// The sub-attribute, or else the attribute.
    pub fn last(&self) -> &'static Attribute {
        self.sub_attribute.unwrap_or(self.attribute)
    }

    /// Whether this is the path, written with the names that the schemas give.
    pub fn is(&self, path: &str) -> bool {
        self.extension.is_none()
            && match path.split_once('.') {
                None => self.sub_attribute.is_none() && self.attribute.name == path,
                Some((name, sub)) => {
                    self.attribute.name == name
                        && self.sub_attribute.is_some_and(|one| one.name == sub)
                }
            }
    }

    /// The same path, or the one of its sub-attribute `value`: that is meant where a complex
    /// attribute is compared (RFC 7644, section 3.4.2.2).
    pub(super) fn to_simple(self) -> Option<AttributePath> {
        match self.last().kind {
            Type::Complex => Some(AttributePath {
                sub_attribute: Some(self.attribute.sub_attribute("value")?),
                ..self
            }),
            _ => Some(self),
        }
    }

    /// The values that a resource has there. Those of an array count each.
    pub fn values(self, resource: &Map<String, Value>) -> Vec<&Value> {
        let mut found = Vec::new();
        for value in self.elements(resource) {
            match self.sub_attribute {
                None => found.push(value),
                Some(sub) => found.extend(elements(value.get(sub.name))),
            }
        }
        found.retain(|value| !value.is_null());
        found
    }

    /// The values of the attribute, whatever the sub-attribute is.
    pub(super) fn elements(self, resource: &Map<String, Value>) -> &[Value] {
        let value = match self.extension {
            Some(extension) => match resource.get(extension.id) {
                Some(Value::Object(members)) => members.get(self.attribute.name),
                _ => None,
            },
            None => resource.get(self.attribute.name),
        };
        elements(value)
    }
}

/// The elements of an array, or else the one value.
fn elements(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(elements)) => elements,
        Some(value) => slice::from_ref(value),
        None => &[],
    }
}

/// The extension whose URN a path begins with, and the names after it; `None` if it begins with
/// an unknown one. A URN has dots and colons in it, so only those that are known are found.
fn split_urn<'a>(
    path: &'a str,
    resource_type: &ResourceType,
) -> Option<(Option<&'static Schema>, &'a str)> {
    let Some(last_colon) = path.rfind(':') else {
        return Some((None, path));
    };
    let (urn, names) = (&path[..last_colon], &path[last_colon + 1..]);
    if urn.eq_ignore_ascii_case(resource_type.schema.id) {
        return Some((None, names));
    }
    Some((Some(resource_type.extension(urn)?), names))
}

/// What of a client's text is told back.
pub(super) fn shortened(text: &str) -> &str {
    const MAX_CHARS: usize = 50;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(extension) = self.extension {
            write!(f, "{}:", extension.id)?;
        }
        f.write_str(self.attribute.name)?;
        match self.sub_attribute {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

/// What an operation of a patch changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Path {
    /// The resource, or rather all that the value of the operation has.
    Resource,
    /// All attributes of an extension.
    Extension(&'static Schema),
    /// An attribute, or a sub-attribute.
    Attribute(AttributePath),
    /// The values of an attribute that the filter matches, or a sub-attribute of them.
    Values(AttributePath, Filter),
}

impl Path {
    /// The most bytes of a path.
    pub const MAX_BYTES: usize = 4096;

    /// Reads a path. Fails with [`ScimType::InvalidPath`], or with
    /// [`ScimType::InvalidFilter`] where the filter in it is wrong.
    pub fn read(text: &str, resource_type: &ResourceType) -> Result<Path, Error> {
        let text = text.trim();
        if text.len() > Path::MAX_BYTES {
            let rule = format!("A path has at most {} bytes.", Path::MAX_BYTES);
            return Err(Error::new(ScimType::InvalidPath, rule));
        }
        if text.is_empty() || text.eq_ignore_ascii_case(resource_type.schema.id) {
            return Ok(Path::Resource);
        }
        if let Some(extension) = resource_type.extension(text) {
            return Ok(Path::Extension(extension));
        }
        let types = slice::from_ref(&resource_type);
        let invalid = |why: String| {
            let detail = format!("The path {:?} is wrong: {why}.", shortened(text));
            Error::new(ScimType::InvalidPath, detail)
        };
        let Some((name, _)) = text.split_once('[') else {
            return AttributePath::read(text, types)
                .map(Path::Attribute)
                .map_err(invalid);
        };
        let mut path = AttributePath::read(name, types).map_err(invalid)?;
        let attribute = path.attribute;
        if path.sub_attribute.is_some()
            || attribute.kind != Type::Complex
            || !attribute.multi_valued
        {
            let why = format!("{:?} has no values to choose from", shortened(name));
            return Err(invalid(why));
        }
        let (filter, rest) = filter_of_values(text, name.len() + 1, attribute)?;
        path.sub_attribute = match rest.strip_prefix('.') {
            None if rest.is_empty() => None,
            None => {
                return Err(invalid(
                    "after \"]\" there may be a dot and a name".to_owned(),
                ));
            }
            Some(sub) => {
                let found = attribute.sub_attribute(sub);
                let why = || format!("{:?} is no sub-attribute", shortened(sub));
                Some(found.ok_or_else(|| invalid(why()))?)
            }
        };
        Ok(Path::Values(path, filter))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Path::Resource => Ok(()),
            Path::Extension(extension) => f.write_str(extension.id),
            Path::Attribute(path) => path.fmt(f),
            Path::Values(path, filter) => {
                let sub_attribute = None;
                write!(
                    f,
                    "{}[{filter}]",
                    AttributePath {
                        sub_attribute,
                        ..*path
                    }
                )?;
                match path.sub_attribute {
                    Some(sub) => write!(f, ".{}", sub.name),
                    None => Ok(()),
                }
            }
        }
    }
}
