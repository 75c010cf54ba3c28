//! Changes of a resource (RFC 7644, section 3.5.2).

mod apply;
#[cfg(test)]
mod tests;
mod values;

use serde_json::{Map, Value};

use super::ResourceType;
use super::error::{Error, ScimType};
use super::filter::Filter;
use super::path::{AttributePath, Path};
use super::resource::check_schema;
use super::schema::{Mutability, Schema};
use super::value::take;

/// The schema of patches.
pub const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The most operations of a patch.
pub const MAX_OPERATIONS: usize = 1000;

/// Operations that change a resource, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch(pub(super) Vec<Operation>);

/// Changes one attribute, or removes an extension.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Operation {
    pub op: Op,
    pub target: Target,
    /// An `add` and a `replace` always have one.
    pub value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Remove,
    Replace,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Target {
    Extension(&'static Schema),
    /// An attribute, or the values of it that a filter matches.
    Attribute(AttributePath, Option<Filter>),
}

impl Patch {
    /// Reads the body of a patch. An operation without path, or with that of an extension, is read as
    /// one for each member of its value: those may be paths with dots, brackets and URNs, as Entra ID
    /// writes them.
    ///
    /// Passwords and `schemas` have no effect. Without path, neither have unknown attributes
    /// and those that only the service sets; with a path, they fail with
    /// [`ScimType::InvalidPath`] and [`ScimType::Mutability`].
    pub fn read(body: Value, resource_type: &ResourceType) -> Result<Patch, Error> {
        let syntax = |rule: &str| Error::new(ScimType::InvalidSyntax, rule);
        let Value::Object(mut body) = body else {
            return Err(syntax("The body must be an object."));
        };
        check_schema(take(&mut body, "schemas"), SCHEMA)?;
        let operations = match take(&mut body, "Operations") {
            Some(Value::Array(operations)) if !operations.is_empty() => operations,
            _ => return Err(syntax("Operations must be an array with operations in it.")),
        };
        if operations.len() > MAX_OPERATIONS {
            let rule = format!("A patch has at most {MAX_OPERATIONS} operations.");
            return Err(Error::new(ScimType::TooMany, rule));
        }
        let mut patch = Patch(Vec::new());
        for (number, operation) in operations.into_iter().enumerate() {
            let read = patch.read_operation(operation, resource_type);
            read.map_err(|error| of_operation(number, error))?;
        }
        Ok(patch)
    }

    fn read_operation(
        &mut self,
        operation: Value,
        resource_type: &ResourceType,
    ) -> Result<(), Error> {
        let syntax = |rule: &str| Error::new(ScimType::InvalidSyntax, rule);
        let Value::Object(mut operation) = operation else {
            return Err(syntax("It must be an object."));
        };
        let op = take(&mut operation, "op");
        let op = match op.as_ref().and_then(Value::as_str) {
            Some(op) if op.eq_ignore_ascii_case("add") => Op::Add,
            Some(op) if op.eq_ignore_ascii_case("remove") => Op::Remove,
            Some(op) if op.eq_ignore_ascii_case("replace") => Op::Replace,
            _ => return Err(syntax("op must be add, remove or replace.")),
        };
        let path = match take(&mut operation, "path") {
            None | Some(Value::Null) => Path::Resource,
            Some(Value::String(path)) => Path::read(&path, resource_type)?,
            Some(_) => return Err(Error::new(ScimType::InvalidPath, "path must be a string.")),
        };
        let value = take(&mut operation, "value");
        if value.is_none() && op != Op::Remove {
            let rule = "value is missing.";
            return Err(Error::new(ScimType::InvalidValue, rule));
        }
        match (path, value) {
            (Path::Resource, _) if op == Op::Remove => {
                let rule = "path must say what is to be removed.";
                Err(Error::new(ScimType::NoTarget, rule))
            }
            (Path::Resource, Some(Value::Object(members))) => {
                self.read_members(op, members, resource_type)
            }
            (Path::Extension(extension), Some(Value::Object(members))) if op != Op::Remove => {
                self.read_extension(op, extension, members, resource_type)
            }
            (Path::Extension(extension), value) => {
                let is_removed = op == Op::Remove || value == Some(Value::Null);
                if !is_removed {
                    let rule = "value must be an object, as path names no attribute.";
                    return Err(Error::new(ScimType::InvalidValue, rule));
                }
                self.push(Op::Remove, Target::Extension(extension), None);
                Ok(())
            }
            (Path::Resource, _) => {
                let rule = "value must be an object, as there is no path.";
                Err(Error::new(ScimType::InvalidValue, rule))
            }
            (Path::Attribute(path), value) => self.read_explicit(op, path, None, value),
            (Path::Values(path, filter), value) => {
                self.read_explicit(op, path, Some(filter), value)
            }
        }
    }

    /// An operation whose path names an attribute.
    fn read_explicit(
        &mut self,
        op: Op,
        path: AttributePath,
        filter: Option<Filter>,
        value: Option<Value>,
    ) -> Result<(), Error> {
        if is_ignored(path) {
            return Ok(());
        }
        if is_read_only(path) {
            let detail = format!("{path} is set by the service.");
            return Err(Error::new(ScimType::Mutability, detail));
        }
        self.push(op, Target::Attribute(path, filter), value);
        Ok(())
    }

    /// The members of a value without path, each as if it were an operation.
    fn read_members(
        &mut self,
        op: Op,
        members: Map<String, Value>,
        resource_type: &ResourceType,
    ) -> Result<(), Error> {
        for (name, value) in members {
            match (Path::read(&name, resource_type), value) {
                (Err(error), _) if error.scim_type == Some(ScimType::InvalidFilter) => {
                    return Err(error);
                }
                // An unknown attribute.
                (Err(_), _) => {}
                (Ok(Path::Attribute(path)), value) => self.push_member(op, path, None, value),
                (Ok(Path::Values(path, filter)), value) => {
                    self.push_member(op, path, Some(filter), value);
                }
                (Ok(Path::Extension(extension)), Value::Object(members)) => {
                    self.read_extension(op, extension, members, resource_type)?;
                }
                (Ok(Path::Extension(extension)), Value::Null) => {
                    self.push(Op::Remove, Target::Extension(extension), None);
                }
                (Ok(_), _) => {
                    let detail = format!("{name} must be an object.");
                    return Err(Error::new(ScimType::InvalidValue, detail));
                }
            }
        }
        Ok(())
    }

    fn read_extension(
        &mut self,
        op: Op,
        extension: &'static Schema,
        members: Map<String, Value>,
        resource_type: &ResourceType,
    ) -> Result<(), Error> {
        // One by one: a map that is made of all at once sorts them, and a sort takes 5 KB of the component.
        let mut qualified = Map::new();
        for (name, value) in members {
            qualified.insert(format!("{}:{name}", extension.id), value);
        }
        self.read_members(op, qualified, resource_type)
    }

    fn push_member(&mut self, op: Op, path: AttributePath, filter: Option<Filter>, value: Value) {
        if !is_ignored(path) && !is_read_only(path) {
            self.push(op, Target::Attribute(path, filter), Some(value));
        }
    }

    fn push(&mut self, op: Op, target: Target, value: Option<Value>) {
        self.0.push(Operation { op, target, value });
    }
}

/// Whether a client may write it, and it has no effect: passwords are dropped, and the schemas of a
/// resource follow from its attributes.
fn is_ignored(path: AttributePath) -> bool {
    path.is("schemas") || path.last().mutability == Mutability::WriteOnly
}

fn is_read_only(path: AttributePath) -> bool {
    let read_only = Mutability::ReadOnly;
    path.attribute.mutability == read_only || path.last().mutability == read_only
}

/// Says in which operation the fault is.
fn of_operation(number: usize, error: Error) -> Error {
    Error {
        detail: format!("Operation {}: {}", number + 1, error.detail),
        ..error
    }
}
