//! The users over HTTP: what each method does, and what each mistake gets.

use crate::support::{Send, new_email, path, service};
use serde_json::{Value, json};

#[test]
fn a_user_is_created_with_an_id_a_location_and_both_times() {
    let email = new_email();
    let profile = json!({ "name": " Ada ", "email": email, "attributes": { "team": "blue" } });
    let created = service().post("/users", profile);
    assert_eq!(created.status, 201);
    assert_eq!(created.header("content-type"), Some("application/json"));
    let user = created.json();
    assert_eq!(user["name"], "Ada");
    assert_eq!(user["email"], email);
    assert_eq!(user["attributes"], json!({ "team": "blue" }));
    assert_eq!(user["created_at"], user["updated_at"]);
    let time = user["created_at"].as_str().unwrap();
    assert!(
        time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T",
        "{time}"
    );
    assert_eq!(created.header("location"), Some(&path(&user)[..]));
    assert_eq!(service().get(&path(&user)).json(), user);
}

#[test]
fn optional_members_that_are_absent_are_left_out() {
    let user = service().create(json!({ "name": "Bea", "email": null }));
    let members: Vec<_> = user.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["active", "created_at", "id", "name", "updated_at"]
    );
}

#[test]
fn ids_ascend_and_are_never_given_again() {
    let first = service().create(json!({ "name": "First" }));
    assert_eq!(service().delete(&path(&first)).status, 204);
    let second = service().create(json!({ "name": "Second" }));
    assert!(second["id"].as_u64() > first["id"].as_u64());
    assert_eq!(service().get(&path(&first)).status, 404);
}

#[test]
fn a_name_in_any_script_comes_back_byte_for_byte() {
    for name in [
        "Zoë Ångström",
        "Влади́мир",
        "王小明",
        "𐐔𐐯𐑅𐐨𐑉𐐯𐐻",
        "👩‍🚀",
        "O\u{2019}Hara \\ \"q\"",
    ] {
        let user = service().create(json!({ "name": name }));
        assert_eq!(service().get(&path(&user)).json()["name"], name);
    }
}

#[test]
fn a_name_has_a_character_that_can_be_seen_and_none_that_cannot() {
    let user = service().create(json!({ "name": "Ada" }));
    for name in [
        "\u{200b}",
        "\u{3164}",
        "\u{2800}",
        "\u{feff}",
        "\u{ad}",
        "\u{2028}",
        "Ada\u{202e}nimdA",
        "Ada\u{2066}",
        "A\u{2028}da",
        "A\u{200d}da",
        "A\u{200b}da",
    ] {
        let body = json!({ "name": name });
        for refused in [
            service().post("/users", body.clone()),
            service().put(&path(&user), body.clone()),
            service().patch(&path(&user), body),
        ] {
            assert_eq!(refused.status, 422, "{name:?}");
            assert_eq!(refused.pointers(), ["/name"], "{name:?}");
        }
    }
    for name in [
        "علی\u{200c}رضا",
        "മോഹന്\u{200d}",
        "🏳\u{fe0f}\u{200d}🌈",
        "葛\u{e0100}飾",
    ] {
        let user = service().create(json!({ "name": name }));
        assert_eq!(service().get(&path(&user)).json()["name"], name);
    }
}

#[test]
fn attributes_come_back_as_they_are_or_are_refused() {
    let numbers = json!({ "n": [u64::MAX, i64::MIN, 0.1, 1e300, -0.0] });
    let odd = json!({ "": "", "$serde_json::private::Number": "5", "x": { "a": null } });
    let deep = (1..32).fold(json!({}), |inner, _| json!([inner]));
    for attributes in [numbers, odd, json!({ "d": deep[0] })] {
        let user = service().create(json!({ "name": "Attr", "attributes": attributes }));
        let stored = service().get(&path(&user));
        assert_eq!(
            (stored.status, &stored.json()["attributes"]),
            (200, &attributes)
        );
    }
    for levels in [33, 62] {
        let attributes = (1..levels).fold(json!({}), |inner, _| json!({ "a": inner }));
        let refused = service().post("/users", json!({ "name": "D", "attributes": attributes }));
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec!["/attributes".to_owned()])
        );
    }
}

