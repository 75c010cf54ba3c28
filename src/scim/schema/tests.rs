use serde_json::json;

use super::super::Schemas;
use super::*;

fn each(attributes: &'static [Attribute], look: &mut dyn FnMut(&'static Attribute)) {
    for attribute in attributes {
        look(attribute);
        each(attribute.sub_attributes, look);
    }
}

#[test]
fn every_attribute_is_described_once_and_is_what_its_type_says() {
    for schema in Schemas::default().all() {
        assert!(!schema.description.is_empty());
        each(schema.attributes, &mut |attribute| {
            assert!(attribute.description.ends_with('.'), "{}", attribute.name);
            let is_complex = attribute.kind == Type::Complex;
            assert_eq!(
                is_complex,
                !attribute.sub_attributes.is_empty(),
                "{}",
                attribute.name
            );
            let is_reference = attribute.kind == Type::Reference;
            assert_eq!(
                is_reference,
                !attribute.reference_types.is_empty(),
                "{}",
                attribute.name
            );
        });
        for attribute in schema.attributes {
            let same = |one: &&Attribute| one.name.eq_ignore_ascii_case(attribute.name);
            assert_eq!(schema.attributes.iter().filter(same).count(), 1);
            assert_eq!(find(COMMON, attribute.name), None, "{}", attribute.name);
        }
    }
}

#[test]
fn a_schema_is_written_as_the_standard_says() {
    let user = Value::Object(USER.to_json());
    assert_eq!(user["schemas"], json!([SCHEMA]));
    assert_eq!(user["id"], "urn:ietf:params:scim:schemas:core:2.0:User");
    let attributes = user["attributes"].as_array().unwrap();
    let of = |name: &str| attributes.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(
        *of("userName"),
        json!({
            "name": "userName",
            "type": "string",
            "multiValued": false,
            "description": "The name by which the user signs in.",
            "required": true,
            "caseExact": false,
            "mutability": "readWrite",
            "returned": "default",
            "uniqueness": "server",
        })
    );
    assert_eq!(of("password")["mutability"], "writeOnly");
    assert_eq!(of("password")["returned"], "never");
    assert_eq!(
        of("emails")["subAttributes"][2]["canonicalValues"],
        json!(["work", "home", "other"])
    );
    assert_eq!(
        of("photos")["subAttributes"][0]["referenceTypes"],
        json!(["external"])
    );
    assert_eq!(of("groups")["mutability"], "readOnly");
}

#[test]
fn the_attributes_are_those_of_the_standard() {
    let names = |schema: &Schema| {
        let mut names = Vec::new();
        for attribute in schema.attributes {
            let subs = attribute.sub_attributes.iter().map(|sub| sub.name);
            names.push(format!(
                "{} {}",
                attribute.name,
                subs.collect::<Vec<_>>().join(" ")
            ));
        }
        names
            .into_iter()
            .map(|name| name.trim().to_owned())
            .collect::<Vec<_>>()
    };
    // RFC 7643, section 8.7.1. Section 2.4 gives `primary` to addresses, too.
    let user = [
        "userName",
        "name formatted familyName givenName middleName honorificPrefix honorificSuffix",
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "active",
        "password",
        "emails value display type primary",
        "phoneNumbers value display type primary",
        "ims value display type primary",
        "photos value display type primary",
        "addresses formatted streetAddress locality region postalCode country type primary",
        "groups value $ref display type",
        "entitlements value display type primary",
        "roles value display type primary",
        "x509Certificates value display type primary",
    ];
    assert_eq!(names(&USER), user);
    assert_eq!(
        names(&GROUP),
        ["displayName", "members value $ref display type"]
    );
    let enterprise = [
        "employeeNumber",
        "costCenter",
        "organization",
        "division",
        "department",
        "manager value $ref displayName",
    ];
    assert_eq!(names(&ENTERPRISE_USER), enterprise);
}

