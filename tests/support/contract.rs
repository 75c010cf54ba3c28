//! What the service says of itself in `/openapi.json`, as a contract: each
//! answer that a test gets is held against it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use super::Answer;

/// Headers of the connection rather than of the answer, and those that the description has once for
/// all: by which browsers show answers to pages of other origins, and which tell of limits and times.
/// A balancer names itself as the server.
const TRANSPORT: [&str; 13] = [
    "access-control-allow-origin",
    "access-control-expose-headers",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "ratelimit",
    "ratelimit-policy",
    "server",
    "server-timing",
    "transfer-encoding",
    "vary",
];

/// The description, closed: members that it does not name are forbidden.
static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut description = serde_json::from_slice(&edge_users::rest::DESCRIPTION).expect("JSON");
    close(&mut description);
    description
});

/// Where validators find the description.
const URI: &str = "urn:edge-users";

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().add(URI, (*DESCRIPTION).clone());
    registry.expect("a resource").prepare().expect("references")
});

/// Panics if the answer to a request is none that the description has.
pub fn check(method: &str, path: &str, answer: &Answer) {
    if let Err(breach) = conforms(method, path, answer) {
        panic!("{method} {path} is not answered as /openapi.json says: {breach}\n{answer:#?}");
    }
}

fn conforms(method: &str, path: &str, answer: &Answer) -> Result<(), String> {
    let item = path_item(path);
    let operation = item.map(|item| format!("{item}/{}", method.to_lowercase()));
    let described = |operation: &String| DESCRIPTION.pointer(operation).is_some();
    let Some(operation) = operation.filter(described) else {
        // The answers to requests that are no operation.
        let component = match (answer.status, path_item(path)) {
            (401, _) => "Unauthorized",
            (403, _) => "Forbidden",
            (404, None) => "NotFound",
            (405, Some(_)) | (414 | 421 | 431, _) => "NoOperation",
            (429, _) => "TooManyRequests",
            _ => return Err("there is no such operation".to_owned()),
        };
        return check_response(
            &format!("/components/responses/{component}"),
            method,
            answer,
        );
    };
    let exact = format!("{operation}/responses/{}", answer.status);
    let range = format!("{operation}/responses/{}XX", answer.status / 100);
    let described = [exact, range]
        .into_iter()
        .find(|pointer| DESCRIPTION.pointer(pointer).is_some())
        .ok_or("there is no such status")?;
    check_response(&resolve(described), method, answer)
}

/// A JSON Pointer to the path item of a path: one without a parameter comes first.
fn path_item(path: &str) -> Option<String> {
    let fits = |template: &str| {
        let parts = template.split('/').zip(path.split('/'));
        template.split('/').count() == path.split('/').count()
            && parts
                .into_iter()
                .all(|(part, given)| part == given || (part.starts_with('{') && !given.is_empty()))
    };
    let paths = DESCRIPTION["paths"].as_object().expect("paths");
    let fitting = paths.keys().filter(|template| fits(template));
    let template = fitting.min_by_key(|template| template.matches('{').count())?;
    Some(format!("/paths/{}", escape(template)))
}

/// Checks an answer by the response object at `pointer`.
fn check_response(pointer: &str, method: &str, answer: &Answer) -> Result<(), String> {
    check_headers(pointer, answer)?;
    if method == "HEAD" || matches!(answer.status, 204 | 304) {
        return match answer.body.is_empty() {
            true => Ok(()),
            false => Err("it has a body".to_owned()),
        };
    }
    let media_type = answer.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    let content = format!("{pointer}/content/{}", escape(media_type));
    if DESCRIPTION.pointer(&content).is_none() {
        return Err(format!("it is not to have the media type {media_type:?}"));
    }
    if media_type.ends_with("/json") || media_type.ends_with("+json") {
        validate(&format!("{content}/schema"), &answer.json())?;
    }
    if media_type == "application/x-ndjson" {
        // The schema is that of a line.
        for line in answer.body.lines() {
            let line = serde_json::from_str(line).map_err(|error| error.to_string())?;
            validate(&format!("{content}/schema"), &line)?;
        }
    }
    match media_type {
        "application/problem+json" => check_problem_type(&content, answer),
        _ => Ok(()),
    }
}