#[test]
fn head_answers_as_get_does_without_the_body() {
    let user = service().create(json!({ "name": "Hedy" }));
    for path in ["/", "/healthz", "/readyz", &path(&user), "/users/0"] {
        let get = service().get(path);
        let head = service().request("HEAD", path).answer();
        assert_eq!((head.status, &head.body[..]), (get.status, ""), "{path}");
        for header in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(header), get.header(header), "{path} {header}");
        }
    }
}

#[test]
fn every_version_of_a_user_has_its_own_strong_entity_tag() {
    let created = service().post("/users", json!({ "name": "Eve" }));
    let user = path(&created.json());
    let tag = |answer: &crate::support::Answer| {
        let tag = answer.header("etag").expect("an entity tag").to_owned();
        assert!(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
            "{tag}"
        );
        tag
    };
    let first = tag(&created);
    assert_eq!(tag(&service().get(&user)), first);
    service().put(&user, json!({ "name": "Evi" }));
    let second = tag(&service().get(&user));
    assert_ne!(second, first);
    // A version that is like an earlier one is another one.
    let third = tag(&service().patch(&user, json!({ "name": "Eve" })));
    assert!(third != first && third != second);
    assert_eq!(tag(&service().get(&user)), third);
}

#[test]
fn a_change_that_changes_nothing_leaves_the_version_that_is_there() {
    let email = new_email();
    let profile = json!({ "name": "Nia", "email": email, "attributes": { "n": [1, {}] } });
    let created = service().post("/users", profile.clone());
    let (user, tag) = (created.json(), created.header("etag").expect("a tag"));
    let change = |method: &str, media_type: &str, body: Value| {
        let request = service().request(method, &path(&user));
        let request = request.header("content-type", media_type);
        request.body(body.to_string()).answer()
    };
    let replace = |body| change("PUT", "application/json", body);
    let merge = |body| change("PATCH", "application/merge-patch+json", body);
    let operate = |body| change("PATCH", "application/json-patch+json", body);
    // So that a new version would have another time.
    std::thread::sleep(std::time::Duration::from_millis(2));
    for answer in [
        replace(profile),
        replace(user.clone()),
        merge(user.clone()),
        merge(json!({})),
        merge(json!({ "name": " Nia ", "nickname": null })),
        operate(json!([])),
        operate(json!([{ "op": "replace", "path": "/name", "value": "Nia" }])),
        operate(json!([
            { "op": "remove", "path": "/email" },
            { "op": "add", "path": "/email", "value": email },
        ])),
    ] {
        assert_eq!((answer.status, answer.json()), (200, user.clone()));
        assert!(answer.header("etag").is_none_or(|same| same == tag));
        assert_eq!(service().get(&path(&user)).header("etag"), Some(tag));
    }
    // The same by another text is a change.
    let mut before = tag.to_owned();
    for patch in [
        json!({ "email": email.to_uppercase() }),
        json!({ "attributes": { "n": [1.0, {}] } }),
        json!({ "attributes": {} }),
    ] {
        let answer = merge(patch.clone());
        let changed = answer.header("etag").expect("a tag") != before;
        // Nothing is merged into nothing.
        assert_eq!(changed, patch != json!({ "attributes": {} }), "{patch}");
        before = answer.header("etag").expect("a tag").to_owned();
    }
    // Nobody is let through who asks for another version.
    let stale = service()
        .request("PUT", &path(&user))
        .header("if-match", tag);
    let same = service().get(&path(&user)).json();
    assert_eq!(stale.json(&same).answer().status, 412);
}

