//! The members of a group. They are not among the attributes that are read here as JSON: a
//! group may have very many, and a patch names only those that come and go.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::{Error, ScimType};
use super::filter::{Comparison, Filter, Operator};
use super::patch::{Op, Operation, Patch, Target};
use super::path::AttributePath;
use super::schema::{Attribute, GROUP};
use super::value::{Fault, read_one, take};
use super::{ResourceType, resource};

/// The name of the attribute.
const MEMBERS: &str = "members";

/// The ids of users, as the client wrote them.
pub type Ids = BTreeSet<String>;

/// What a patch does to the members of a group. An id is in one of the sets at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChanges {
    /// Whether first of all, every member that there was is removed.
    pub removes_all: bool,
    pub added: Ids,
    /// Empty if all are removed.
    pub removed: Ids,
}

impl MemberChanges {
    /// Whether the members stay as they are.
    pub fn is_empty(&self) -> bool {
        *self == MemberChanges::default()
    }

    fn add(&mut self, ids: Ids) {
        self.removed.retain(|id| !ids.contains(id));
        self.added.extend(ids);
    }

    fn remove(&mut self, ids: Ids) {
        self.added.retain(|id| !ids.contains(id));
        if !self.removes_all {
            self.removed.extend(ids);
        }
    }

    fn remove_all(&mut self) {
        *self = MemberChanges {
            removes_all: true,
            ..MemberChanges::default()
        };
    }
}

/// Reads the body of a request that creates or replaces a group, as [`resource::read`] does, and the
/// ids of its members; `None` if the body does not say who they are.
pub fn read_group(
    mut body: Value,
    group: &ResourceType,
) -> Result<(Map<String, Value>, Option<Ids>), Error> {
    let members = body.as_object_mut().and_then(|body| take(body, MEMBERS));
    let members = match members {
        None | Some(Value::Null) => None,
        Some(value) => Some(read_ids(value)?),
    };
    Ok((resource::read(body, group)?, members))
}

/// What a patch makes of a group, whose members are not among its attributes, and what it does to
/// its members.
pub fn patch_group(
    patch: &Patch,
    to: &Map<String, Value>,
    group: &ResourceType,
) -> Result<(Map<String, Value>, MemberChanges), Error> {
    let mut others = Vec::new();
    let mut changes = MemberChanges::default();
    for operation in &patch.0 {
        match &operation.target {
            Target::Attribute(path, filter) if is_of_members(*path) => {
                change(&mut changes, operation, *path, filter.as_ref())?;
            }
            _ => others.push(operation.clone()),
        }
    }
    Ok((Patch(others).apply(to, group)?, changes))
}

fn is_of_members(path: AttributePath) -> bool {
    path.extension.is_none() && path.attribute.name == MEMBERS
}

fn change(
    changes: &mut MemberChanges,
    operation: &Operation,
    path: AttributePath,
    filter: Option<&Filter>,
) -> Result<(), Error> {
    let is_value = path.sub_attribute.is_none_or(|sub| sub.name == "value");
    let is_replaced = path.sub_attribute.is_some() && operation.op == Op::Replace;
    if !is_value || is_replaced {
        let detail = format!("{path} can't be changed: a member is added or removed.");
        return Err(Error::new(ScimType::Mutability, detail));
    }
    let listed = match &operation.value {
        None | Some(Value::Null) => None,
        Some(value) => Some(read_ids(value.clone())?),
    };
    match (operation.op, filter) {
        (Op::Add, None) => changes.add(listed.unwrap_or_default()),
        (Op::Add, Some(filter)) => changes.add(ids_of(filter)?),
        (Op::Replace, None) => {
            changes.remove_all();
            changes.add(listed.unwrap_or_default());
        }
        (Op::Replace, Some(filter)) => {
            changes.remove(ids_of(filter)?);
            changes.add(listed.unwrap_or_default());
        }
        // Entra ID and others list those to remove.
        (Op::Remove, None) => match listed {
            Some(ids) => changes.remove(ids),
            None => changes.remove_all(),
        },
        (Op::Remove, Some(filter)) => changes.remove(ids_of(filter)?),
    }
    Ok(())
}

/// The ids that a filter chooses: `value eq "1"`, or several of them joined by `or`. Others would
/// have to be compared with every member.
fn ids_of(filter: &Filter) -> Result<Ids, Error> {
    match filter {
        Filter::Or(parts) => {
            let mut ids = Ids::new();
            for part in parts {
                ids.extend(ids_of(part)?);
            }
            Ok(ids)
        }
        Filter::Compare(Comparison {
            path,
            operator: Operator::Eq,
            value: Value::String(id),
        }) if path.is("value") => {
            let mut ids = Ids::new();
            ids.insert(id.clone());
            Ok(ids)
        }
        _ => {
            let rule = "Members are chosen by value eq and an id, or several of these with or.";
            Err(Error::new(ScimType::InvalidFilter, rule))
        }
    }
}

/// The ids in a list of members, or in a single one.
fn read_ids(value: Value) -> Result<Ids, Error> {
    let attribute = GROUP.attribute(MEMBERS).expect("groups have members");
    let values = match value {
        Value::Array(values) => values,
        one => vec![one],
    };
    let mut ids = Ids::new();
    for value in values.into_iter().filter(|value| !value.is_null()) {
        let member = read_one(attribute, value)?.unwrap_or_default();
        ids.insert(id_of(attribute, &member)?);
    }
    Ok(ids)
}

fn id_of(attribute: &Attribute, member: &Value) -> Result<String, Fault> {
    let text = |name: &str| member.get(name).and_then(Value::as_str);
    if !text("type").unwrap_or("User").eq_ignore_ascii_case("User") {
        return Err(Fault::new(
            attribute,
            "must be users: a group has no groups in it",
        ));
    }
    let id = text("value").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Fault::new(attribute, "must each have a value, the id of a user"))?;
    Ok(id.to_owned())
}
