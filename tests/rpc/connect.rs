//! The procedures, by Connect in JSON.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_users_tonic::Message;
use edge_users_tonic::edgeusers::v1::{GetUserRequest, GetUserResponse};
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::support::{Send as _, new_email, service};
use crate::{call, create, send};

#[test]
fn a_user_is_created_got_changed_and_deleted() {
    let email = new_email();
    let created = create(json!({ "name": "Ada", "email": email, "attributes": { "team": "a" } }));
    let id = &created["id"];
    assert!(
        id.is_string() && created["createTime"] == created["updateTime"],
        "{created}"
    );
    assert_eq!(call("GetUser", json!({ "id": id })).user(), &created);

    let change = json!({ "id": id, "name": "Ada Lovelace", "etag": created["etag"] });
    let changed = call(
        "UpdateUser",
        json!({ "user": change, "updateMask": "name" }),
    );
    let changed = changed.user();
    assert_eq!(changed["name"], "Ada Lovelace");
    assert_eq!(changed["email"], created["email"]);
    assert_ne!(changed["etag"], created["etag"]);
    assert_eq!(call("GetUser", json!({ "id": id })).user(), changed);

    let deletion = json!({ "id": id, "etag": changed["etag"] });
    let deleted = call("DeleteUser", deletion.clone());
    assert_eq!((deleted.status, deleted.body), (200, json!({})));
    for gone in [
        call("GetUser", json!({ "id": id })),
        call("DeleteUser", deletion),
    ] {
        assert_eq!(gone.status, 404);
        assert_eq!(gone.failure(), ("not_found", "user-not-found"));
    }
}

#[test]
fn the_directory_is_that_of_rest() {
    let email = new_email();
    let profile = json!({ "name": "Ada", "email": email, "attributes": { "n": 1, "x": 0.5 } });
    let posted = service()
        .request("POST", "/users")
        .header("idempotency-key", &email);
    let posted = posted.json(&profile).answer();
    assert_eq!(posted.status, 201);
    // The same request by the other interface is a repeat.
    let repeated = call("CreateUser", json!({ "user": profile, "requestId": email }));
    let user = repeated.user();
    let rest = posted.json();
    assert_eq!(user["id"], rest["id"].to_string());
    assert_eq!(user["etag"], posted.header("etag").expect("a tag"));
    assert_eq!(user["attributes"], rest["attributes"]);
    assert_eq!(user["createTime"], rest["created_at"]);

    let other = json!({ "user": { "name": "Eve" }, "requestId": email });
    let reused = call("CreateUser", other);
    assert_eq!(
        reused.failure(),
        ("invalid_argument", "idempotency-key-reused")
    );
    let wrong = call("CreateUser", json!({ "user": profile, "requestId": "a b" }));
    assert_eq!(wrong.failure(), ("invalid_argument", "invalid-request"));

    // A tag of one interface is a precondition of the other.
    let path = format!("/users/{}", rest["id"]);
    let patched = service()
        .request("PATCH", &path)
        .header("if-match", user["etag"].as_str().unwrap());
    let patched = patched.json(&json!({ "name": "Ada King" })).answer();
    assert_eq!(patched.status, 200);
    let stale = json!({ "user": { "id": user["id"], "name": "x", "etag": user["etag"] } });
    let stale = call("UpdateUser", stale);
    assert_eq!(
        (stale.status, stale.failure()),
        (409, ("aborted", "precondition-failed"))
    );
}

#[test]
fn what_has_no_side_effects_is_there_by_get() {
    let user = create(json!({ "name": "Grace" }));
    let id: u64 = user["id"].as_str().unwrap().parse().unwrap();
    let get = |method: &str, query: &str| {
        let url = format!(
            "{}/edgeusers.v1.UserService/{method}?{query}",
            service().url
        );
        Client::new().get(url).send().expect("an answer")
    };
    let json = get(
        "GetUser",
        &format!("connect=v1&encoding=json&message=%7B%22id%22:{id}%7D"),
    );
    assert_eq!(json.headers()["content-type"], "application/json");
    assert_eq!(json.json::<Value>().unwrap()["user"], user);

    let message = GetUserRequest { id }.encode_to_vec();
    let message = URL_SAFE_NO_PAD.encode(message);
    for padding in ["", "%3D", "%3D%3D"] {
        let query = format!("message={message}{padding}&base64=1&encoding=proto&connect=v1");
        let proto = get("GetUser", &query);
        assert_eq!(
            proto.headers()["content-type"],
            "application/proto",
            "{padding}"
        );
        let answer = GetUserResponse::decode(proto.bytes().unwrap()).expect("a message");
        assert_eq!(answer.user.expect("a user").name(), "Grace");
    }
    for method in ["ListUsers", "BatchGetUsers"] {
        let message = format!(
            "%7B%22{}%22:1%7D",
            if method == "ListUsers" {
                "page_size"
            } else {
                "ids"
            }
        );
        let status = get(method, &format!("encoding=json&message={message}")).status();
        assert_eq!(status, if method == "ListUsers" { 200 } else { 400 });
    }
    for (query, status) in [
        ("encoding=json", 400),
        ("message=%7B%7D", 415),
        ("encoding=xml&message=%7B%7D", 415),
        ("encoding=json&message=%7B%7D&compression=br", 501),
        ("encoding=json&message=%7B%7D&connect=v2", 400),
        ("encoding=proto&message=*&base64=1", 400),
    ] {
        assert_eq!(get("GetUser", query).status(), status, "{query}");
    }
    // What changes something is not.
    assert_eq!(
        get("DeleteUser", "encoding=json&message=%7B%7D").status(),
        405
    );
}