#[test]
fn lists_have_the_entity_tag_of_each_user_if_asked_for_it() {
    let name = new_email().replace(['@', '.'], "");
    let users: Vec<Value> = (0..2)
        .map(|_| service().create(json!({ "name": name })))
        .collect();
    let ids = format!("{},{}", users[0]["id"], users[1]["id"]);
    let after = users[0]["id"].as_u64().expect("an id") - 1;
    let list = |query: String| service().get(&query).json();
    let tagged = |user: &Value| {
        let tag = service().get(&path(user)).header("etag").map(str::to_owned);
        json!({ "id": user["id"], "etag": tag })
    };
    let expected: Value = users.iter().map(tagged).collect();
    assert_eq!(list(format!("/users?id={ids}&fields=id,etag")), expected);
    // Other tests make users meanwhile, so that a page of a search may be short.
    let mut next = Some(format!("/users?name={name}&fields=id,etag"));
    let mut found = Vec::new();
    while let Some(path) = next {
        let page = service().get(&path);
        found.extend(page.json().as_array().expect("a list").clone());
        let link = page
            .header("link")
            .and_then(|link| link.split(['<', '>']).nth(1));
        next = link.map(str::to_owned);
    }
    assert_eq!(json!(found), expected);
    let page = list(format!("/users?after={after}&limit=1&fields=etag,id"));
    assert_eq!(page, json!([tagged(&users[0])]));
    assert_eq!(list(format!("/users?id={ids}")), json!(users));
    let all = "id,name,email,username,external_id,active,attributes,created_at,updated_at,etag";
    let one = service().get(&format!("{}?fields={all}", path(&users[0])));
    let whole = one.json();
    assert_eq!(whole["etag"].as_str(), one.header("etag"));
    // What was got can be sent back, and changes the version that it is.
    let tag = whole["etag"].as_str().expect("a tag");
    let mut changed = whole.clone();
    changed["attributes"] = json!({ "team": "blue" });
    let put = || {
        let request = service().request("PUT", &path(&whole));
        request.header("if-match", tag).json(&changed).answer()
    };
    assert_eq!(put().status, 200);
    assert_eq!(put().status, 412);
    for refused in [
        service().post("/users", json!({ "name": "A", "etag": tag })),
        service()
            .request("PATCH", &path(&whole))
            .header("content-type", "application/json-patch+json")
            .body(json!([{ "op": "add", "path": "/etag", "value": tag }]).to_string())
            .answer(),
    ] {
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec!["/etag".to_owned()])
        );
    }
}

#[test]
fn put_replaces_a_user_and_ignores_read_only_members() {
    let user = service().create(json!({ "name": "Al", "email": new_email(), "attributes": {} }));
    let body = json!({ "id": 1, "created_at": "then", "updated_at": 0, "name": "Albert" });
    let replaced = service().put(&path(&user), body);
    assert_eq!(replaced.status, 200);
    let replaced = replaced.json();
    assert_eq!(replaced["id"], user["id"]);
    assert_eq!(replaced["name"], "Albert");
    assert_eq!(replaced.get("email"), None);
    assert_eq!(replaced.get("attributes"), None);
    assert_eq!(replaced["created_at"], user["created_at"]);
    assert!(replaced["updated_at"].as_str() >= user["updated_at"].as_str());
    assert_eq!(service().get(&path(&user)).json(), replaced);
}

#[test]
fn put_makes_no_user_where_there_is_none() {
    let put = service().put("/users/17179869183", json!({ "name": "Nobody" }));
    assert_eq!(put.status, 404);
    assert_eq!(put.problem()["title"], "User not found");
}

#[test]
fn patch_merges_as_rfc_7396_says() {
    let email = new_email();
    let user = service().create(json!({
        "name": "Pat", "email": email, "attributes": { "a": { "b": 1, "c": 2 }, "d": [1, 2] },
    }));
    let patch = json!({
        "id": 7, "name": "Patricia", "attributes": { "a": { "b": null, "e": 3 }, "d": [3] },
    });
    let patched = service().patch(&path(&user), patch);
    assert_eq!(patched.status, 200);
    let patched = patched.json();
    assert_eq!(patched["id"], user["id"]);
    assert_eq!(patched["name"], "Patricia");
    assert_eq!(patched["email"], email);
    assert_eq!(
        patched["attributes"],
        json!({ "a": { "c": 2, "e": 3 }, "d": [3] })
    );
    let without = service().patch(&path(&user), json!({ "email": null, "attributes": null }));
    assert_eq!(without.json().get("email"), None);
    assert_eq!(without.json().get("attributes"), None);
    assert_eq!(service().get(&path(&user)).json(), without.json());
}

