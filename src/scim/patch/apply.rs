//! What a patch makes of a resource.

use serde_json::{Map, Value};

use super::super::error::{Error, ScimType};
use super::super::filter::{Filter, Operator};
use super::super::path::AttributePath;
use super::super::schema::{Attribute, Mutability};
use super::super::value::{Fault, MAX_VALUES, read, read_one};
use super::super::{ResourceType, resource};
use super::values::{appended, has_all_of, with_one_primary};
use super::{Op, Operation, Patch, Target};

/// The most bytes that are written where one value is set in many places.
const MAX_COPIED: usize = 64 * 1024;

impl Patch {
    /// What the patch makes of a resource, which itself stays as it is.
    ///
    /// Fails where RFC 7644, section 3.5.2, says so; and with [`ScimType::Mutability`] if a required
    /// attribute is gone in the end.
    pub fn apply(
        &self,
        to: &Map<String, Value>,
        resource_type: &ResourceType,
    ) -> Result<Map<String, Value>, Error> {
        let mut changed = to.clone();
        for operation in &self.0 {
            operation.apply(&mut changed)?;
        }
        if let Some(name) = resource::missing(&changed, resource_type) {
            let detail = format!("{name} is required, and can't be removed.");
            return Err(Error::new(ScimType::Mutability, detail));
        }
        Ok(changed)
    }
}