#[test]
fn a_mask_says_what_is_set() {
    let user = create(json!({ "name": "Ada", "email": new_email(), "attributes": { "a": 1 } }));
    let id = &user["id"];
    let update = |change: Value, mask: Value| {
        let mut change = change;
        change["id"] = id.clone();
        call("UpdateUser", json!({ "user": change, "updateMask": mask }))
    };
    // Without one, what is there.
    let named = update(json!({ "name": "Ada L" }), Value::Null);
    assert_eq!(named.user()["email"], user["email"]);
    // What is named and absent is removed.
    let removed = update(json!({ "name": "x" }), json!("email"));
    assert_eq!(removed.user()["name"], "Ada L");
    assert!(removed.user().get("email").is_none());
    // What the service sets is of no account.
    let ignored = update(
        json!({ "name": "x", "createTime": "2000-01-01T00:00:00Z" }),
        json!("createTime,etag"),
    );
    assert_eq!(ignored.user(), removed.user());
    // Nothing is written where nothing changes.
    let same = update(json!({ "name": "Ada L" }), json!("name"));
    assert_eq!(same.user()["etag"], removed.user()["etag"]);
    let all = update(json!({ "name": "Grace" }), json!("*"));
    assert_eq!(all.user()["name"], "Grace");
    assert!(all.user().get("attributes").is_none());

    for (change, mask) in [
        (json!({ "name": "x" }), json!("nickname")),
        (json!({ "name": "x" }), json!("attributes.a")),
        (json!({}), json!("name")),
        (json!({ "name": "" }), Value::Null),
    ] {
        let refused = update(change, mask);
        assert_eq!(
            (refused.status, refused.failure().0),
            (400, "invalid_argument")
        );
    }
    assert_eq!(call("GetUser", json!({ "id": id })).user(), all.user());
    let empty = call("UpdateUser", json!({ "user": { "id": id, "email": "" } }));
    let violation = &empty.body["details"][1]["debug"]["fieldViolations"][0];
    assert_eq!(violation["field"], "user.email");
}

#[test]
fn numbers_that_no_struct_holds_are_not_rounded() {
    let exact = r#"{"n":[18446744073709551615,-9223372036854775808,0.1]}"#;
    let user = create(json!({ "name": "Ada", "attributesJson": exact }));
    assert!(user.get("attributes").is_none());
    assert_eq!(user["attributesJson"], exact);
    let rest = service().get(&format!("/users/{}", user["id"].as_str().unwrap()));
    assert!(rest.body.contains(exact), "{}", rest.body);

    // What a Struct holds travels as one.
    let change = json!({ "id": user["id"], "attributes": { "n": 9_007_199_254_740_992_u64 } });
    let changed = call("UpdateUser", json!({ "user": change }));
    assert_eq!(changed.user()["attributes"], change["attributes"]);
    for (attributes, name) in [
        (
            json!({ "attributes": { "n": 9_007_199_254_740_993_u64 } }),
            "malformed-message",
        ),
        (json!({ "attributesJson": "[]" }), "invalid-user"),
        (json!({ "attributesJson": "{" }), "invalid-user"),
        (
            json!({ "attributesJson": "{}", "attributes": {} }),
            "invalid-user",
        ),
    ] {
        let mut refused = attributes.clone();
        refused["name"] = json!("Ada");
        let refused = call("CreateUser", json!({ "user": refused }));
        assert_eq!(
            refused.failure(),
            ("invalid_argument", name),
            "{attributes}"
        );
    }
}

