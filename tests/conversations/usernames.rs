//! Usernames and external ids: which are taken, which are the same, and how a user is looked up by
//! its username.

use crate::support::{Answer, Service, encoded, new_email, path, service, start_host};
use serde_json::{Value, json};

/// A username that no other test uses, nor an earlier run.
fn unique() -> String {
    let email = new_email();
    let (local, _) = email.split_once('@').expect("an address");
    local.to_owned()
}

fn create(username: &str) -> Answer {
    service().post("/users", json!({ "name": "Ada", "username": username }))
}

fn find(username: &str) -> Value {
    let found = service().get(&format!("/users?username={}", encoded(username)));
    assert_eq!(found.status, 200, "{}", found.body);
    let users = found.json();
    let count = users.as_array().expect("a list").len().to_string();
    assert_eq!(found.header("x-total-count"), Some(&count[..]));
    users
}

fn assert_taken(answer: &Answer) {
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(answer.problem()["type"], "/problems/username-taken");
    assert_eq!(
        answer.problem()["detail"],
        "Another user has this username."
    );
}

#[test]
fn a_user_is_created_with_a_username_and_no_email_and_found_by_it() {
    let n = unique();
    for username in [
        format!("Ada.{n}"),
        format!("ada{n}@example.com"),
        format!("+44{n}"),
        format!("CORP\\{n}"),
        format!("jose\u{301}{n}"),
        format!("用户{n}"),
    ] {
        let created = create(&format!(" {username}\t"));
        assert_eq!(created.status, 201, "{username}: {}", created.body);
        let user = created.json();
        assert_eq!(user["username"], username, "it is kept as it was written");
        assert_eq!(user.get("email"), None);
        assert_eq!(service().get(&path(&user)).json(), user);
        assert_eq!(find(&username), json!([user]));
        assert_eq!(find(&username.to_uppercase()), json!([user]));
    }
    assert_eq!(find(&format!("nobody{n}")), json!([]));
}

#[test]
fn members_stand_in_one_order() {
    let n = unique();
    let user = json!({
        "attributes": {}, "active": false, "external_id": "0815", "username": n,
        "email": new_email(), "name": "Ada",
    });
    let created = service().post("/users", user);
    let user = created.json();
    let members = user.as_object().expect("a user").keys();
    let mut members: Vec<_> = members.map(|member| format!("\"{member}\":")).collect();
    members.sort_by_key(|member| created.body.find(member));
    let order = [
        "id",
        "name",
        "email",
        "username",
        "external_id",
        "active",
        "attributes",
        "created_at",
        "updated_at",
    ];
    assert_eq!(members, order.map(|member| format!("\"{member}\":")));
}

#[test]
fn a_text_that_is_no_username_or_external_id_is_refused_by_its_rule() {
    for (member, value, rule) in [
        ("username", json!(""), "1 to 100"),
        ("username", json!("u".repeat(101)), "1 to 100"),
        ("username", json!("ada lovelace"), "white space"),
        ("username", json!("ada\u{202e}"), "U+202E"),
        ("username", json!("ada\u{378}"), "unassigned"),
        ("username", json!(7), "a string"),
        ("external_id", json!(""), "1 to 200"),
        ("external_id", json!("x".repeat(201)), "1 to 200"),
        ("external_id", json!(" 1"), "white space"),
        ("external_id", json!("a\tb"), "control"),
        ("external_id", json!(7), "a string"),
        ("active", json!("true"), "true or false"),
        ("active", json!(0), "true or false"),
    ] {
        let refused = service().post("/users", json!({ "name": "Ada", member: value }));
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec![format!("/{member}")])
        );
        let told = refused.problem()["errors"][0]["detail"].to_string();
        assert!(told.contains(rule), "{member} {value} {told}");
    }
}

#[test]
fn no_two_users_have_one_username_whatever_its_case_and_form() {
    let n = unique();
    for (one, others) in [
        ("Straße", &["STRASSE", "strasse"][..]),
        ("jose\u{301}", &["JOSÉ", "ｊｏｓé"]),
        ("ΟΔΟΣ", &["οδος", "οδοσ"]),
    ] {
        let user = create(&format!("{one}{n}"));
        assert_eq!(user.status, 201, "{}", user.body);
        let bea = service().create(json!({ "name": "Bea" }));
        for other in others {
            let other = format!("{other}{n}");
            assert_taken(&create(&other));
            let username = json!({ "username": other });
            assert_taken(&service().patch(&path(&bea), username));
            let replacement = json!({ "name": "Bea", "username": other });
            assert_taken(&service().put(&path(&bea), replacement));
            // Its own user may write it otherwise.
            let respelled = service().patch(&path(&user.json()), json!({ "username": other }));
            assert_eq!(respelled.json()["username"], other);
        }
        assert_eq!(service().get(&path(&bea)).json(), bea);
    }
}

#[test]
fn a_username_that_is_given_up_is_free() {
    let n = unique();
    let ada = create(&n).json();
    let other = format!("other{n}");
    let changed = service().patch(&path(&ada), json!({ "username": other }));
    assert_eq!(changed.json()["username"], other);
    let bea = create(&n);
    assert_eq!(bea.status, 201, "{}", bea.body);
    assert_eq!(find(&n)[0]["id"], bea.json()["id"]);
    assert_taken(&service().patch(&path(&ada), json!({ "username": n })));
    // Null, absence and a delete give it up as well.
    let cleared = service().patch(&path(&bea.json()), json!({ "username": null }));
    assert_eq!(cleared.json().get("username"), None);
    assert_eq!(find(&n), json!([]));
    let cleo = create(&n).json();
    let replaced = service().put(&path(&cleo), json!({ "name": "Cleo" }));
    assert_eq!(replaced.json().get("username"), None);
    let dora = create(&n).json();
    assert_eq!(service().delete(&path(&dora)).status, 204);
    assert_eq!(find(&n), json!([]));
    assert_eq!(create(&n).status, 201);
}