impl Operation {
    fn apply(&self, resource: &mut Map<String, Value>) -> Result<(), Error> {
        let (path, filter) = match &self.target {
            Target::Extension(extension) => {
                resource.remove(extension.id);
                return Ok(());
            }
            Target::Attribute(path, filter) => (*path, filter.as_ref()),
        };
        let Some(extension) = path.extension else {
            return self.change(resource, path, filter);
        };
        let mut members = match resource.remove(extension.id) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        };
        self.change(&mut members, path, filter)?;
        if !members.is_empty() {
            resource.insert(extension.id.to_owned(), members.into());
        }
        Ok(())
    }

    /// Changes the attribute in the object that has it.
    fn change(
        &self,
        members: &mut Map<String, Value>,
        path: AttributePath,
        filter: Option<&Filter>,
    ) -> Result<(), Error> {
        let attribute = path.attribute;
        if filter.is_none() && path.sub_attribute.is_none() {
            return self.set(members, attribute);
        }
        if attribute.multi_valued {
            return self.change_values(members, path, filter);
        }
        let Some(sub) = path.sub_attribute else {
            return Ok(());
        };
        let mut value = match members.remove(attribute.name) {
            Some(Value::Object(value)) => value,
            _ => Map::new(),
        };
        self.set(&mut value, sub)
            .map_err(|error| within(attribute, error))?;
        if !value.is_empty() {
            members.insert(attribute.name.to_owned(), value.into());
        }
        Ok(())
    }

    /// Changes an attribute as a whole.
    fn set(&self, members: &mut Map<String, Value>, attribute: &Attribute) -> Result<(), Error> {
        let before = members.remove(attribute.name);
        let is_immutable = attribute.mutability == Mutability::Immutable && before.is_some();
        let kept = is_immutable.then(|| before.clone()).flatten();
        let after = match self.op {
            Op::Remove => self.without(attribute, before)?,
            Op::Add | Op::Replace => {
                let value = self.value.clone().unwrap_or_default();
                match (read(attribute, value)?, before) {
                    (None, before) if self.op == Op::Add => before,
                    (None, _) => None,
                    (Some(value), Some(before)) => Some(self.joined(attribute, before, value)?),
                    (Some(value), None) => Some(value),
                }
            }
        };
        if is_immutable && kept != after {
            let detail = format!("{} can't be changed.", attribute.name);
            return Err(Error::new(ScimType::Mutability, detail));
        }
        if let Some(after) = after {
            members.insert(attribute.name.to_owned(), after);
        }
        Ok(())
    }

    /// The value of an attribute that had another one before. In a complex value, sub-attributes
    /// that are not named stay, also if it is replaced (RFC 7644, section 3.5.2.3).
    fn joined(&self, attribute: &Attribute, before: Value, value: Value) -> Result<Value, Fault> {
        match (before, value) {
            (Value::Array(before), Value::Array(values)) if self.op == Op::Add => {
                let values = appended(attribute, before, values);
                match values.len() <= MAX_VALUES {
                    true => Ok(Value::Array(values)),
                    false => {
                        let rule = format!("must have at most {MAX_VALUES} values");
                        Err(Fault::new(attribute, rule))
                    }
                }
            }
            (Value::Object(mut before), Value::Object(value)) => {
                before.extend(value);
                Ok(Value::Object(before))
            }
            (_, value) => Ok(value),
        }
    }

    /// What stays of an attribute that is removed. An operation that has a value, and an
    /// attribute that has many, means those values alone: so Entra ID removes members.
    fn without(
        &self,
        attribute: &Attribute,
        before: Option<Value>,
    ) -> Result<Option<Value>, Fault> {
        let listed = match &self.value {
            Some(value) if attribute.multi_valued && !value.is_null() => value.clone(),
            _ => return Ok(None),
        };
        let Some(Value::Array(mut values)) = before else {
            return Ok(None);
        };
        if let Some(Value::Array(listed)) = read(attribute, listed)? {
            values.retain(|value| !listed.iter().any(|one| has_all_of(attribute, value, one)));
        }
        Ok((!values.is_empty()).then_some(Value::Array(values)))
    }

    /// Changes those of an attribute's values that the filter matches, or all of them.
    fn change_values(
        &self,
        members: &mut Map<String, Value>,
        path: AttributePath,
        filter: Option<&Filter>,
    ) -> Result<(), Error> {
        let attribute = path.attribute;
        let mut values = match members.remove(attribute.name) {
            Some(Value::Array(values)) => values,
            Some(value) => vec![value],
            None => Vec::new(),
        };
        let is_matched = |value: &Value| match (filter, value.as_object()) {
            (Some(filter), Some(value)) => filter.matches(value),
            (filter, _) => filter.is_none(),
        };
        let mut matched: Vec<bool> = values.iter().map(is_matched).collect();
        let mut count = matched.iter().filter(|matched| **matched).count();
        if count == 0 && self.makes_value(path, filter) && values.len() < MAX_VALUES {
            values.push(value_of(attribute, filter)?);
            matched.push(true);
            count = 1;
        }
        // To remove what is not there has its effect already: so a patch can be sent again.
        if count == 0 && filter.is_some() && self.op != Op::Remove {
            return Err(no_target(attribute));
        }
        let size = |value: &Value| value.to_string().len();
        if count > 1 && count * self.value.as_ref().map_or(0, size) > MAX_COPIED {
            let rule = format!("must have at most {MAX_COPIED} bytes");
            return Err(Fault::new(attribute, rule).into());
        }
        let mut changed = Vec::new();
        for (value, is_matched) in values.into_iter().zip(matched) {
            let after = match is_matched {
                true => self.change_value(path, value)?,
                false => Some(value),
            };
            changed.extend(after.map(|value| (value, is_matched)));
        }
        let values = with_one_primary(attribute, changed)?;
        if !values.is_empty() {
            members.insert(attribute.name.to_owned(), Value::Array(values));
        }
        Ok(())
    }

    /// Whether a value is made if there is none to change. A `replace` of a whole value is
    /// told so (RFC 7644, section 3.5.2.3); one of a sub-attribute makes a value, as Entra ID
    /// writes `replace` also for what it has not sent before.
    fn makes_value(&self, path: AttributePath, filter: Option<&Filter>) -> bool {
        let is_null = self.value.as_ref().is_none_or(Value::is_null);
        match self.op {
            Op::Remove => false,
            Op::Add => !is_null,
            Op::Replace => !is_null && (path.sub_attribute.is_some() || filter.is_none()),
        }
    }

    /// One of many values, changed; `None` if it is gone.
    fn change_value(&self, path: AttributePath, value: Value) -> Result<Option<Value>, Error> {
        let attribute = path.attribute;
        let Some(sub) = path.sub_attribute else {
            let new = match self.op {
                Op::Remove => return Ok(None),
                Op::Add | Op::Replace => {
                    read_one(attribute, self.value.clone().unwrap_or_default())?
                }
            };
            return Ok(match (self.op, value, new) {
                (Op::Add, Value::Object(mut members), Some(Value::Object(new))) => {
                    members.extend(new);
                    Some(Value::Object(members))
                }
                (Op::Add, value, None) => Some(value),
                (_, _, new) => new,
            });
        };
        let Value::Object(mut members) = value else {
            return Ok(Some(value));
        };
        let had = members.contains_key(sub.name);
        self.set(&mut members, sub)
            .map_err(|error| within(attribute, error))?;
        // What is left of an email whose address was removed is no email.
        let is_void = sub.name == "value" && had && !members.contains_key(sub.name);
        Ok((!is_void && !members.is_empty()).then_some(Value::Object(members)))
    }
}

/// A value that a filter matches: it has what the filter says by `eq`. Without filter, it is empty.
/// Fails with [`ScimType::NoTarget`] if the filter says nothing so, or more.
fn value_of(attribute: &Attribute, filter: Option<&Filter>) -> Result<Value, Error> {
    let mut members = Map::new();
    let Some(filter) = filter else {
        return Ok(Value::Object(members));
    };
    for comparison in filter.conjuncts() {
        if comparison.operator == Operator::Eq {
            let name = comparison.path.attribute.name;
            members.insert(name.to_owned(), comparison.value);
        }
    }
    members.retain(|_, value| !value.is_null());
    match !members.is_empty() && filter.matches(&members) {
        true => Ok(Value::Object(members)),
        false => Err(no_target(attribute)),
    }
}

fn no_target(attribute: &Attribute) -> Error {
    let detail = format!("The filter in the path matches none of {}.", attribute.name);
    Error::new(ScimType::NoTarget, detail)
}

/// Says in which attribute the sub-attribute is that an error names first.
fn within(attribute: &Attribute, error: Error) -> Error {
    Error {
        detail: format!("{}.{}", attribute.name, error.detail),
        ..error
    }
}