#[test]
fn users_are_listed_by_the_page() {
    let prefix = format!("List {}", new_email().replace('.', ""));
    let prefix = &prefix[..20.min(prefix.len())];
    let made: Vec<_> = (0..3)
        .map(|n| create(json!({ "name": format!("{prefix} {n}") })))
        .collect();
    let list = |request: Value| {
        let answer = call("ListUsers", request);
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    };
    // By the id, in either order, page after page.
    let last = list(json!({ "pageSize": 2, "orderBy": "id desc" }));
    assert_eq!(last["users"].as_array().unwrap().len(), 2);
    assert!(last["totalSize"].as_u64().unwrap() >= 3, "{last}");
    let token = &last["nextPageToken"];
    let next = list(json!({ "pageSize": 2, "orderBy": "id  desc", "pageToken": token }));
    let id = |user: &Value| user["id"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(id(&next["users"][0]) < id(&last["users"][1]));
    let first = list(json!({ "page_size": 1, "order_by": "id" }));
    assert_eq!(first["users"].as_array().unwrap().len(), 1);

    // By name.
    let mut found = Vec::new();
    let mut token = json!("");
    loop {
        let page = list(json!({ "namePrefix": prefix, "pageSize": 2, "pageToken": token }));
        assert!(page.get("totalSize").is_none());
        found.extend(page["users"].as_array().unwrap().clone());
        match page.get("nextPageToken") {
            Some(next) => token = next.clone(),
            None => break,
        }
    }
    assert_eq!(found, made);

    // By email.
    let email = new_email();
    let user = create(json!({ "name": "Ada", "email": email }));
    assert_eq!(list(json!({ "email": email }))["users"], json!([user]));
    let nobody = list(json!({ "email": new_email() }));
    assert_eq!(nobody, json!({ "totalSize": 0 }));

    // More than there may be means the most.
    list(json!({ "pageSize": 1_000_000, "namePrefix": prefix }));
    let by_id = list(json!({ "pageSize": 1 }))["nextPageToken"].clone();
    for refused in [
        json!({ "pageSize": -1 }),
        json!({ "orderBy": "name" }),
        json!({ "pageToken": "x" }),
        json!({ "pageToken": by_id, "orderBy": "id desc" }),
        json!({ "pageToken": by_id, "namePrefix": prefix }),
        json!({ "pageToken": by_id, "email": email }),
        json!({ "namePrefix": prefix, "email": email }),
        json!({ "namePrefix": prefix, "orderBy": "id" }),
        json!({ "namePrefix": "" }),
        json!({ "email": "x" }),
    ] {
        let answer = call("ListUsers", refused.clone());
        assert_eq!(
            (answer.status, answer.failure()),
            (400, ("invalid_argument", "invalid-request")),
            "{refused}"
        );
        assert_eq!(answer.body["details"][1]["type"], "google.rpc.BadRequest");
    }
}

#[test]
fn users_are_got_by_their_ids() {
    let made: Vec<_> = ["Ada", "Grace"]
        .map(|name| create(json!({ "name": name })))
        .into();
    let ids = json!([
        made[1]["id"],
        made[0]["id"],
        made[1]["id"],
        17_179_869_183_u64
    ]);
    let got = call("BatchGetUsers", json!({ "ids": ids }));
    assert_eq!(got.body["users"], json!(made));
    for ids in [json!([]), json!([0]), json!(vec![1; 101])] {
        let refused = call("BatchGetUsers", json!({ "ids": ids }));
        assert_eq!(refused.failure(), ("invalid_argument", "invalid-request"));
    }
    // What can't be an id names no user.
    let none = call("GetUser", json!({ "id": "18446744073709551615" }));
    assert_eq!(none.failure(), ("not_found", "user-not-found"));
}

#[test]
fn a_problem_names_every_member_that_breaks_a_rule() {
    let email = new_email();
    create(json!({ "name": "Ada", "email": email }));
    let refused = call(
        "CreateUser",
        json!({ "user": { "name": "", "email": "x" } }),
    );
    assert_eq!(
        (refused.status, refused.failure()),
        (400, ("invalid_argument", "invalid-user"))
    );
    let violations = &refused.body["details"][1]["debug"]["fieldViolations"];
    let fields: Vec<_> = violations
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["field"])
        .collect();
    assert_eq!(fields, ["user.name", "user.email"]);
    let taken = call(
        "CreateUser",
        json!({ "user": { "name": "Eve", "email": email } }),
    );
    assert_eq!(
        (taken.status, taken.failure()),
        (409, ("already_exists", "email-taken"))
    );
    let none = call("CreateUser", json!({}));
    assert_eq!(none.failure(), ("invalid_argument", "invalid-request"));
}