#[test]
fn an_operator_declares_extensions_in_the_form_of_the_standard() {
    let declared = json!([{
        "schemas": [SCHEMA],
        "id": "urn:example:params:scim:schemas:Badge",
        "name": "Badge",
        "description": "Badges.",
        "attributes": [
            { "name": "number", "type": "integer", "required": true, "description": "Its number." },
            { "name": "doors", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "type": "string", "caseExact": true },
                { "name": "until", "type": "dateTime", "mutability": "immutable" },
            ] },
            { "name": "photo", "type": "reference", "referenceTypes": ["external"],
                "returned": "request", "canonicalValues": ["a"] },
        ],
    }]);
    let schemas = Schemas::read(&declared.to_string()).unwrap();
    let badge = schemas
        .find("URN:example:params:scim:schemas:badge")
        .unwrap();
    assert_eq!(schemas.all().count(), 4);
    assert_eq!(schemas.user.extensions.len(), 2);
    // What is written is read as the same.
    let written = Value::Array(vec![badge.to_json().into()]);
    let again = Schemas::read(&written.to_string()).unwrap();
    assert_eq!(again.find(badge.id), Some(badge));
    let resource = Map::from_iter([(badge.id.to_owned(), json!({ "number": 1 }))]);
    assert_eq!(schemas.user.schemas_of(&resource), [USER.id, badge.id]);
    let extensions = &schemas.user.to_json()["schemaExtensions"];
    assert_eq!(
        extensions[1],
        json!({ "schema": badge.id, "required": false })
    );
    assert!(Schemas::read("[]").is_ok());
}

#[test]
fn an_extension_that_is_wrong_is_refused_with_the_reason() {
    let with = |attribute: Value| json!([{ "id": "urn:example:x", "attributes": [attribute] }]);
    let complex = |subs: Value| json!({ "name": "a", "type": "complex", "subAttributes": subs });
    let many: Vec<_> = (0..201)
        .map(|n| json!({ "name": format!("a{n}") }))
        .collect();
    let one = json!({ "id": "urn:example:x", "attributes": [{ "name": "a" }] });
    for (declared, reason) in [
        (json!({}), "must be an array"),
        (json!([1]), "no object"),
        (json!([{ "attributes": [] }]), "without id"),
        (json!([{ "id": 1 }]), "id that is no string"),
        (json!([{ "id": "example" }]), "must be a URN"),
        (json!([{ "id": "urn:a b" }]), "must be a URN"),
        (json!([{ "id": "urn:ex[ample" }]), "must be a URN"),
        (
            json!([{ "id": USER.id.to_uppercase() }]),
            "belongs to the standard",
        ),
        (json!([{ "id": "urn:example:x" }]), "no array of attributes"),
        (
            json!([{ "id": "urn:example:x", "attributes": [] }]),
            "empty array",
        ),
        (
            json!([{ "id": "urn:example:x", "attributes": many }]),
            "at most 200 attributes",
        ),
        (json!([one, one]), "twice"),
        (with(json!("a")), "no object"),
        (with(json!({})), "without name"),
        (with(json!({ "name": "a.b" })), "must be a letter"),
        (with(json!({ "name": "1" })), "must be a letter"),
        (with(json!({ "name": "ID" })), "every resource has"),
        (
            with(json!({ "name": "a", "type": "text" })),
            "has a type that the standard",
        ),
        (
            with(json!({ "name": "a", "type": "complex" })),
            "no array of attributes",
        ),
        (
            with(complex(json!([complex(json!([]))]))),
            "complex within a complex",
        ),
        (
            with(complex(json!([{ "name": "b" }, { "name": "B" }]))),
            "is there twice",
        ),
        (
            with(json!({ "name": "a", "multiValued": "yes" })),
            "neither true nor false",
        ),
        (
            with(json!({ "name": "a", "mutability": "none" })),
            "mutability that the standard",
        ),
        (
            with(json!({ "name": "a", "returned": 1 })),
            "returned that is no string",
        ),
        (
            with(json!({ "name": "a", "uniqueness": "server" })),
            "uniqueness none",
        ),
        (
            with(json!({ "name": "a", "canonicalValues": [1] })),
            "no array of strings",
        ),
    ] {
        let error = Schemas::read(&declared.to_string()).unwrap_err();
        assert!(error.contains(reason), "{declared} {error}");
    }
    assert!(Schemas::read("[").unwrap_err().contains("no JSON"));
}
