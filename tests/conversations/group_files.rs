//! Groups with their members, line by line: in and out.

use serde_json::{Value, json};

use crate::support::{Answer, Send, Service, new_email, service};

const NDJSON: &str = "application/x-ndjson";

fn import(service: &Service, query: &str, lines: &[Value]) -> Answer {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let request = service.request("POST", &format!("/groups/import{query}"));
    request.header("content-type", NDJSON).body(body).answer()
}

/// The lines of an answer; the last one is apart.
fn lines(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some(NDJSON));
    let lines = answer.body.lines().map(serde_json::from_str);
    let mut lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let last = lines.pop().expect("a last line");
    assert!(last["end"].is_string(), "{last}");
    (lines, last)
}

/// The result of one line.
fn result(answer: &Answer) -> Value {
    let (mut results, last) = lines(answer);
    assert_eq!((results.len(), &last["end"]), (1, &json!("complete")));
    results.remove(0)
}

/// The names of the users in a group.
fn members(service: &Service, group: &Value) -> Vec<Value> {
    let answer = service.get(&format!("/groups/{group}/members?fields=name&limit=1000"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let users = answer.json();
    let users = users.as_array().expect("users").iter();
    users.map(|user| user["name"].clone()).collect()
}

fn find(service: &Service, name: &str) -> Value {
    let name = crate::support::encoded(name);
    service.get(&format!("/groups?name={name}")).json()
}

#[test]
fn a_line_makes_a_group_of_users_who_are_named_by_any_unique_member() {
    let (name, email) = (format!("Staff {}", new_email()), new_email());
    let username = new_email();
    let service = service();
    let ada = service.create(json!({ "name": "Ada" }));
    service.create(json!({ "name": "Bea", "email": email }));
    service.create(json!({ "name": "Cleo", "username": username }));
    service.create(json!({ "name": "Dan", "external_id": email }));
    let line = json!({
        "name": name, "description": "All.", "attributes": { "a": 1, "b": 2 },
        "members": [
            { "id": ada["id"] }, { "email": email.to_uppercase() }, { "username": username },
            { "external_id": email }, { "id": ada["id"] },
        ],
    });
    let made = result(&import(service, "", std::slice::from_ref(&line)));
    let group = &made["id"];
    let expected =
        json!({ "line": 1, "status": 201, "outcome": "created", "id": group, "added": 4 });
    assert_eq!(made, expected);
    assert_eq!(members(service, group), ["Ada", "Bea", "Cleo", "Dan"]);

    // A repeat changes nothing, not even the version.
    let tag = |answer: Answer| answer.header("etag").map(str::to_owned);
    let before = tag(service.get(&format!("/groups/{group}")));
    let (results, last) = lines(&import(service, "", &[line.clone(), line]));
    for result in &results {
        let told = ["status", "outcome", "id", "added"].map(|member| &result[member]);
        assert_eq!(told, [&json!(200), &json!("unchanged"), group, &json!(0)]);
    }
    let end = json!({
        "end": "complete", "created": 0, "updated": 0, "unchanged": 2, "refused": 0, "failed": 0,
    });
    assert_eq!(last, end);
    assert_eq!(tag(service.get(&format!("/groups/{group}"))), before);

    // A line with the name, however it is written, changes the group and adds to its users.
    let eve = service.create(json!({ "name": "Eve" }));
    let (results, _) = lines(&import(
        service,
        "",
        &[
            json!({ "name": name.to_uppercase(), "members": [{ "id": eve["id"] }] }),
            json!({ "name": name, "description": null, "attributes": { "b": null }, "members": null }),
        ],
    ));
    for (result, added) in results.iter().zip([1, 0]) {
        let told = ["status", "outcome", "id", "added"].map(|member| &result[member]);
        assert_eq!(told, [&json!(200), &json!("updated"), group, &json!(added)]);
    }
    let changed = service.get(&format!("/groups/{group}")).json();
    assert_eq!(changed["description"], Value::Null);
    assert_eq!(changed["attributes"], json!({ "a": 1 }));
    assert_eq!(members(service, group).len(), 5);
}

#[test]
fn a_line_with_a_member_who_is_not_there_is_refused_by_name_and_changes_nothing() {
    let (name, twice) = (format!("Staff {}", new_email()), new_email());
    let service = service();
    let ada = service.create(json!({ "name": "Ada" }));
    for _ in 0..2 {
        service.create(json!({ "name": "Twin", "external_id": twice }));
    }
    let wrong = json!({
        "name": name,
        "members": [
            { "id": ada["id"] }, { "email": new_email() }, { "external_id": twice },
            { "id": 17_179_869_183_u64 }, { "username": new_email() }, { "external_id": new_email() },
        ],
    });
    let right = json!({ "name": name, "members": [{ "id": ada["id"] }] });
    for query in ["?dry_run=true", ""] {
        let refused = result(&import(service, query, std::slice::from_ref(&wrong)));
        assert_eq!(refused["status"], 422, "{refused}");
        assert_eq!(refused["problem"]["type"], "/problems/invalid-group");
        let errors = refused["problem"]["errors"].as_array().expect("errors");
        let errors = errors.iter().map(|error| {
            let text = |member: &str| error[member].as_str().expect("text").to_owned();
            (text("pointer"), text("detail"))
        });
        let nobody = "names no user";
        let expected = [
            ("/members/1", nobody),
            ("/members/2", "names several users"),
            ("/members/3", nobody),
            ("/members/4", nobody),
            ("/members/5", nobody),
        ];
        let expected = expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()));
        assert_eq!(Vec::from_iter(errors), expected);
        assert_eq!(find(service, &name), json!([]));
    }
    // Other lines are not affected.
    let (results, last) = lines(&import(service, "?line=5", &[wrong, right]));
    let statuses: Vec<_> = results
        .iter()
        .map(|one| (&one["line"], &one["status"]))
        .collect();
    assert_eq!(
        statuses,
        [(&json!(5), &json!(422)), (&json!(6), &json!(201))]
    );
    assert_eq!((&last["created"], &last["refused"]), (&json!(1), &json!(1)));
}

