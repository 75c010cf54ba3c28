//! JSON Patch (RFC 6902).

use std::slice;

use json_patch::jsonptr::PointerBuf;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, PatchOperation, RemoveOperation,
    ReplaceOperation, TestOperation,
};
use serde_json::Value;

use super::{Patched, to_value, without_read_only};
use crate::json;
use crate::message::body::MAX_BYTES;
use crate::message::problem::Problem;
use crate::user::{READ_ONLY, Violation};

/// The most operations of a JSON Patch.
const MAX_OPERATIONS: usize = 100;

/// The operations of a JSON Patch, in order.
#[derive(Debug)]
pub struct Operations(Vec<PatchOperation>);

impl Operations {
    /// Reads the operations of a JSON Patch (RFC 6902, sections 3 and 4). By `serde` they are
    /// read likewise, by code that takes 21 KB of the component.
    pub fn read(patch: Value) -> Result<Operations, Problem> {
        let malformed = |why: &str| Problem::malformed_patch(&format!("is no JSON Patch: {why}"));
        let Value::Array(operations) = patch else {
            return Err(malformed("it is no array"));
        };
        if operations.len() > MAX_OPERATIONS {
            let rule = format!("may have at most {MAX_OPERATIONS} operations");
            return Err(Problem::malformed_patch(&rule));
        }
        let operations = operations.into_iter().enumerate().map(|(number, value)| {
            let operation = operation_of(value);
            operation.map_err(|flaw| malformed(&format!("operation {number} {flaw}")))
        });
        operations.collect::<Result<_, _>>().map(Operations)
    }

    /// Applies the patch to the representation of a user or a group, so that it can test every member;
    /// it can't change those that the service sets.
    pub fn apply<T: Patched>(&self, to: &T) -> Result<T::Profile, Problem> {
        let before = to_value(&to.text())?;
        let mut after = before.clone();
        for (number, operation) in self.0.iter().enumerate() {
            operate(&mut after, operation).map_err(|why| Problem::patch_conflict(number, &why))?;
        }
        let is_changed = |member: &&&str| match (before.get(**member), after.get(**member)) {
            (Some(before), Some(after)) => !json::is_equal(before, after),
            (before, after) => before.is_some() || after.is_some(),
        };
        let changed = READ_ONLY.iter().filter(is_changed);
        let violations: Vec<_> = changed.map(|member| Violation::read_only(member)).collect();
        match violations.is_empty() {
            true => T::read(without_read_only(after)),
            false => Err(T::refuse(violations)),
        }
    }
}

/// An operation, or its fault. Other members are ignored.
fn operation_of(operation: Value) -> Result<PatchOperation, String> {
    let Value::Object(mut members) = operation else {
        return Err("is no object".to_owned());
    };
    let mut member = |name: &str| {
        let value = members.remove(name);
        value.ok_or_else(|| format!("has no member {name}"))
    };
    let pointer = |name: &str, value| match value {
        Value::String(text) => {
            PointerBuf::parse(text).map_err(|_| format!("has a {name} that is no JSON pointer"))
        }
        _ => Err(format!("has a {name} that is no JSON pointer")),
    };
    let op = member("op")?;
    let path = pointer("path", member("path")?)?;
    let operation = match op.as_str().unwrap_or_default() {
        "add" => {
            let value = member("value")?;
            PatchOperation::Add(AddOperation { path, value })
        }
        "remove" => PatchOperation::Remove(RemoveOperation { path }),
        "replace" => {
            let value = member("value")?;
            PatchOperation::Replace(ReplaceOperation { path, value })
        }
        "move" => {
            let from = pointer("from", member("from")?)?;
            PatchOperation::Move(MoveOperation { from, path })
        }
        "copy" => {
            let from = pointer("from", member("from")?)?;
            PatchOperation::Copy(CopyOperation { from, path })
        }
        "test" => {
            let value = member("value")?;
            PatchOperation::Test(TestOperation { path, value })
        }
        _ => {
            let known = "add, remove, replace, move, copy or test";
            return Err(format!("has an unknown op: it must be one of {known}"));
        }
    };
    Ok(operation)
}

/// Applies an operation, or says why it can't be applied.
fn operate(value: &mut Value, operation: &PatchOperation) -> Result<(), String> {
    let done = match operation {
        // The crate tells 1 from 1.0, which are equal (RFC 6902, section 4.6).
        PatchOperation::Test(test) => match test.path.resolve(value) {
            Ok(found) if json::is_equal(found, &test.value) => Ok(()),
            Ok(_) => Err(PatchErrorKind::TestFailed),
            Err(_) => Err(PatchErrorKind::InvalidPointer),
        },
        other => json_patch::patch(value, slice::from_ref(other)).map_err(|error| error.kind),
    };
    done.map_err(|kind| kind.to_string())?;
    // Each copy can double the size and depth: a value that is too deep exhausts the stack.
    if json::depth(value) > json::MAX_DEPTH {
        let limit = json::MAX_DEPTH;
        return Err(format!(
            "the user would have more than {limit} levels of objects and arrays"
        ));
    }
    if value.to_string().len() > MAX_BYTES {
        return Err(format!("the user would have more than {MAX_BYTES} bytes"));
    }
    Ok(())
}
