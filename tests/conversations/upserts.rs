//! Imports that change the users who are there: `/users/import?match=…`.

use crate::support::{Answer, Send, Service, new_email, path, service, start_host};
use serde_json::{Value, json};

fn import(service: &Service, query: &str, lines: &[Value]) -> Answer {
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    let request = service.request("POST", &format!("/users/import?{query}"));
    let request = request.header("content-type", "application/x-ndjson");
    request.body(body.join("\n")).answer()
}

/// The results of the lines, and the last line.
fn results(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let lines = answer.body.lines().map(serde_json::from_str);
    let mut lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let last = lines.pop().expect("a last line");
    (lines, last)
}

/// A text that no other test uses, nor an earlier run.
fn unique() -> String {
    let email = new_email();
    email.split_once('@').expect("an address").0.to_owned()
}

#[test]
fn a_line_makes_changes_or_leaves_the_user_it_matches() {
    for member in ["email", "username", "external_id"] {
        let value = match member {
            "email" => new_email(),
            _ => unique(),
        };
        let line = |extra: Value| {
            let mut line = extra;
            line[member] = json!(value);
            line
        };
        let lines = [
            line(json!({ "name": "Ada", "attributes": { "team": "blue", "level": 1 } })),
            line(json!({ "name": "Ada", "attributes": { "team": "blue" } })),
            line(json!({ "id": 1, "etag": "x", "attributes": { "team": "green" } })),
            line(json!({ "name": "Ada L.", "attributes": { "level": null } })),
        ];
        let (told, last) = results(&import(service(), &format!("match={member}"), &lines));
        let outcomes: Vec<_> = told.iter().map(|line| &line["outcome"]).collect();
        assert_eq!(
            outcomes,
            ["created", "unchanged", "updated", "updated"],
            "{member}"
        );
        let statuses: Vec<_> = told.iter().map(|line| &line["status"]).collect();
        assert_eq!(statuses, [201, 200, 200, 200]);
        assert!(
            told.iter().all(|line| line["id"] == told[0]["id"]),
            "{told:?}"
        );
        let end = json!({
            "end": "complete", "created": 1, "updated": 2, "unchanged": 1, "refused": 0, "failed": 0
        });
        assert_eq!(last, end);
        let user = service().get(&path(&told[0])).json();
        assert_eq!(user["name"], "Ada L.");
        assert_eq!(user["attributes"], json!({ "team": "green" }));
        assert_eq!(user[member], value);
    }
}

#[test]
fn a_user_is_matched_however_its_email_and_username_are_written() {
    let (email, username) = (new_email(), unique());
    let user = service().create(json!({ "name": "Ada", "email": email, "username": username }));
    let lines = [json!({ "email": email.to_uppercase(), "name": "Ada" })];
    let (told, _) = results(&import(service(), "match=email", &lines));
    assert_eq!(
        (&told[0]["id"], &told[0]["outcome"]),
        (&user["id"], &json!("updated"))
    );
    let user = service().get(&path(&user)).json();
    assert_eq!(user["email"], email.to_uppercase());
    // Null removes a member, but for the one that is matched.
    let lines = [json!({ "username": username.to_uppercase(), "email": null })];
    let (told, _) = results(&import(service(), "match=username", &lines));
    assert_eq!(told[0]["id"], user["id"]);
    assert_eq!(service().get(&path(&user)).json().get("email"), None);
}