#[test]
fn what_is_no_line_of_a_group_is_refused_by_the_member_and_the_rule() {
    let name = format!("Staff {}", new_email());
    for (line, status, pointer) in [
        (json!([]), 422, ""),
        (json!({ "members": [] }), 422, "/name"),
        (json!({ "name": 7 }), 422, "/name"),
        (json!({ "name": "a  b" }), 422, "/name"),
        (
            json!({ "name": name, "description": 7 }),
            422,
            "/description",
        ),
        (json!({ "name": name, "groups": [7] }), 422, "/groups"),
        (json!({ "name": name, "color": "red" }), 422, "/color"),
        (
            json!({ "name": name, "members": { "id": 7 } }),
            422,
            "/members",
        ),
        (
            json!({ "name": name, "members": vec![json!({ "id": 1 }); 1001] }),
            422,
            "/members",
        ),
        (json!({ "name": name, "members": [7] }), 422, "/members/0"),
        (
            json!({ "name": name, "members": ["ada"] }),
            422,
            "/members/0",
        ),
        (json!({ "name": name, "members": [{}] }), 422, "/members/0"),
        (
            json!({ "name": name, "members": [{ "group": 7 }] }),
            422,
            "/members/0",
        ),
        (
            json!({ "name": name, "members": [{ "id": 0 }] }),
            422,
            "/members/0",
        ),
        (
            json!({ "name": name, "members": [{ "id": "7" }] }),
            422,
            "/members/0",
        ),
        (
            json!({ "name": name, "members": [{ "email": "x" }] }),
            422,
            "/members/0",
        ),
        (
            json!({ "name": name, "members": [{ "email": null }] }),
            422,
            "/members/0",
        ),
        (
            json!({ "name": name, "members": [{ "id": 1, "email": "a@b.example" }] }),
            422,
            "/members/0",
        ),
    ] {
        let refused = result(&import(service(), "", std::slice::from_ref(&line)));
        assert_eq!(refused["status"], status, "{line} {refused}");
        assert_eq!(
            refused["problem"]["errors"][0]["pointer"], pointer,
            "{line}"
        );
    }
    let long = json!({ "name": name, "attributes": { "a": "x".repeat(70_000) } });
    let refused = result(&import(service(), "", &[long]));
    assert_eq!(refused["problem"]["type"], "/problems/body-too-large");
    let nested = import(
        service(),
        "",
        &[json!({ "name": name, "members": [{ "group": 7 }] })],
    );
    assert!(nested.body.contains("no groups in it"), "{}", nested.body);
    assert_eq!(find(service(), &name), json!([]));
    for query in ["?match=name", "?dry_run=yes", "?line=0"] {
        assert_eq!(import(service(), query, &[]).status, 400, "{query}");
    }
    let json = service().post("/groups/import", json!({ "name": name }));
    assert_eq!(json.status, 415);
}