#[test]
fn a_patch_whose_result_breaks_a_rule_changes_nothing() {
    let user = service().create(json!({ "name": "Ria" }));
    for (patch, pointer) in [
        (json!({ "name": null }), "/name"),
        (json!({ "name": "x", "email": "nowhere" }), "/email"),
        (json!({ "nickname": "R" }), "/nickname"),
        (json!(["name"]), ""),
    ] {
        let answer = service().patch(&path(&user), patch);
        assert_eq!(answer.status, 422);
        assert_eq!(answer.pointers(), [pointer]);
    }
    assert_eq!(service().get(&path(&user)).json(), user);
}

#[test]
fn a_deleted_user_is_gone_for_every_method() {
    let user = path(&service().create(json!({ "name": "Del", "email": new_email() })));
    let deleted = service().delete(&user);
    assert_eq!((deleted.status, &deleted.body[..]), (204, ""));
    assert_eq!(service().get(&user).status, 404);
    assert_eq!(service().delete(&user).status, 404);
    assert_eq!(service().put(&user, json!({ "name": "Back" })).status, 404);
    assert_eq!(
        service().patch(&user, json!({ "name": "Back" })).status,
        404
    );
}

#[test]
fn an_id_that_names_no_user_is_not_found_whatever_it_looks_like() {
    let ids = [
        "0",
        "-1",
        "01",
        "1.0",
        "abc",
        "17179869183",
        "17179869184",
        "99999999999999999999999",
        "%31%30%30%30%30%30%30%30%30%30",
        "%F0%9F%91%A9",
        "%ff",
        "%",
        "%00",
        "1%20",
        "null",
        "~",
        "1;2",
    ];
    for id in ids {
        for method in ["GET", "DELETE"] {
            let answer = service().request(method, &format!("/users/{id}")).answer();
            assert_eq!(answer.status, 404, "{method} {id}");
            assert_eq!(answer.problem()["title"], "User not found", "{method} {id}");
        }
        for method in ["PUT", "PATCH"] {
            let request = service().request(method, &format!("/users/{id}"));
            assert_eq!(
                request.json(&json!({ "name": "x" })).answer().status,
                404,
                "{method} {id}"
            );
        }
    }
}

#[test]
fn an_email_is_unique_without_regard_to_case() {
    let email = new_email();
    let holder = service().create(json!({ "name": "Holder", "email": email }));
    let other = service().create(json!({ "name": "Other" }));
    let same = json!({ "name": "Other", "email": email.to_uppercase() });
    for answer in [
        service().post("/users", same.clone()),
        service().put(&path(&other), same.clone()),
        service().patch(&path(&other), json!({ "email": email })),
    ] {
        assert_eq!(answer.status, 409);
        assert_eq!(answer.problem()["title"], "Email taken");
    }
    assert_eq!(service().get(&path(&other)).json(), other);
    // Its holder may write it differently.
    let renamed = service().patch(&path(&holder), json!({ "email": email.to_uppercase() }));
    assert_eq!(renamed.json()["email"], email.to_uppercase());
}

#[test]
fn an_email_that_was_given_up_can_be_taken_at_once() {
    let email = new_email();
    let named = |name: &str| json!({ "name": name, "email": email });
    let first = service().create(named("First"));
    service().patch(&path(&first), json!({ "email": null }));
    let second = service().create(named("Second"));
    service().put(
        &path(&second),
        json!({ "name": "Second", "email": new_email() }),
    );
    let third = service().create(named("Third"));
    service().delete(&path(&third));
    let back = service().patch(&path(&first), json!({ "email": email }));
    assert_eq!(back.status, 200);
    assert_eq!(service().post("/users", named("Fourth")).status, 409);
}

#[test]
fn a_user_is_found_by_email_in_any_case() {
    let email = new_email();
    let find = |email: &str| service().get(&format!("/users?email={}", email.replace('+', "%2B")));
    assert_eq!(find(&email).json(), json!([]));
    let user = service().create(json!({ "name": "Fay", "email": email }));
    for spelling in [
        email.clone(),
        email.to_uppercase(),
        email.replace('@', "%40"),
    ] {
        let found = find(&spelling);
        assert_eq!(
            (found.status, found.json()),
            (200, json!([user])),
            "{spelling}"
        );
        assert_eq!(found.header("x-total-count"), Some("1"));
    }
    service().patch(&path(&user), json!({ "email": null }));
    assert_eq!(find(&email).json(), json!([]));
    assert_eq!(find(&email).header("x-total-count"), Some("0"));
}