fn check_headers(pointer: &str, answer: &Answer) -> Result<(), String> {
    let described = DESCRIPTION.pointer(&format!("{pointer}/headers"));
    let described = described.and_then(Value::as_object).ok_or("no headers")?;
    let name_of = |name: &str| {
        described
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name))
    };
    for (name, value) in &answer.headers {
        if TRANSPORT.contains(&name.as_str()) {
            continue;
        }
        let known = name_of(name.as_str()).ok_or(format!("it is not to have the header {name}"))?;
        let header = resolve(format!("{pointer}/headers/{}", escape(known)));
        let value = value.to_str().map_err(|error| error.to_string())?;
        let number =
            DESCRIPTION.pointer(&header).expect("it is there")["schema"]["type"] == "integer";
        let value = match (number, value.parse::<u64>()) {
            (true, Ok(value)) => json!(value),
            _ => json!(value),
        };
        validate(&format!("{header}/schema"), &value)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    for name in described.keys() {
        let header = resolve(format!("{pointer}/headers/{}", escape(name)));
        let required = DESCRIPTION.pointer(&header).expect("it is there")["required"] == true;
        if required && answer.header(&name.to_lowercase()).is_none() {
            return Err(format!("it lacks the header {name}"));
        }
    }
    Ok(())
}

/// The types that may occur are those of the examples.
fn check_problem_type(content: &str, answer: &Answer) -> Result<(), String> {
    let examples = DESCRIPTION.pointer(&format!("{content}/examples"));
    let examples = examples.and_then(Value::as_object).ok_or("no examples")?;
    let kind = answer.json()["type"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let slug = kind.trim_start_matches("/problems/");
    match examples.contains_key(slug) {
        true => Ok(()),
        false => Err(format!("it is not to be of the type {kind}")),
    }
}

/// Checks a value by the schema at `pointer` of the description.
pub fn validate(pointer: &str, value: &Value) -> Result<(), String> {
    static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> =
        LazyLock::new(Mutex::default);
    let mut validators = VALIDATORS.lock().expect("no panic while it is held");
    let validator = validators.entry(pointer.to_owned()).or_insert_with(|| {
        // Braces don't stand in a URI by themselves (RFC 3986, section 3.5).
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let schema = json!({ "$ref": format!("{URI}#{fragment}") });
        let options = jsonschema::options().with_registry(&REGISTRY);
        Arc::new(options.build(&schema).expect("a schema"))
    });
    let validator = Arc::clone(validator);
    drop(validators);
    let errors = validator.iter_errors(value);
    let errors = errors.map(|error| format!("{error} at {:?}", error.instance_path().to_string()));
    let errors: Vec<_> = errors.collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors.join("; ")),
    }
}

/// Where a pointer leads, or the reference that is there.
fn resolve(pointer: String) -> String {
    let value = DESCRIPTION.pointer(&pointer);
    let reference = value.and_then(|value| value["$ref"].as_str());
    match reference {
        Some(reference) => reference.trim_start_matches('#').to_owned(),
        None => pointer,
    }
}

/// A segment of a JSON Pointer (RFC 6901, section 3).
fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// Forbids, in every schema of an object, members that it does not name.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            let names_members = members.get("properties").is_some_and(Value::is_object);
            if names_members && !members.contains_key("additionalProperties") {
                let others = members.entry("unevaluatedProperties");
                others.or_insert(json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// Every value that the description gives as an example, with the pointer to its schema.
pub fn examples() -> Vec<(String, Value)> {
    let mut examples = Vec::new();
    collect(&DESCRIPTION, String::new(), &mut examples);
    examples
}

fn collect(value: &Value, pointer: String, examples: &mut Vec<(String, Value)>) {
    let schema = || format!("{pointer}/schema");
    if value.get("schema").is_some() {
        if let Some(example) = value.get("example") {
            examples.push((schema(), example.clone()));
        }
        for name in value["examples"]
            .as_object()
            .into_iter()
            .flat_map(|named| named.keys())
        {
            let named = resolve(format!("{pointer}/examples/{}", escape(name)));
            let example = DESCRIPTION
                .pointer(&format!("{named}/value"))
                .expect("a value");
            examples.push((schema(), example.clone()));
        }
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, format!("{pointer}/{}", escape(name)), examples);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{pointer}/{index}"), examples);
            }
        }
        _ => {}
    }
}