#[test]
fn long_answers_are_compressed_for_clients_that_take_it() {
    let text = "x".repeat(4000);
    let user = create(json!({ "name": "Ada", "attributes": { "text": text } }));
    let url = format!("{}/edgeusers.v1.UserService/GetUser", service().url);
    let get = |encoding: &'static str| {
        let request = Client::new().post(&url).header("accept-encoding", encoding);
        request
            .json(&json!({ "id": user["id"] }))
            .send()
            .expect("an answer")
    };
    let packed = get("gzip");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().unwrap().len() < 1000);
    assert!(get("identity").bytes().unwrap().len() > 4000);
}

#[test]
fn a_list_is_no_message() {
    let user = create(json!({ "name": "Ada" }));
    let id = user["id"].clone();
    for (method, message) in [
        ("GetUser", json!([id])),
        ("GetUser", json!([])),
        ("ListUsers", json!([])),
        ("BatchGetUsers", json!([[id]])),
        ("CreateUser", json!([{ "name": "Bob" }])),
        ("CreateUser", json!({ "user": [0, "Bob"] })),
        ("UpdateUser", json!([[id, "Bob"]])),
        ("UpdateUser", json!({ "user": [id, "Bob"] })),
        ("DeleteUser", json!([id])),
        ("DeleteUser", json!("")),
    ] {
        let answer = call(method, message.clone());
        assert_eq!(
            answer.failure(),
            ("invalid_argument", "malformed-message"),
            "{method} {message}"
        );
    }
    assert_eq!(call("GetUser", json!({ "id": id })).user(), &user);
}

#[test]
fn a_call_for_one_user_says_which() {
    for (method, message) in [
        ("GetUser", json!({})),
        ("UpdateUser", json!({})),
        ("UpdateUser", json!({ "user": { "name": "Ada" } })),
        ("DeleteUser", json!({ "id": "0" })),
    ] {
        let failure = call(method, message.clone());
        let failure = failure.failure();
        assert_eq!(failure.0, "invalid_argument", "{method} {message}");
    }
    let query = "/edgeusers.v1.UserService/GetUser?message=%7B%7D";
    let answer = send(Client::new().get(format!("{}{query}", service().url)));
    assert_eq!(answer.status, 415, "{answer:?}");
    assert!(
        answer.body.to_string().contains("encoding=json"),
        "{answer:?}"
    );
}

#[test]
fn a_username_an_external_id_and_being_active_are_members_like_the_others() {
    let email = new_email();
    let (username, _) = email.split_once('@').expect("an address");
    let sent = json!({ "name": "Ada", "username": username, "externalId": "0815" });
    let user = create(sent.clone());
    assert_eq!(user["username"], username);
    assert_eq!(user["externalId"], "0815");
    assert_eq!(user["active"], true);
    let id = &user["id"];
    assert_eq!(call("GetUser", json!({ "id": id })).user(), &user);
    let rest = service().get(&format!("/users/{}", id.as_str().expect("an id")));
    assert_eq!(rest.json()["external_id"], "0815");

    // It is unique, without regard to case, and finds its user.
    let mut again = sent;
    again["username"] = username.to_uppercase().into();
    let taken = call("CreateUser", json!({ "user": again }));
    assert_eq!(
        (taken.status, taken.failure()),
        (409, ("already_exists", "username-taken"))
    );
    let found = call("ListUsers", json!({ "username": username.to_uppercase() }));
    assert_eq!(found.body, json!({ "users": [user], "totalSize": 1 }));
    for refused in [
        json!({ "username": "" }),
        json!({ "username": "a b" }),
        json!({ "username": username, "email": email }),
        json!({ "username": username, "namePrefix": "a" }),
        json!({ "username": username, "pageToken": "x" }),
    ] {
        let refused = call("ListUsers", refused);
        assert_eq!(
            refused.failure(),
            ("invalid_argument", "invalid-request"),
            "{refused:?}"
        );
    }

    let update = |change: Value, mask: Value| {
        let mut change = change;
        change["id"] = id.clone();
        call("UpdateUser", json!({ "user": change, "updateMask": mask }))
    };
    let off = update(json!({ "active": false }), Value::Null);
    assert_eq!(off.user()["active"], false);
    assert_eq!(off.user()["username"], username);
    // A mask that names it without a value makes the user active.
    let on = update(json!({}), json!("active,externalId"));
    assert_eq!(on.user()["active"], true);
    assert_eq!(on.user().get("externalId"), None);
    let all = update(json!({ "name": "Ada" }), json!("*"));
    assert_eq!(all.user().get("username"), None);
    let refused = update(json!({ "username": "a b", "externalId": " " }), Value::Null);
    let violations = &refused.body["details"][1]["debug"]["fieldViolations"];
    let fields: Vec<_> = violations.as_array().expect("a list").iter().collect();
    let fields: Vec<_> = fields.iter().map(|it| &it["field"]).collect();
    assert_eq!(fields, ["user.username", "user.external_id"]);
}