#[test]
fn a_dry_run_tells_what_would_become_of_each_line_and_writes_nothing() {
    let (name, other) = (
        format!("Staff {}", new_email()),
        format!("New {}", new_email()),
    );
    let service = service();
    let users = [0; 2].map(|_| service.create(json!({ "name": "Ada" })));
    let member = |user: &Value| json!({ "id": user["id"] });
    let staff = json!({ "name": name, "members": [member(&users[0])] });
    let group = result(&import(service, "", std::slice::from_ref(&staff)))["id"].clone();
    let new = json!({ "name": other, "members": [member(&users[0])] });
    let more = json!({ "name": name, "members": [member(&users[0]), member(&users[1])] });
    let described = json!({ "name": name, "description": "x" });
    let (results, last) = lines(&import(
        service,
        "?dry_run=true",
        &[new, more, described, staff],
    ));
    let told = results.iter().map(|result| {
        let members = ["status", "outcome", "id", "added"];
        json!(members.map(|member| result[member].clone()))
    });
    let expected = [
        json!([201, "created", null, 1]),
        json!([200, "updated", group, 1]),
        json!([200, "updated", group, 0]),
        json!([200, "unchanged", group, 0]),
    ];
    assert_eq!(Vec::from_iter(told), expected);
    assert_eq!((&last["created"], &last["updated"]), (&json!(1), &json!(2)));
    assert_eq!(find(service, &other), json!([]));
    assert_eq!(members(service, &group), ["Ada"]);
    assert_eq!(find(service, &name)[0]["description"], Value::Null);
}

#[test]
fn what_is_no_export_of_groups_is_refused() {
    let head = service().request("HEAD", "/groups/export").answer();
    assert_eq!((head.status, &head.body[..]), (200, ""));
    for query in [
        "after=x",
        "after=07",
        "after=-1",
        "after=0-1",
        "after=8-",
        "limit=1",
        "fields=id",
    ] {
        let refused = service().get(&format!("/groups/export?{query}"));
        assert_eq!(refused.status, 400, "{query}");
    }
    let accepts = service().request("GET", "/groups/export");
    assert_eq!(
        accepts.header("accept", "application/json").answer().status,
        406
    );
}

mod not_by_url {
    use super::*;
    use crate::support::memory::{Memory, TestPlatform, respond, respond_by};
    use crate::support::start_host;
    use edge_users::rest::groups::Groups;
    use http::Request;

    #[test]
    fn an_export_can_be_imported_where_ids_differ() {
        let host = start_host();
        let service = Service::of(&host);
        for user in [
            json!({ "name": "Ada", "email": "ada@example.com", "username": "ada", "external_id": "1" }),
            json!({ "name": "Bea", "username": "bea@example.com", "external_id": "2" }),
            json!({ "name": "Cleo", "external_id": "3" }),
            json!({ "name": "Dan" }),
        ] {
            service.create(user);
        }
        let group = |name: &str, members: &[u64]| {
            let made = service.post(
                "/groups",
                json!({ "name": name, "attributes": { "n": name } }),
            );
            let members = json!({ "add": members });
            let path = format!("/groups/{}/members", made.json()["id"]);
            let added = service.post(&path, members);
            assert_eq!(added.status, 200, "{}", added.body);
            made.json()
        };
        let empty = service.post("/groups", json!({ "name": "Empty" })).json();
        let gone = group("Gone", &[1]);
        let all = group("All", &[1, 2, 3, 4]);
        assert_eq!(
            service.delete(&format!("/groups/{}", gone["id"])).status,
            204
        );
        let exported = service.get("/groups/export");
        let (groups, last) = lines(&exported);
        let with = |group: &Value, members: Value| {
            let mut group = group.clone();
            group["members"] = members;
            group
        };
        let named = json!([
            { "email": "ada@example.com" }, { "username": "bea@example.com" },
            { "external_id": "3" }, { "id": 4 },
        ]);
        assert_eq!(groups, [with(&empty, json!([])), with(&all, named)]);
        assert_eq!(last, json!({ "end": "complete", "groups": 2 }));
        let rest = service.get(&format!("/groups/export?after={}", empty["id"]));
        assert_eq!(lines(&rest).0, groups[1..]);

        let other_host = start_host();
        let other = Service::of(&other_host);
        other.create(json!({ "name": "First here" }));
        let users = service.get("/users/export").body;
        let request = other.request("POST", "/users/import");
        let copied = request.header("content-type", NDJSON).body(users).answer();
        assert!(copied.body.contains("\"created\":4"), "{}", copied.body);
        // Who is named by an id alone is somebody else there: a person has to look at such a line.
        let lines = exported.body.replace(",{\"id\":4}", ",{\"id\":5}");
        let request = other.request("POST", "/groups/import");
        let copied = request.header("content-type", NDJSON).body(lines).answer();
        // The last line of an export is no group.
        let end = "\"end\":\"complete\",\"created\":2,\"updated\":0,\"unchanged\":0,\"refused\":1";
        assert!(copied.body.contains(end), "{}", copied.body);
        let all = find(&other, "all");
        assert_eq!(all[0]["attributes"], json!({ "n": "All" }));
        assert_eq!(
            members(&other, &all[0]["id"]),
            ["Ada", "Bea", "Cleo", "Dan"]
        );
    }

