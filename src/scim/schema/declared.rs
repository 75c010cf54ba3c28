//! Extensions that an operator declares, in the form of RFC 7643, section 7.

use serde_json::{Map, Value};

use super::{Attribute, COMMON, Mutability, Returned, Schema, Type, Uniqueness};
use crate::json;

/// The most attributes that all extensions together declare, sub-attributes included.
const MAX_ATTRIBUTES: usize = 200;

/// The most bytes of a name.
const MAX_NAME: usize = 100;

/// Reads a JSON array of schemas, or says what is wrong. They live as long as the program, so
/// it's up to the caller to read the same text only once.
pub fn read_declared(text: &str) -> Result<Vec<&'static Schema>, String> {
    let value = json::parse(text.as_bytes()).map_err(|error| format!("is no JSON: {error}"))?;
    let Value::Array(schemas) = value else {
        return Err("must be an array of schemas".to_owned());
    };
    let mut read: Vec<&'static Schema> = Vec::new();
    let mut left = MAX_ATTRIBUTES;
    for schema in &schemas {
        let schema = read_schema(schema, &mut left)?;
        if read
            .iter()
            .any(|one| one.id.eq_ignore_ascii_case(schema.id))
        {
            return Err(format!("declares {:?} twice", schema.id));
        }
        read.push(Box::leak(Box::new(schema)));
    }
    Ok(read)
}

fn read_schema(value: &Value, left: &mut usize) -> Result<Schema, String> {
    let members = value.as_object().ok_or("has a schema that is no object")?;
    let id = text(members, "id")?.ok_or("has a schema without id")?;
    let is_urn = id.len() <= MAX_NAME
        && id
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("urn:"))
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b":.-_".contains(&byte))
        && !id.ends_with(':');
    if !is_urn {
        let rule = "must be a URN of letters, digits, and the signs : . - _";
        return Err(format!("has the id {id:?}, which {rule}"));
    }
    if id.to_ascii_lowercase().starts_with("urn:ietf:params:scim:") {
        return Err(format!("has the id {id:?}, which belongs to the standard"));
    }
    let within = |why: String| format!("has the schema {id}, which {why}");
    let name = text(members, "name").map_err(within)?;
    let description = text(members, "description").map_err(within)?;
    let attributes = members.get("attributes").unwrap_or(&Value::Null);
    Ok(Schema {
        id: leak(id),
        name: leak(name.unwrap_or(id)),
        description: leak(description.unwrap_or_default()),
        attributes: read_attributes(attributes, true, left).map_err(within)?,
    })
}

fn read_attributes(
    value: &Value,
    may_be_complex: bool,
    left: &mut usize,
) -> Result<&'static [Attribute], String> {
    let Value::Array(values) = value else {
        return Err("has no array of attributes".to_owned());
    };
    if values.is_empty() {
        return Err("has an empty array of attributes".to_owned());
    }
    *left = left
        .checked_sub(values.len())
        .ok_or_else(|| format!("is one too many: all have at most {MAX_ATTRIBUTES} attributes"))?;
    let mut attributes: Vec<Attribute> = Vec::new();
    for value in values {
        let members = value
            .as_object()
            .ok_or("has an attribute that is no object")?;
        let name = text(members, "name")?.ok_or("has an attribute without name")?;
        let within = |why: String| format!("has the attribute {name:?}, which {why}");
        if attributes
            .iter()
            .any(|one| one.name.eq_ignore_ascii_case(name))
        {
            return Err(within("is there twice".to_owned()));
        }
        attributes.push(read_attribute(name, members, may_be_complex, left).map_err(within)?);
    }
    Ok(attributes.leak())
}

fn read_attribute(
    name: &str,
    members: &Map<String, Value>,
    may_be_complex: bool,
    left: &mut usize,
) -> Result<Attribute, String> {
    // RFC 7643, section 2.1.
    let is_name = name.len() <= MAX_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '$')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"$-_".contains(&byte));
    if !is_name {
        return Err("must be a letter, followed by letters, digits, - and _".to_owned());
    }
    if super::find(COMMON, name).is_some() {
        return Err("is a name that every resource has".to_owned());
    }
    let kind = word(members, "type", Type::from_word)?.unwrap_or(Type::String);
    let sub_attributes = match (kind, may_be_complex) {
        (Type::Complex, true) => {
            let value = members.get("subAttributes").unwrap_or(&Value::Null);
            read_attributes(value, false, left)?
        }
        (Type::Complex, false) => return Err("is complex within a complex one".to_owned()),
        _ => &[],
    };
    let mutability = word(members, "mutability", Mutability::from_word)?;
    let returned = word(members, "returned", Returned::from_word)?;
    let uniqueness = word(members, "uniqueness", Uniqueness::from_word)?;
    if uniqueness.is_some_and(|uniqueness| uniqueness != Uniqueness::None) {
        return Err("must have the uniqueness none: the service keeps no other".to_owned());
    }
    let plain = Attribute::new(leak(name), kind, "");
    Ok(Attribute {
        description: leak(text(members, "description")?.unwrap_or_default()),
        multi_valued: flag(members, "multiValued")?.unwrap_or(false),
        required: flag(members, "required")?.unwrap_or(false),
        case_exact: flag(members, "caseExact")?.unwrap_or(plain.case_exact),
        mutability: mutability.unwrap_or(plain.mutability),
        returned: returned.unwrap_or(plain.returned),
        canonical_values: texts(members, "canonicalValues")?,
        reference_types: texts(members, "referenceTypes")?,
        sub_attributes,
        ..plain
    })
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("has a {name} that is no string")),
    }
}

fn flag(members: &Map<String, Value>, name: &str) -> Result<Option<bool>, String> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(format!("has a {name} that is neither true nor false")),
    }
}

fn word<T>(
    members: &Map<String, Value>,
    name: &str,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, String> {
    let Some(word) = text(members, name)? else {
        return Ok(None);
    };
    let known = read(word).ok_or_else(|| format!("has a {name} that the standard does not have"));
    known.map(Some)
}

fn texts(members: &Map<String, Value>, name: &str) -> Result<&'static [&'static str], String> {
    let wrong = || format!("has {name} that are no array of strings");
    let Some(value) = members.get(name) else {
        return Ok(&[]);
    };
    let values = value.as_array().ok_or_else(wrong)?.iter();
    let texts = values.map(|value| value.as_str().map(leak).ok_or_else(wrong));
    Ok(texts.collect::<Result<Vec<_>, _>>()?.leak())
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}
