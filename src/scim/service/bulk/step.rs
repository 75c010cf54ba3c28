//! The operations of a request, as they are read and as their outcomes are told.

use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::reference::{add_reference, add_references};
use super::{MAX_OPERATIONS, REQUEST, invalid};
use crate::message::problem::Problem;
use crate::scim::service::refusal::{BULK_TOO_LARGE, document, told};
use crate::scim::service::{BASE, group_mapping, mapping};

/// What an operation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    Users,
    Groups,
}

/// An operation.
pub struct Step {
    pub method: Method,
    pub folder: Folder,
    /// The id in the path, or a reference. Empty for a new resource.
    pub id: String,
    pub bulk_id: Option<String>,
    pub version: Option<String>,
    pub data: Value,
    /// The bulk ids of the resources that it refers to.
    pub references: Vec<String>,
}

/// What has been made of it.
pub struct Made {
    pub status: StatusCode,
    pub id: String,
    pub version: Option<String>,
}

/// Reads the operations of a request.
pub fn read(mut body: Value) -> Result<Vec<Step>, Problem> {
    let schemas = body["schemas"].as_array();
    if !schemas.is_some_and(|schemas| schemas.contains(&REQUEST.into())) {
        let detail = format!("The body must be an object whose schemas are [{REQUEST:?}].");
        return Err(invalid(&detail));
    }
    let Value::Array(operations) = body["Operations"].take() else {
        return Err(invalid("Operations must be an array."));
    };
    if operations.len() > MAX_OPERATIONS {
        let detail = format!("A request has at most {MAX_OPERATIONS} operations.");
        return Err(Problem::new(BULK_TOO_LARGE, detail));
    }
    let mut steps: Vec<Step> = Vec::new();
    for (number, operation) in operations.into_iter().enumerate() {
        let step = Step::read(operation);
        let step = step.and_then(|step| {
            let same = steps.iter().any(|other| other.bulk_id == step.bulk_id);
            match step.bulk_id.is_some() && same {
                true => Err("has a bulkId that another operation has, too"),
                false => Ok(step),
            }
        });
        let step = step.map_err(|rule| invalid(&format!("Operation {} {rule}.", number + 1)))?;
        steps.push(step);
    }
    Ok(steps)
}

impl Step {
    fn read(operation: Value) -> Result<Step, &'static str> {
        let Value::Object(mut operation) = operation else {
            return Err("must be an object");
        };
        let mut text = |name: &str| match operation.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let method = text("method").unwrap_or_default().to_ascii_uppercase();
        let methods = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let mut methods = methods.into_iter();
        let method = methods.find(|known| known.as_str() == method);
        let method = method.ok_or("must have the method POST, PUT, PATCH or DELETE")?;
        let path = text("path").unwrap_or_default();
        let path = path
            .strip_prefix(BASE)
            .unwrap_or(&path)
            .trim_start_matches('/');
        let (folder, id) = path.split_once('/').unwrap_or((path, ""));
        let folder = match folder {
            "Users" => Folder::Users,
            "Groups" => Folder::Groups,
            _ => return Err("must have the path /Users or /Groups, with an id but for POST"),
        };
        if id.contains('/') || id.is_empty() != (method == Method::POST) {
            return Err("must have a path with an id, but for POST");
        }
        let (bulk_id, version) = (text("bulkId"), text("version"));
        if method == Method::POST && bulk_id.is_none() {
            return Err("must have a bulkId, as its method is POST");
        }
        let data = operation.remove("data").unwrap_or_default();
        let mut references = Vec::new();
        add_reference(id, &mut references);
        add_references(&data, &mut references);
        Ok(Step {
            method,
            folder,
            id: id.to_owned(),
            bulk_id,
            version,
            data,
            references,
        })
    }

    /// The outcome as the answer has it.
    pub fn told(&self, result: Result<Made, Problem>) -> Value {
        let mut outcome = Map::new();
        let mut put = |name: &str, value: Value| outcome.insert(name.to_owned(), value);
        put("method", self.method.as_str().into());
        if let Some(bulk_id) = &self.bulk_id {
            put("bulkId", bulk_id.as_str().into());
        }
        let location = |id: &str| match self.folder {
            Folder::Users => mapping::location(id),
            Folder::Groups => group_mapping::location(id),
        };
        match result {
            Ok(made) => {
                put("location", location(&made.id).into());
                put("status", made.status.as_str().into());
                if let Some(version) = made.version {
                    put("version", version.into());
                }
            }
            Err(problem) => {
                if self.method != Method::POST {
                    put("location", location(&self.id).into());
                }
                put("status", told(&problem).status.as_str().into());
                put("response", document(&problem));
            }
        }
        Value::Object(outcome)
    }

    /// Its name in the audit trail.
    pub fn action(&self) -> &'static str {
        match (self.folder, self.method.as_str()) {
            (Folder::Users, "POST") => "create",
            (Folder::Users, "PUT") => "replace",
            (Folder::Users, "PATCH") => "patch",
            (Folder::Users, _) => "delete",
            (Folder::Groups, "POST") => "create-group",
            (Folder::Groups, "PUT") => "replace-group",
            (Folder::Groups, "PATCH") => "patch-group",
            (Folder::Groups, _) => "delete-group",
        }
    }
}
