//! The description and the code have the same resources, methods and problems.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::{COMPRESSED, DESCRIPTION, get};
use crate::message::compression;
use crate::message::problem::types;
use crate::message::response::JSON;
use crate::rest::Resource;

/// Declares the path of each resource, and all of them.
macro_rules! paths {
    ($($resource:pat => $path:literal,)*) => {
        fn path_of(resource: &Resource) -> &'static str {
            match resource {
                $($resource => $path,)*
            }
        }

        const PATHS: &[&str] = &[$($path),*];
    };
}

paths! {
    Resource::Root => "/",
    Resource::Health => "/healthz",
    Resource::Readiness => "/readyz",
    Resource::Users => "/users",
    Resource::Import => "/users/import",
    Resource::Export => "/users/export",
    Resource::User(_) => "/users/{id}",
    Resource::Description => "/openapi.json",
    Resource::Documentation => "/docs",
    Resource::Problems => "/problems",
    Resource::Problem(_) => "/problems/{slug}",
    Resource::Catalog => "/.well-known/api-catalog",
}

fn description() -> Value {
    serde_json::from_slice(&DESCRIPTION).expect("JSON")
}

fn operations(item: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let members = item.as_object().expect("a path item").iter();
    members.filter(|(name, _)| *name != "parameters")
}

#[test]
fn every_resource_is_described_with_the_methods_that_it_has() {
    let description = description();
    let described = description["paths"].as_object().expect("paths");
    assert_eq!(
        described
            .keys()
            .map(String::as_str)
            .collect::<BTreeSet<_>>(),
        PATHS.iter().copied().collect(),
    );
    for (path, item) in described {
        let one = path.replace("{id}", "1").replace("{slug}", "not-found");
        let resource = Resource::at(&one).expect(path);
        assert_eq!(path_of(&resource), path);
        let methods = operations(item).map(|(method, _)| method.to_uppercase());
        let allowed = resource.allow().split(", ").map(str::to_owned);
        assert_eq!(
            methods.collect::<BTreeSet<_>>(),
            allowed.collect(),
            "{path}"
        );
    }
}

#[test]
fn every_type_of_problem_is_an_example_of_an_answer_with_its_status() {
    let description = description();
    let mut answered = BTreeSet::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (_, operation) in operations(item) {
            let responses = operation["responses"].as_object().expect("responses");
            for (status, response) in responses {
                let reference = response["$ref"].as_str().unwrap_or_default();
                let shared = description.pointer(reference.trim_start_matches('#'));
                let content = &shared.unwrap_or(response)["content"]["application/problem+json"];
                for slug in content["examples"]
                    .as_object()
                    .into_iter()
                    .flat_map(|all| all.keys())
                {
                    let example = &description["components"]["examples"][slug]["value"];
                    let given = example["status"].to_string();
                    assert!(
                        status == &given || status == "4XX",
                        "{path} {status} {slug}"
                    );
                    answered.insert(slug.clone());
                }
            }
        }
    }
    let known = types::ALL.iter().map(|known| known.slug.to_owned());
    assert_eq!(answered, known.collect());
    for known in types::ALL {
        let example = &description["components"]["examples"][known.slug]["value"];
        assert_eq!(example["type"], known.url());
        assert_eq!(example["title"], known.title);
        assert_eq!(example["status"], known.status.as_u16());
    }
}

#[test]
fn the_description_is_small() {
    assert!(DESCRIPTION.len() <= 80_000, "{} bytes", DESCRIPTION.len());
}

#[test]
fn clients_that_take_gzip_get_what_is_embedded() {
    let plain = get(&HeaderMap::new(), JSON).unwrap();
    let gzip = [(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))];
    let response = get(&gzip.into_iter().collect(), JSON).unwrap();
    let (mut head, mut body) = response.into_parts();
    compression::compress(&mut head.headers, &mut body);
    assert_eq!(head.headers[CONTENT_ENCODING], "gzip");
    let tag = plain.headers()[ETAG].to_str().unwrap();
    let suffixed = format!("{}-gzip\"", tag.trim_end_matches('"'));
    assert_eq!(head.headers[ETAG], suffixed);
    assert_eq!(body, COMPRESSED);
    let mut inflated = Vec::new();
    GzDecoder::new(&*body).read_to_end(&mut inflated).unwrap();
    assert_eq!(inflated, *plain.body());
}