#[test]
fn a_plus_in_an_email_needs_no_escape() {
    let email = new_email().replace('@', "+tag@");
    let user = service().create(json!({ "name": "Tag", "email": email }));
    assert_eq!(
        service().get(&format!("/users?email={email}")).json(),
        json!([user])
    );
}

#[test]
fn a_new_user_may_have_no_member_that_breaks_a_rule() {
    let long = "n".repeat(201);
    let big = json!({ "k": "v".repeat(8 * 1024) });
    for (profile, pointers) in [
        (json!({}), vec!["/name"]),
        (json!([]), vec![""]),
        (json!("Ada"), vec![""]),
        (json!({ "name": null }), vec!["/name"]),
        (json!({ "name": 7 }), vec!["/name"]),
        (json!({ "name": " \t " }), vec!["/name"]),
        (json!({ "name": "a\u{7}b" }), vec!["/name"]),
        (json!({ "name": long }), vec!["/name"]),
        (json!({ "name": "A", "email": "a@" }), vec!["/email"]),
        (
            json!({ "name": "A", "email": ["a@b.example"] }),
            vec!["/email"],
        ),
        (
            json!({ "name": "A", "email": format!("{}@b.example", "a".repeat(250)) }),
            vec!["/email"],
        ),
        (
            json!({ "name": "A", "attributes": [] }),
            vec!["/attributes"],
        ),
        (
            json!({ "name": "A", "attributes": big }),
            vec!["/attributes"],
        ),
        (json!({ "name": "A", "id": 1 }), vec!["/id"]),
        (json!({ "name": "A", "nick/name": 1 }), vec!["/nick~1name"]),
        (
            json!({ "email": 1, "attributes": 1 }),
            vec!["/name", "/email", "/attributes"],
        ),
    ] {
        let answer = service().post("/users", profile.clone());
        assert_eq!(answer.status, 422, "{profile}");
        assert_eq!(answer.pointers(), pointers, "{profile}");
    }
}

#[test]
fn a_body_that_is_not_json_is_malformed() {
    for body in [
        &b""[..],
        b"{",
        b"{\"name\":}",
        b"\xff\xfe",
        b"{} {}",
        b"{\"name\":\"\\ud800\"}",
    ] {
        let request = service()
            .request("POST", "/users")
            .header("content-type", "application/json");
        let answer = request.body(body).answer();
        assert_eq!(answer.status, 400, "{body:?}");
        assert_eq!(answer.problem()["title"], "Malformed JSON");
    }
    let deep = format!(
        "{{\"name\":\"D\",\"attributes\":{}1{}}}",
        "{\"a\":".repeat(5000),
        "}".repeat(5000)
    );
    let request = service()
        .request("POST", "/users")
        .header("content-type", "application/json");
    assert_eq!(request.body(deep).answer().status, 422);
}

#[test]
fn a_body_of_another_media_type_is_refused() {
    let user = path(&service().create(json!({ "name": "Mia" })));
    let body = r#"{"name":"Mia"}"#;
    for (method, path, media_type) in [
        ("POST", "/users", "text/plain"),
        ("POST", "/users", "application/x-www-form-urlencoded"),
        ("POST", "/users", "application/merge-patch+json"),
        ("POST", "/users", "application/json; charset=latin1"),
        ("PUT", &user, "application/xml"),
        ("PATCH", &user, "application/json-patch"),
    ] {
        let request = service()
            .request(method, path)
            .header("content-type", media_type);
        let answer = request.body(body).answer();
        assert_eq!(answer.status, 415, "{method} {media_type}");
        answer.problem();
    }
    assert_eq!(
        service()
            .request("POST", "/users")
            .body(body)
            .answer()
            .status,
        415
    );
    let zipped = service()
        .request("POST", "/users")
        .header("content-encoding", "gzip");
    assert_eq!(zipped.json(&json!({ "name": "Zip" })).answer().status, 415);
    let charset = service().request("PUT", &user);
    let charset = charset.header("content-type", "Application/JSON;charset=\"UTF-8\"");
    assert_eq!(charset.body(body).answer().status, 200);
}