#[test]
fn a_line_that_cannot_be_used_is_refused_and_says_whom_it_would_have_changed() {
    let (mine, other) = (new_email(), unique());
    let user = service().create(json!({ "name": "Ada", "email": mine }));
    service().create(json!({ "name": "Eve", "username": other }));
    let lines = [
        json!({ "name": "Ada" }),
        json!({ "name": "Ada", "email": null }),
        json!({ "name": "Ada", "email": 7 }),
        json!({ "name": "Ada", "email": "nobody" }),
        json!([]),
        json!({ "email": mine, "name": "" }),
        json!({ "email": mine, "username": other }),
        json!({ "email": new_email() }),
        json!({ "email": new_email(), "name": "Bob", "username": other }),
    ];
    let (told, last) = results(&import(service(), "match=email", &lines));
    let statuses: Vec<_> = told.iter().map(|line| &line["status"]).collect();
    assert_eq!(statuses, [422, 422, 422, 422, 422, 422, 409, 422, 409]);
    let pointers: Vec<_> = told
        .iter()
        .map(|line| line["problem"]["errors"][0]["pointer"].as_str())
        .collect();
    let email = Some("/email");
    assert_eq!(pointers[..4], [email; 4]);
    assert_eq!((pointers[5], pointers[7]), (Some("/name"), Some("/name")));
    let ids: Vec<_> = told.iter().map(|line| line.get("id")).collect();
    let id = user.get("id");
    assert_eq!(ids, [None, None, None, None, None, id, id, None, None]);
    assert_eq!((&last["refused"], &last["created"]), (&json!(9), &json!(0)));
    assert_eq!(service().get(&path(&user)).json(), user);
}

#[test]
fn an_external_id_of_several_users_is_refused() {
    let id = unique();
    for _ in 0..2 {
        service().create(json!({ "name": "Ada", "external_id": id }));
    }
    let lines = [json!({ "external_id": id, "name": "Eve" })];
    let (told, _) = results(&import(service(), "match=external_id", &lines));
    assert_eq!(told[0]["problem"]["type"], "/problems/several-matches");
    assert_eq!(told[0].get("id"), None);
}

#[test]
fn a_dry_run_says_what_would_become_of_each_line_and_changes_nothing() {
    let (mine, username) = (new_email(), unique());
    let ada = json!({ "name": "Ada", "email": mine, "username": username });
    let user = service().create(ada.clone());
    let fresh = new_email();
    let lines = [
        ada,
        json!({ "email": mine, "name": "Eve" }),
        json!({ "email": fresh, "name": "Bob" }),
        json!({ "email": fresh, "name": "Bob", "username": username }),
        json!({ "email": mine, "name": "" }),
    ];
    let (told, last) = results(&import(service(), "match=email&dry_run=true", &lines));
    let outcomes: Vec<_> = told.iter().map(|line| line["outcome"].as_str()).collect();
    let [unchanged, updated, created] = ["unchanged", "updated", "created"].map(Some);
    assert_eq!(outcomes, [unchanged, updated, created, None, None]);
    assert_eq!(
        (&told[3]["status"], &told[4]["status"]),
        (&json!(409), &json!(422))
    );
    assert_eq!(told[2].get("id"), None);
    assert_eq!(last["updated"], 1);
    assert_eq!(service().get(&path(&user)).json(), user);
    let found = service().get(&format!("/users?email={fresh}"));
    assert_eq!(found.json(), json!([]));
}

#[test]
fn a_dry_run_without_a_match_says_which_users_could_be_made() {
    let (mine, username, fresh) = (new_email(), unique(), new_email());
    service().create(json!({ "name": "Ada", "email": mine, "username": username }));
    let lines = [
        json!({ "name": "Bob", "email": fresh }),
        json!({ "name": "Eve", "email": mine }),
        json!({ "name": "Eve", "username": username }),
        json!({ "name": "" }),
    ];
    let (told, last) = results(&import(service(), "dry_run=true", &lines));
    let statuses: Vec<_> = told.iter().map(|line| line["status"].as_u64()).collect();
    assert_eq!(statuses, [201, 409, 409, 422].map(Some));
    assert_eq!(told[0], json!({ "line": 1, "status": 201 }));
    assert_eq!(told[1]["problem"]["type"], "/problems/email-taken");
    assert_eq!(told[2]["problem"]["type"], "/problems/username-taken");
    assert_eq!((&last["created"], &last["refused"]), (&json!(1), &json!(3)));
    let found = service().get(&format!("/users?email={fresh}"));
    assert_eq!(found.json(), json!([]));
}