#[test]
fn an_email_and_a_username_are_taken_together_or_not_at_all() {
    let n = unique();
    let (email, username) = (new_email(), format!("u{n}"));
    let both = json!({ "name": "Ada", "email": email, "username": username });
    let ada = service().post("/users", both.clone());
    assert_eq!(ada.status, 201, "{}", ada.body);
    // Of two that are taken, the email is named.
    let refused = service().post("/users", both);
    assert_eq!(refused.problem()["type"], "/problems/email-taken");
    let free = new_email();
    let half = json!({ "name": "Bea", "email": free, "username": username });
    assert_taken(&service().post("/users", half.clone()));
    let bea = service().create(json!({ "name": "Bea" }));
    assert_taken(&service().patch(&path(&bea), half));
    assert_eq!(service().get(&path(&bea)).json(), bea);
    // The email that went with it is free.
    let found = service().get(&format!("/users?email={free}"));
    assert_eq!(found.json(), json!([]));
    let cleo = service().post("/users", json!({ "name": "Cleo", "email": free }));
    assert_eq!(cleo.status, 201);
    // A change of both, and then of one of them.
    let (email, username) = (new_email(), format!("v{n}"));
    let changed = json!({ "email": email, "username": username });
    assert_eq!(service().patch(&path(&bea), changed).status, 200);
    let changed = service().patch(&path(&bea), json!({ "email": new_email() }));
    assert_eq!(changed.json()["username"], username);
    assert_eq!(find(&username), json!([changed.json()]));
    assert_taken(&create(&username));
}

#[test]
fn usernames_and_emails_are_apart() {
    let email = new_email();
    let ada = service().create(json!({ "name": "Ada", "email": email }));
    let bea = create(&email);
    assert_eq!(bea.status, 201, "{}", bea.body);
    assert_eq!(find(&email), json!([bea.json()]));
    let found = service().get(&format!("/users?email={email}"));
    assert_eq!(found.json(), json!([ada]));
}

#[test]
fn a_repeat_with_a_username_gets_the_first_answer_again() {
    let user = json!({ "name": "Ada", "username": unique() });
    let create = || {
        let request = service().request("POST", "/users").json(&user);
        crate::support::Send::answer(request.header("idempotency-key", new_email()))
    };
    let key = new_email();
    let once = || {
        let request = service().request("POST", "/users").json(&user);
        crate::support::Send::answer(request.header("idempotency-key", &key))
    };
    let first = once();
    assert_eq!(first.status, 201, "{}", first.body);
    let again = once();
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_taken(&create());
}

#[test]
fn a_username_is_asked_for_alone() {
    let username = unique();
    let ada = create(&username).json();
    let found = service().get(&format!(
        "/users?username={username}&fields=id,username,active"
    ));
    let part = json!({ "id": ada["id"], "username": username, "active": true });
    assert_eq!(found.json(), json!([part]));
    // A raw plus stands for itself: no username has a space.
    let phone = format!("+44{username}");
    let bea = create(&phone).json();
    let found = service().get(&format!("/users?username={phone}"));
    assert_eq!(found.json(), json!([bea]));
    for query in [
        "username=",
        "username=a%20b",
        &format!("username={}", "u".repeat(101)),
        "username=a&username=b",
        "username=a&email=a@b.example",
        "username=a&id=1",
        "username=a&name=a",
        "username=a&limit=1",
        "username=a&sort=id",
    ] {
        let refused = service().get(&format!("/users?{query}"));
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.problem()["type"], "/problems/invalid-query");
    }
}

#[test]
fn external_ids_are_kept_exactly_and_shared() {
    let id = format!("CN=Ada {},OU=É", unique());
    for name in ["Ada", "Bea"] {
        let user = service().create(json!({ "name": name, "external_id": id }));
        assert_eq!(user["external_id"], id);
        assert_eq!(service().get(&path(&user)).json(), user);
        let renamed = service().patch(&path(&user), json!({ "name": "Cleo" }));
        assert_eq!(renamed.json()["external_id"], id);
        let removed = service().patch(&path(&user), json!({ "external_id": null }));
        assert_eq!(removed.json().get("external_id"), None);
    }
}

#[test]
fn an_export_with_usernames_can_be_imported() {
    let (from, to) = (start_host(), start_host());
    let (from, to) = (Service::of(&from), Service::of(&to));
    for user in [
        json!({ "name": "Ada", "username": "ada", "external_id": "1", "active": false }),
        json!({ "name": "Bea", "username": "bea", "email": "bea@example.com" }),
        json!({ "name": "Cleo" }),
    ] {
        from.create(user);
    }
    let exported = from.get("/users/export").body;
    let users: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(users[0]["username"], "ada");
    assert_eq!(users[0]["active"], false);
    let lines: String = users[..3].iter().map(|user| format!("{user}\n")).collect();
    let import = |lines: String| {
        let request = to.request("POST", "/users/import");
        let request = request.header("content-type", "application/x-ndjson");
        crate::support::Send::answer(request.body(lines)).body
    };
    let answer = import(lines.clone());
    assert!(answer.contains("\"created\":3"), "{answer}");
    let made = to.get("/users?username=ADA").json();
    for member in ["name", "username", "external_id", "active"] {
        assert_eq!(made[0][member], users[0][member]);
    }
    let again = import(lines);
    assert!(again.contains("/problems/username-taken"), "{again}");
    assert!(again.contains("\"created\":1,\"refused\":2"), "{again}");
}
