//! The description and the code have the same resources, methods and problems.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use super::{COMPRESSED, DESCRIPTION, get};
use crate::fake::{FakePlatform, FakeStore};
use crate::message::compression;
use crate::message::problem::types;
use crate::message::response::JSON;
use crate::rest::Rest;
use crate::rest::groups::Groups;
use crate::service::Interface;
use crate::service::resource::Resource;

/// Those of both components.
fn resources() -> impl Iterator<Item = &'static Resource<FakeStore, FakePlatform, Vec<u8>>> {
    Rest::resources().iter().chain(Groups::resources())
}

/// The path of the description, with `{}` in the place of any parameter.
fn template(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.starts_with('{') {
            true => "{}",
            false => segment,
        });
    segments.collect::<Vec<_>>().join("/")
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
    let paths: BTreeSet<_> = described.keys().map(|path| template(path)).collect();
    let rows = resources().map(|resource| resource.path.to_owned());
    assert_eq!(paths, rows.collect());
    for (path, item) in described {
        let path = template(path);
        let mut rows = resources();
        let resource = rows.find(|row| row.path == path).expect(&path);
        let methods = operations(item).map(|(method, _)| method.to_uppercase());
        let allow = resource.allow();
        let allowed = allow.to_str().expect("text").split(", ").map(str::to_owned);
        assert_eq!(
            methods.collect::<BTreeSet<_>>(),
            allowed.collect(),
            "{path}"
        );
    }
}

/// What a request may have, and what is answered, is described as the resource's row has it.
#[test]
fn every_operation_is_described_with_its_media_types() {
    let description = description();
    let resolve = |value: &Value| match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.trim_start_matches('#');
            description.pointer(pointer).expect(reference).clone()
        }
        None => value.clone(),
    };
    let media_types = |value: &Value| -> BTreeSet<String> {
        let content = value["content"].as_object();
        content
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    for (path, item) in description["paths"].as_object().expect("paths") {
        let mut rows = resources();
        let row = rows.find(|row| row.path == template(path)).expect(path);
        for operation in row.operations {
            let method = operation.method.as_str().to_lowercase();
            let described = &item[&method];
            let accepts = operation
                .accepts
                .iter()
                .map(|accepted| (*accepted).to_owned());
            let body = resolve(&described["requestBody"]);
            assert_eq!(media_types(&body), accepts.collect(), "{method} {path}");
            let responses = described["responses"].as_object().expect("responses");
            let success = responses.iter().find(|(status, _)| status.starts_with('2'));
            let offered = media_types(&resolve(success.expect("a success").1));
            let offers: BTreeSet<_> = operation
                .offers
                .iter()
                .map(|offer| (*offer).to_owned())
                .collect();
            assert!(
                offers.is_empty() || offers == offered,
                "{method} {path}: {offered:?}"
            );
        }
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
    assert!(DESCRIPTION.len() <= 140_000, "{} bytes", DESCRIPTION.len());
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
