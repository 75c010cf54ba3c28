//! Answers questions about SCIM's filters and patches, one JSON object a line, for a comparison
//! with another implementation.

use std::io::{self, BufRead};

use edge_users::json;
use edge_users::scim::{Error, Filter, Patch, Schemas};
use serde_json::{Map, Value};

fn main() -> io::Result<()> {
    let schemas = Schemas::default();
    for line in io::stdin().lock().lines() {
        let question = json::parse(line?.as_bytes()).expect("JSON");
        println!("{}", answer(question, &schemas));
    }
    Ok(())
}

/// What a filter or a patch makes of a user: true or false, the user, or the type of the error.
fn answer(mut question: Value, schemas: &Schemas) -> Value {
    let Value::Object(user) = question["user"].take() else {
        panic!("a user is an object");
    };
    let answer = match question["filter"].take() {
        Value::String(filter) => matches(&filter, &user, schemas),
        _ => patched(question["patch"].take(), &user, schemas),
    };
    answer.unwrap_or_else(|error| error.scim_type.map_or("none", |one| one.as_str()).into())
}

fn matches(filter: &str, user: &Map<String, Value>, schemas: &Schemas) -> Result<Value, Error> {
    let filter = Filter::read(filter, &[&schemas.user])?;
    Ok(filter.matches(user).into())
}

fn patched(patch: Value, user: &Map<String, Value>, schemas: &Schemas) -> Result<Value, Error> {
    let patch = Patch::read(patch, &schemas.user)?;
    patch.apply(user, &schemas.user).map(Value::Object)
}
