//! Users as resources.

use serde_json::{Value, json};

use crate::support::{Send, new_word, service};
use crate::{
    ENTERPRISE, USER, at, delete, expect, filtered, get, listed, new_user, patch, post, put,
    refused,
};

#[test]
fn a_user_is_made_read_changed_and_deleted() {
    let name = format!("{}@example.org", new_word());
    let body = json!({
        "schemas": [USER, ENTERPRISE],
        "userName": name,
        "externalId": name,
        "displayName": "Ada Lovelace",
        "name": { "givenName": "Ada", "familyName": "Lovelace" },
        "emails": [{ "value": name, "type": "work", "primary": true }],
        "active": true,
        "title": "Countess",
        "password": "t1meMa$heen",
        ENTERPRISE: { "department": "Engines" },
    });
    let created = post("/Users", body.clone());
    let location = created.header("location").map(str::to_owned);
    let tag = created.header("etag").map(str::to_owned);
    let user = expect(created, 201);
    for (attribute, value) in body.as_object().expect("an object") {
        match attribute.as_str() {
            "password" => assert_eq!(user.get("password"), None),
            _ => assert_eq!(user[attribute], *value),
        }
    }
    let meta = &user["meta"];
    assert_eq!(meta["resourceType"], "User");
    assert_eq!(meta["location"], location.expect("a location"));
    assert_eq!(meta["version"], tag.expect("an entity tag"));
    assert_eq!(expect(get(&at("Users", &user)), 200), user);

    let operations = json!([{ "op": "replace", "path": "name.familyName", "value": "King" }]);
    let patched = expect(patch(&at("Users", &user), operations), 200);
    assert_eq!(
        patched["name"],
        json!({ "givenName": "Ada", "familyName": "King" })
    );
    assert_ne!(patched["meta"]["version"], meta["version"]);
    let replaced = json!({ "schemas": [USER], "userName": name });
    let replaced = expect(put(&at("Users", &user), replaced), 200);
    assert_eq!(replaced.get("title"), None);
    assert_eq!(replaced.get("emails"), None);
    assert_eq!(expect(delete(&at("Users", &user)), 204), Value::Null);
    expect(get(&at("Users", &user)), 404);
    expect(delete(&at("Users", &user)), 404);
    expect(get("/Users/ada"), 404);
}

#[test]
fn what_is_no_user_is_refused_by_attribute_and_rule() {
    let with = |attributes: Value| {
        let mut user = json!({ "schemas": [USER], "userName": new_word() });
        for (name, value) in attributes.as_object().expect("an object") {
            user[name] = value.clone();
        }
        post("/Users", user)
    };
    for (attributes, part) in [
        (json!({ "userName": null }), "userName"),
        (
            json!({ "userName": "a b" }),
            "userName must not contain white space",
        ),
        (
            json!({ "userName": "a".repeat(101) }),
            "userName must have 1 to 100",
        ),
        (json!({ "displayName": "\u{202e}" }), "displayName"),
        (json!({ "externalId": " a" }), "externalId"),
        (json!({ "active": "yes" }), "active"),
        (
            json!({ "emails": [{ "value": "ada" }] }),
            "emails.value must be an email",
        ),
        (json!({ "title": 7 }), "title"),
        (json!({ "title": "x".repeat(9000) }), "8192 bytes"),
    ] {
        let detail = refused(with(attributes.clone()), 400, "invalidValue");
        assert!(detail.contains(part), "{attributes} {detail}");
    }
    refused(post("/Users", json!([])), 400, "invalidSyntax");
    refused(
        post("/Users", json!({ "schemas": ["x"], "userName": "a" })),
        400,
        "invalidSyntax",
    );
    let malformed = service().request("POST", "/scim/v2/Users").body("{");
    let malformed = malformed.header("content-type", "application/scim+json");
    refused(malformed.answer_of_call(), 400, "invalidSyntax");
}