    #[test]
    fn a_large_group_has_several_lines_each_of_which_an_import_takes_and_an_export_goes_on_behind()
    {
        let host = start_host();
        let service = Service::of(&host);
        let count = 1200;
        let users: String = (1..=count)
            .map(|number| format!("{{\"name\":\"U{number}\",\"username\":\"u{number}\"}}\n"))
            .collect();
        let request = service.request("POST", "/users/import");
        let request = request.header("content-type", NDJSON).body(users);
        assert!(request.answer().body.contains("\"created\":1200"));
        let member = |number: usize| json!({ "username": format!("u{number}") });
        let line = |name: &str, from: usize, to: usize| json!({ "name": name, "members": Vec::from_iter((from..=to).map(member)) });
        let made = import(
            &service,
            "",
            &[
                line("All", 1, 700),
                line("All", 600, count),
                line("Few", 1, 3),
            ],
        );
        let (results, _) = lines(&made);
        let added: Vec<_> = results.iter().map(|result| &result["added"]).collect();
        assert_eq!(added, [&json!(700), &json!(500), &json!(3)]);

        let before = host.store_operations();
        let (groups, last) = lines(&service.get("/groups/export"));
        let cost = (host.store_operations() - before).total();
        assert_eq!(last, json!({ "end": "complete", "groups": 2 }));
        assert_eq!(groups.len(), 4);
        let names = |groups: &[Value]| -> Vec<Value> {
            let members = groups.iter().flat_map(|group| group["members"].as_array());
            members
                .flatten()
                .map(|member| member["username"].clone())
                .collect()
        };
        let all: Vec<Value> = (1..=count)
            .map(|number| json!(format!("u{number}")))
            .collect();
        assert_eq!(names(&groups[..3]), all);
        assert_eq!(names(&groups[3..]), ["u1", "u2", "u3"]);
        // Each member is read about once, and a leaf of them once more for each line.
        assert!(cost < 1400, "{cost}");
        for (place, group) in groups.iter().enumerate() {
            assert_eq!(group["after"].is_string(), place < 2, "{group}");
            let after = group["after"].as_str();
            let after = after.map_or(group["id"].to_string(), str::to_owned);
            let rest = service.get(&format!("/groups/export?after={after}"));
            let (rest, last) = lines(&rest);
            assert_eq!(rest, groups[place + 1..], "{after}");
            // A group counts where it begins.
            let begun = u64::from(place < 3);
            assert_eq!(last["groups"], json!(begun), "{after}");
        }
        // A repeat of the file changes nothing.
        let (results, last) = lines(&import(&service, "", &groups));
        assert!(results.iter().all(|result| result["added"] == 0));
        assert_eq!(last["unchanged"], 4);
    }

    #[test]
    fn who_is_in_a_thousand_groups_is_not_added_and_the_others_are() {
        let (store, platform) = (Memory::default(), TestPlatform::default());
        let users = "{\"name\":\"Ada\"}\n{\"name\":\"Bea\"}\n";
        ask(&store, &platform, "/users/import", users);
        let groups: String = (1..=1000)
            .map(|number| format!("{{\"name\":\"G{number}\",\"members\":[{{\"id\":1}}]}}\n"))
            .collect();
        let made = ask(&store, &platform, "/groups/import", &groups);
        assert_eq!(made[1000]["created"], 1000);
        let one_more = "{\"name\":\"More\",\"members\":[{\"id\":1},{\"id\":2}]}\n";
        for path in ["/groups/import?dry_run=true", "/groups/import"] {
            let refused = &ask(&store, &platform, path, one_more)[0];
            assert_eq!(refused["status"], 409);
            assert_eq!(refused["problem"]["type"], "/problems/too-many-groups");
            let errors = &refused["problem"]["errors"];
            assert_eq!(
                errors,
                &json!([{ "pointer": "/members/0", "detail": "is in 1,000 groups" }])
            );
        }
        let again = "{\"name\":\"More\",\"members\":[{\"id\":2}]}\n";
        let again = &ask(&store, &platform, "/groups/import", again)[0];
        assert_eq!(
            (&again["outcome"], &again["id"]),
            (&json!("unchanged"), &json!(1001))
        );
    }