#[test]
fn a_body_has_at_most_64_kib() {
    let body = |length: usize| {
        let frame = json!({ "name": "", "x": "" }).to_string().len();
        json!({ "name": "", "x": "x".repeat(length - frame) })
    };
    assert_eq!(service().post("/users", body(64 * 1024)).status, 422);
    let refused = service().post("/users", body(64 * 1024 + 1));
    assert_eq!(refused.status, 413);
    refused.problem();
    // Without a length announced.
    let chunks = std::io::Cursor::new(body(1024 * 1024).to_string());
    let request = service()
        .request("POST", "/users")
        .header("content-type", "application/json");
    let refused = request.body(reqwest::blocking::Body::new(chunks)).answer();
    assert_eq!(refused.status, 413);
}

#[test]
fn a_query_that_is_not_understood_is_refused_by_its_name() {
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("after=-1", "after"),
        ("after=x", "after"),
        ("colour=red", "colour"),
        ("email=nobody", "email"),
        ("email=a%40b.example&limit=1", "email"),
        ("email=%ff", "email"),
    ] {
        service().refuses_query("/users", query, name);
    }
}

#[test]
fn a_walk_through_the_pages_meets_every_user_once() {
    let mine: Vec<Value> = (0..7)
        .map(|n| service().create(json!({ "name": format!("W{n}") })))
        .collect();
    service().delete(&path(&mine[3]));
    let mut next = format!(
        "/users?limit=2&after={}",
        mine[0]["id"].as_u64().unwrap() - 1
    );
    let mut ids = Vec::new();
    loop {
        let page = service().get(&next);
        assert_eq!(page.status, 200);
        let users = page.json();
        ids.extend(
            users
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].as_u64().unwrap()),
        );
        let Some(path) = page.next_page() else {
            break;
        };
        next = path;
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for (n, user) in mine.iter().enumerate() {
        let met = ids.contains(&user["id"].as_u64().unwrap());
        assert_eq!(met, n != 3, "{n}");
    }
}

#[test]
fn a_page_beyond_the_last_user_is_empty() {
    for after in ["17179869183", "18446744073709551615"] {
        let page = service().get(&format!("/users?after={after}"));
        assert_eq!((page.status, page.json()), (200, json!([])));
        assert_eq!(page.header("link"), None);
    }
}

#[test]
fn a_resource_says_which_methods_it_has() {
    for (path, allow) in [
        ("/", "GET, HEAD, OPTIONS"),
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/readyz", "GET, HEAD, OPTIONS"),
        ("/users", "GET, HEAD, POST, OPTIONS"),
        ("/users/1", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
    ] {
        let options = service().request("OPTIONS", path).answer();
        assert_eq!(
            (options.status, options.header("allow")),
            (204, Some(allow)),
            "{path}"
        );
        for method in ["POST", "DELETE", "TRACE", "BREW"] {
            if allow.contains(method) {
                continue;
            }
            let answer = service().request(method, path).answer();
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allow)),
                "{method} {path}"
            );
            answer.problem();
        }
    }
}

#[test]
fn there_is_nothing_at_other_paths() {
    for path in [
        "/user",
        "/users/",
        "/users/1/",
        "/users/1/name",
        "//users",
        "/Users",
        "/%75sers",
    ] {
        let answer = service().get(path);
        assert_eq!(answer.status, 404, "{path}");
        answer.problem();
    }
}

#[test]
fn the_service_says_what_it_is_and_how_it_is() {
    let root = service().get("/").json();
    assert_eq!(root["service"], "edge-users");
    assert_eq!(root["version"], env!("CARGO_PKG_VERSION"));
    for link in root["links"].as_object().unwrap().values() {
        assert_eq!(service().get(link.as_str().unwrap()).status, 200, "{link}");
    }
    assert_eq!(service().get("/healthz").json(), json!({ "status": "ok" }));
    service().create(json!({ "name": "Ready" }));
    let ready = service().get("/readyz");
    assert_eq!(ready.json()["status"], "ok");
    assert_eq!(ready.json(), json!({ "status": "ok" }));
}