#[test]
fn changes_can_be_made_on_the_condition_of_a_version() {
    let user = new_user(json!({}));
    let path = format!("/scim/v2{}", at("Users", &user));
    let tag = user["meta"]["version"].as_str().expect("a version");
    let ask = |method: &str, header: &str, tag: &str| {
        let request = service().request(method, &path).header(header, tag);
        request.answer_of_call().status
    };
    assert_eq!(ask("GET", "if-none-match", tag), 304);
    assert_eq!(ask("GET", "if-none-match", "\"0\""), 200);
    assert_eq!(ask("DELETE", "if-match", "\"0\""), 412);
    let body = json!({ "schemas": [USER], "userName": user["userName"], "title": "Dr" });
    let replace = |tag: &str| {
        let request = service().request("PUT", &path).json(&body);
        request.header("if-match", tag).answer_of_call().status
    };
    assert_eq!(
        (replace("\"0\""), replace(tag), replace(tag)),
        (412, 200, 412)
    );
    assert_eq!(ask("DELETE", "if-match", "*"), 204);
}

#[test]
fn an_answer_has_the_attributes_that_are_asked_for() {
    let user =
        new_user(json!({ "title": "Dr", "name": { "givenName": "Ada", "familyName": "L" } }));
    let shown = |query: &str| expect(get(&format!("{}?{query}", at("Users", &user))), 200);
    let some = shown("attributes=title,name.givenName");
    assert_eq!(some["name"], json!({ "givenName": "Ada" }));
    assert_eq!((&some["id"], &some["title"]), (&user["id"], &json!("Dr")));
    assert_eq!((some.get("userName"), some.get("meta")), (None, None));
    let others = shown("excludedAttributes=title,name,id");
    assert_eq!((others.get("title"), others.get("name")), (None, None));
    assert_eq!(
        (&others["id"], &others["userName"]),
        (&user["id"], &user["userName"])
    );
}

#[test]
fn the_service_says_what_it_offers_to_everybody() {
    let configuration = expect(get("/ServiceProviderConfig"), 200);
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(configuration[feature]["supported"], true, "{feature}");
    }
    assert_eq!(configuration["changePassword"]["supported"], false);
    let types = expect(get("/ResourceTypes"), 200);
    assert_eq!(types["totalResults"], 2);
    let user = expect(get("/ResourceTypes/User"), 200);
    assert_eq!(
        (&user["schema"], &user["endpoint"]),
        (&json!(USER), &json!("/Users"))
    );
    let schemas = expect(get("/Schemas"), 200);
    assert_eq!(schemas["totalResults"], 3);
    let enterprise = expect(get(&format!("/Schemas/{ENTERPRISE}")), 200);
    assert_eq!(enterprise["id"], ENTERPRISE);
    expect(get("/Schemas/x"), 404);
    expect(get("/ResourceTypes?filter=name%20eq%20%22User%22"), 403);
}

#[test]
fn other_methods_media_types_and_paths_are_refused_in_the_form_of_scim() {
    expect(
        crate::ask(service(), "POST", "/ServiceProviderConfig", None),
        405,
    );
    expect(get("/Nothing"), 404);
    let of_type = |media_type: &str| {
        let request = service().request("POST", "/scim/v2/Users").body("{}");
        request.header("content-type", media_type).answer_of_call()
    };
    expect(of_type("text/plain"), 415);
    let request = service()
        .request("GET", "/scim/v2/Users")
        .header("accept", "text/html");
    expect(request.answer_of_call(), 406);
    let large = json!({ "schemas": [USER], "userName": "a".repeat(70_000) });
    expect(post("/Users", large), 413);
}

#[test]
fn a_user_who_is_put_without_active_is_active() {
    let user = new_user(json!({ "active": false }));
    let place = at("Users", &user);
    let body = json!({ "userName": user["userName"] });
    assert_eq!(expect(put(&place, body), 200)["active"], true);
    let filter = format!("userName eq {} and active eq true", user["userName"]);
    assert_eq!(listed(get(&filtered("Users", &filter))).len(), 1);
}