    #[test]
    fn each_line_and_each_new_member_counts_and_an_import_goes_on_within_a_line() {
        let (store, mut platform) = (Memory::default(), TestPlatform::default());
        let users = "{\"name\":\"Ada\"}\n".repeat(5);
        ask(&store, &platform, "/users/import", &users);
        platform.variables.insert("rate_limit", "4".to_owned());
        let lines = "{\"name\":\"All\",\"members\":[{\"id\":1},{\"id\":2},{\"id\":3},{\"id\":4}]}\n\
            {\"name\":\"One\",\"members\":[{\"id\":5}]}\n";
        let mut from = 1;
        let mut met = Vec::new();
        for minute in 1..=4 {
            platform.now.set(minute * 60_000);
            let rest: Vec<&str> = lines.lines().skip(from - 1).collect();
            let path = format!("/groups/import?line={from}");
            let mut answer = ask(&store, &platform, &path, &rest.join("\n"));
            let last = answer.pop().expect("a last line");
            met.extend(
                answer
                    .iter()
                    .map(|line| json!([line["line"], line["outcome"], line["added"]])),
            );
            if last["end"] == "complete" {
                // The request, the line and three new members are more than four: the first line is
                // sent twice, and tells of the rest.
                assert_eq!(minute, 2);
                assert_eq!(met, [json!([1, "updated", 1]), json!([2, "created", 1])]);
                return;
            }
            assert_eq!(last["end"], "rate-limit");
            let next = last["next"].as_str().expect("a path");
            let (_, line) = next.split_once("/groups/import?line=").expect("a line");
            from = line.parse().expect("a number");
        }
        panic!("it does not end: {met:?}");
    }

    #[test]
    fn each_group_and_each_new_member_has_a_line_in_the_audit_trail() {
        let (store, platform) = (Memory::default(), TestPlatform::default());
        ask(
            &store,
            &platform,
            "/users/import",
            &"{\"name\":\"Ada\"}\n".repeat(2),
        );
        platform.lines.take();
        let lines = "{\"name\":\"All\",\"members\":[{\"id\":1},{\"id\":2}]}\n\
            {\"name\":\"All\",\"members\":[{\"id\":2}]}\n{\"name\":\"All\",\"members\":[{\"id\":9}]}\nnonsense\n";
        ask(
            &store,
            &platform,
            "/groups/import?dry_run=true",
            &lines.replace("nonsense\n", ""),
        );
        let trail = platform.lines.take();
        assert_eq!(trail.len(), 2, "a dry run begins and ends: {trail:?}");
        ask(&store, &platform, "/groups/import", lines);
        let trail = platform.lines.take();
        let shown = trail.iter().map(|line| {
            assert!(!line.contains("All"), "{line}");
            let line: Value = serde_json::from_str(line).expect("JSON");
            let members = ["event", "action", "group", "user", "outcome"];
            json!(members.map(|member| line[member].clone()))
        });
        let expected = [
            json!(["begun", "import-groups", null, null, null]),
            json!(["ended", "import-line", 1, null, 201]),
            json!(["ended", "add-member", 1, 1, 204]),
            json!(["ended", "add-member", 1, 2, 204]),
            json!(["ended", "import-line", 1, null, 200]),
            json!(["ended", "import-line", null, null, 422]),
            json!(["ended", "import-line", null, null, 400]),
            json!(["ended", "import-groups", null, null, 200]),
        ];
        assert_eq!(Vec::from_iter(shown), expected);
    }

    /// The lines of the answer to an import.
    fn ask(store: &Memory, platform: &TestPlatform, path: &str, lines: &str) -> Vec<Value> {
        let request = Request::post(path).header("content-type", NDJSON);
        let request = request.body(lines.into()).expect("a request");
        let answer = match path.starts_with("/groups") {
            true => respond_by::<Groups, _>(store, platform, request),
            false => respond(store, platform, request),
        };
        assert_eq!(answer.status(), 200);
        let text = String::from_utf8(answer.into_body()).expect("text");
        let lines = text.lines().map(serde_json::from_str);
        lines.map(|line| line.expect("JSON")).collect()
    }
}