#[test]
fn other_queries_are_refused() {
    for query in [
        "match=name",
        "match=",
        "dry_run=yes",
        "match=email&dry_run=1",
    ] {
        let answer = import(service(), query, &[]);
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.problem()["type"], "/problems/invalid-query");
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn a_line_takes_the_operations_that_the_documentation_says() {
        let host = start_host();
        let service = Service::of(&host);
        let cost = |line: Value, outcome: &str| {
            let before = host.store_operations();
            let matched = match line.get("email") {
                Some(_) => "match=email",
                None => "match=external_id",
            };
            let (told, _) = results(&import(&service, matched, &[line]));
            assert_eq!(told[0]["outcome"], outcome);
            (host.store_operations() - before).total()
        };
        let ada = json!({ "name": "Ada", "email": "ada@example.com" });
        assert_eq!(cost(ada.clone(), "created"), 8);
        assert_eq!(cost(ada.clone(), "unchanged"), 2);
        let team = json!({ "email": "ada@example.com", "attributes": { "team": "blue" } });
        assert_eq!(cost(team, "updated"), 4);
        let bea = json!({ "name": "Bea", "external_id": "1" });
        assert_eq!(cost(bea.clone(), "created"), 16);
        assert_eq!(cost(bea, "unchanged"), 3);
        let team = json!({ "external_id": "1", "attributes": { "team": "blue" } });
        assert_eq!(cost(team, "updated"), 5);
    }

    /// Imports with the same lines at the same time make each user once.
    #[test]
    fn imports_that_meet_make_each_user_once() {
        let host = start_host();
        let service = Service::of(&host);
        for member in ["email", "external_id"] {
            let line = |n: usize| json!({ "name": "Ada", member: format!("u{n}@example.com") });
            let lines: Vec<Value> = (0..60).map(line).collect();
            let query = format!("match={member}");
            let made: u64 = std::thread::scope(|scope| {
                let imports: Vec<_> = (0..4)
                    .map(|_| scope.spawn(|| results(&import(&service, &query, &lines)).1))
                    .collect();
                let ends = imports
                    .into_iter()
                    .map(|import| import.join().expect("an end"));
                ends.map(|end| {
                    assert_eq!(end["refused"], 0);
                    // While another import makes the user, a line may have to be sent again.
                    assert!(end["failed"] == 0 || member == "external_id");
                    end["created"].as_u64().expect("a number")
                })
                .sum()
            });
            assert_eq!(made, 60, "{member}");
        }
        let list = service.get("/users?limit=1000");
        assert_eq!(list.json().as_array().expect("a list").len(), 120);
    }

    /// Who was deleted, or has another external id by now, does not keep a line from making a user.
    #[test]
    fn an_external_id_that_was_given_up_is_matched_by_nobody() {
        let host = start_host();
        let service = Service::of(&host);
        let lines = [json!({ "name": "Ada", "external_id": "1" })];
        let mut ids = Vec::new();
        for _ in 0..3 {
            let (told, _) = results(&import(&service, "match=external_id", &lines));
            assert_eq!(told[0]["outcome"], "created");
            let id = told[0]["id"].clone();
            let path = format!("/users/{id}");
            match ids.len() {
                0 => assert_eq!(service.delete(&path).status, 204),
                _ => {
                    let patch = json!({ "external_id": format!("former {id}") });
                    assert_eq!(service.patch(&path, patch).status, 200);
                }
            }
            assert!(!ids.contains(&id));
            ids.push(id);
        }
    }

    #[test]
    fn preconditions_that_are_required_do_not_keep_an_import_from_matching() {
        let host = crate::support::start_host_with(edge_host::UpOptions {
            state_dir: Some(crate::support::new_state_dir()),
            variables: vec![crate::support::variable("require_preconditions", "on")],
            ..edge_host::UpOptions::default()
        });
        let service = Service::of(&host);
        for (name, outcome) in [("Ada", "created"), ("Ada L.", "updated")] {
            let line = json!({ "name": name, "username": "ada" });
            let (told, _) = results(&import(&service, "match=username", &[line]));
            assert_eq!(told[0]["outcome"], outcome);
        }
    }
}
