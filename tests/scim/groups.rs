//! Groups as resources, and who is in them.

use serde_json::{Value, json};

use crate::support::{Send, Service, encoded, new_word, service, start_host};
use crate::{
    GROUP, PATCH, ask, at, delete, expect, filtered, get, ids, listed, members, new_group,
    new_user, patch, post, put, refused,
};

#[test]
fn a_group_is_made_read_changed_and_deleted() {
    let (ada, bea) = (new_user(json!({})), new_user(json!({})));
    let name = format!("Group {}", new_word());
    let body = json!({
        "schemas": [GROUP],
        "displayName": name,
        "externalId": "g-1",
        "members": [{ "value": ada["id"], "type": "User" }, { "value": bea["id"] }],
    });
    let created = post("/Groups", body);
    let location = created.header("location").map(str::to_owned);
    let group = expect(created, 201);
    assert_eq!(group["meta"]["location"], location.expect("a location"));
    assert_eq!(
        (&group["displayName"], &group["externalId"]),
        (&json!(name), &json!("g-1"))
    );
    let member = &group["members"][0];
    assert_eq!(
        (&member["value"], &member["type"]),
        (&ada["id"], &json!("User"))
    );
    assert_eq!(
        member["$ref"],
        format!("/scim/v2/Users/{}", ada["id"].as_str().expect("an id"))
    );
    // The other side tells the same, where it is asked for.
    let path = format!("{}?attributes=groups", at("Users", &ada));
    assert_eq!(expect(get(&path), 200)["groups"][0]["value"], group["id"]);

    let other = format!("Group {}", new_word());
    let replaced =
        json!({ "schemas": [GROUP], "displayName": other, "members": [{ "value": bea["id"] }] });
    let replaced = expect(put(&at("Groups", &group), replaced), 200);
    assert_eq!(
        (&replaced["displayName"], replaced.get("externalId")),
        (&json!(other), None)
    );
    assert_eq!(members(&group), ids(std::slice::from_ref(&bea)));
    // A replacement that says nothing of members leaves them.
    expect(
        put(&at("Groups", &group), json!({ "displayName": name })),
        200,
    );
    assert_eq!(members(&group), ids(&[bea]));
    expect(
        put(
            &at("Groups", &group),
            json!({ "displayName": name, "members": [] }),
        ),
        200,
    );
    assert!(members(&group).is_empty());
    expect(delete(&at("Groups", &group)), 204);
    expect(get(&at("Groups", &group)), 404);
    expect(delete("/Groups/x"), 404);
}

#[test]
fn what_is_no_group_is_refused_and_makes_none() {
    let name = format!("Group {}", new_word());
    for members in [
        json!([{ "value": "0" }]),
        json!([{ "value": "x" }]),
        json!([{ "value": "17179869183" }]),
        json!([{ "value": "1", "type": "Group" }]),
        json!([7]),
    ] {
        let body = json!({ "displayName": name, "members": members });
        refused(post("/Groups", body), 400, "invalidValue");
    }
    let filter = format!("displayName eq \"{name}\"");
    assert!(listed(get(&filtered("Groups", &filter))).is_empty());
    for name in [json!(null), json!("a  b"), json!("a".repeat(101)), json!(7)] {
        refused(
            post("/Groups", json!({ "displayName": name })),
            400,
            "invalidValue",
        );
    }
}

#[test]
fn groups_are_found_by_name_by_id_and_by_members() {
    let (ada, bea) = (new_user(json!({})), new_user(json!({})));
    let (both, one) = (new_group(&[&ada, &bea]), new_group(&[&ada]));
    let id = |one: &Value| one["id"].as_str().expect("an id").to_owned();
    let found = |filter: &str| {
        let path = filtered("Groups", filter) + "&excludedAttributes=members";
        ids(&listed(get(&path)))
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let name = both["displayName"].as_str().expect("a name").to_uppercase();
    assert_eq!(found(&format!("displayName eq \"{name}\"")), [id(&both)]);
    assert_eq!(
        found(&format!("members eq \"{}\"", id(&ada))),
        [id(&both), id(&one)]
    );
    assert_eq!(
        found(&format!("members.value eq \"{}\"", id(&bea))),
        [id(&both)]
    );
    let value = format!("members[value eq \"{}\" and type eq \"User\"]", id(&bea));
    assert_eq!(found(&value), [id(&both)]);
    // Entra ID asks so whether a user is a member.
    let is_in = |group: &Value, user: &Value| {
        let filter = format!("id eq \"{}\" and members eq \"{}\"", id(group), id(user));
        !found(&filter).is_empty()
    };
    assert_eq!((is_in(&both, &bea), is_in(&one, &bea)), (true, false));
    let two = format!(
        "members eq \"{}\" and members eq \"{}\"",
        id(&ada),
        id(&bea)
    );
    assert_eq!(found(&two), [id(&both)]);
    assert!(found("members eq \"0\"").is_empty());
    for filter in [
        "members pr",
        "not (members eq \"1\")",
        "members eq \"1\" or id eq \"1\"",
        "members.value co \"1\"",
    ] {
        refused(get(&filtered("Groups", filter)), 400, "invalidFilter");
    }
}

#[test]
fn a_version_of_a_group_is_one_of_its_attributes() {
    let user = new_user(json!({}));
    let group = new_group(&[]);
    let tag = group["meta"]["version"].as_str().expect("a version");
    let ask = |query: &str| {
        let request = service().request("GET", &format!("/scim/v2{}{query}", at("Groups", &group)));
        request.header("if-none-match", tag).answer_of_call().status
    };
    assert_eq!((ask(""), ask("?excludedAttributes=members")), (200, 304));
    let operations =
        json!([{ "op": "add", "path": "members", "value": [{ "value": user["id"] }] }]);
    let body = json!({ "schemas": [PATCH], "Operations": operations });
    let change = |tag: &str| {
        let request = service().request("PATCH", &format!("/scim/v2{}", at("Groups", &group)));
        request
            .header("if-match", tag)
            .json(&body)
            .answer_of_call()
            .status
    };
    assert_eq!((change("\"0\""), change(tag)), (412, 204));
    assert_eq!(members(&group), ids(&[user]));
}

mod not_by_url {
    use super::*;

    /// How many members one patch adds, and how many patches there are.
    const PIECE: usize = 100;
    const PIECES: usize = 100;

    #[test]
    fn a_large_group_is_changed_in_pieces_without_reading_its_members() {
        let host = start_host();
        let service = Service::of(&host);
        let import = (0..PIECES * PIECE).map(|_| "{\"name\":\"One of many\"}\n");
        let request = service
            .request("POST", "/users/import")
            .body(import.collect::<String>());
        let request = request.header("content-type", "application/x-ndjson");
        assert_eq!(request.answer_of_call().status, 200);
        let created = ask(
            &service,
            "POST",
            "/Groups",
            Some(json!({ "displayName": "All" })),
        );
        let group = expect(created, 201);
        let mut costs = Vec::new();
        for piece in 0..PIECES {
            let users = (1..=PIECE).map(|n| json!({ "value": (piece * PIECE + n).to_string() }));
            let add =
                json!([{ "op": "add", "path": "members", "value": users.collect::<Vec<_>>() }]);
            let body = json!({ "schemas": [PATCH], "Operations": add });
            let before = host.store_operations();
            expect(
                ask(&service, "PATCH", &at("Groups", &group), Some(body)),
                204,
            );
            costs.push((host.store_operations() - before).total());
        }
        // The last piece costs no more than the second.
        assert!(costs[PIECES - 1] <= costs[1] + costs[1] / 4, "{costs:?}");

        let cost = |path: &str| {
            let before = host.store_operations();
            let answer = expect(ask(&service, "GET", path, None), 200);
            ((host.store_operations() - before).total(), answer)
        };
        let path = at("Groups", &group);
        let (without, group) = cost(&format!("{path}?excludedAttributes=members"));
        assert_eq!((without, group.get("members")), (1, None));
        let (with, group) = cost(&path);
        let members = group["members"].as_array().expect("members");
        assert_eq!(members.len(), PIECES * PIECE);
        assert!(with >= (PIECES * PIECE) as u64, "{with}");
        let body = json!({ "displayName": "One", "members": [{ "value": "1" }] });
        let one = expect(ask(&service, "POST", "/Groups", Some(body)), 201);

        // A list ends where it would have more members than a request reads.
        for query in ["sortBy=id", "sortBy=externalId"] {
            let (_, first) = cost(&format!("/Groups?{query}&cursor="));
            assert_eq!(ids(first["Resources"].as_array().expect("a list")), ["1"]);
            let next = first["nextCursor"].as_str().expect("a cursor");
            let (_, second) = cost(&format!("/Groups?{query}&cursor={next}"));
            assert_eq!(second["Resources"], json!([one]), "{query}");
            assert_eq!(second.get("nextCursor"), None);
        }
        let (_, second) = cost("/Groups?startIndex=2");
        assert_eq!(second["Resources"], json!([one]));
        let (_, both) = cost("/Groups?excludedAttributes=members");
        assert_eq!(both["itemsPerPage"], 2);

        for all in members.chunks(10 * PIECE) {
            let all = all.iter().map(|member| json!({ "value": member["value"] }));
            let remove =
                json!([{ "op": "remove", "path": "members", "value": all.collect::<Vec<_>>() }]);
            let body = json!({ "schemas": [PATCH], "Operations": remove });
            expect(ask(&service, "PATCH", &path, Some(body)), 204);
        }
        assert_eq!(cost(&path).1.get("members"), None);
    }

    #[test]
    fn of_more_groups_than_a_request_reads_those_are_found_whose_names_begin_so() {
        let host = start_host();
        let service = Service::of(&host);
        let import = (0..1100).map(|n| format!("{{\"name\":\"Team {n:04}\"}}\n"));
        let import =
            import.chain(["{\"name\":\"Zebra\"}\n", "{\"name\":\"Alpha\"}\n"].map(str::to_owned));
        let request = service
            .request("POST", "/groups/import")
            .body(import.collect::<String>());
        let request = request.header("content-type", "application/x-ndjson");
        assert_eq!(request.answer_of_call().status, 200);
        let get = |query: &str| {
            let path = format!("/Groups?excludedAttributes=members&{query}");
            // The first requests make the index, each a part of it.
            let answer = || ask(&service, "GET", &path, None);
            let mut answers = std::iter::repeat_with(answer).take(100);
            let answer = answers.find(|answer| answer.status != 503);
            answer.expect("an index that is made")
        };
        let names = |list: &Value| -> Vec<String> {
            let groups = list["Resources"].as_array().expect("a list");
            let names = groups.iter().map(|group| group["displayName"].as_str());
            names.map(|name| name.expect("a name").to_owned()).collect()
        };
        let filter = |filter: &str| format!("filter={}", encoded(filter));

        // Each way in the order of names, in pages that a cursor leads through.
        for (query, expected) in [
            (
                "sortBy=displayName",
                ["Alpha", "Team 0000", "Team 0001", "Team 0002"],
            ),
            (
                "sortBy=displayName&sortOrder=descending",
                ["Zebra", "Team 1099", "Team 1098", "Team 1097"],
            ),
            (
                &filter("displayName sw \"team 000\""),
                ["Team 0000", "Team 0001", "Team 0002", "Team 0003"],
            ),
        ] {
            let first = expect(get(&format!("{query}&count=2&cursor=")), 200);
            assert_eq!(names(&first), expected[..2], "{query}");
            assert_eq!(first["totalResults"], 3);
            let next = first["nextCursor"].as_str().expect("a cursor");
            let second = expect(get(&format!("{query}&count=2&cursor={next}")), 200);
            assert_eq!(names(&second), expected[2..], "{query}");
            let numbered = expect(get(&format!("{query}&count=2&startIndex=3")), 200);
            assert_eq!(names(&numbered), expected[2..], "{query}");
            // It goes on in the list that it comes from.
            let other = filter("displayName sw \"other\"");
            refused(get(&format!("{other}&cursor={next}")), 400, "invalidCursor");
        }
        let (before, query) = (
            host.store_operations(),
            filter("displayName sw \"ZEB\" and externalId pr"),
        );
        assert_eq!(expect(get(&query), 200)["totalResults"], 0);
        let cost = (host.store_operations() - before).total();
        assert!(cost <= 40, "{cost}");
        let query = filter("displayName sw \"team 00\" and displayName co \"7\"");
        let found = expect(
            get(&format!("{query}&sortBy=displayName&sortOrder=descending")),
            200,
        );
        assert_eq!(found["totalResults"], 19);
        assert_eq!(names(&found)[..2], ["Team 0097", "Team 0087"]);
        refused(get(&filter("displayName co \"team 0\"")), 400, "tooMany");

        // A page that has read its share and met none leads on, if it is asked for with a cursor.
        let query = filter("displayName sw \"team\" and externalId pr");
        refused(get(&query), 400, "tooMany");
        let first = expect(get(&format!("{query}&cursor=")), 200);
        assert!(names(&first).is_empty());
        let next = first["nextCursor"].as_str().expect("a cursor");
        let last = expect(get(&format!("{query}&cursor={next}")), 200);
        assert_eq!((names(&last).len(), last.get("nextCursor")), (0, None));
    }

    #[test]
    fn more_than_a_request_may_change_is_refused_before_anything_is_changed() {
        let host = start_host();
        let service = Service::of(&host);
        let users = (1..=1001).map(|n| json!({ "value": n.to_string() }));
        let body = json!({ "displayName": "All", "members": users.collect::<Vec<_>>() });
        refused(ask(&service, "POST", "/Groups", Some(body)), 400, "tooMany");
        let list = expect(ask(&service, "GET", "/Groups", None), 200);
        assert_eq!(list["totalResults"], 0);
    }

    #[test]
    fn a_patch_that_adds_nobody_known_changes_nothing() {
        let group = new_group(&[]);
        let operations = json!([
            { "op": "replace", "path": "displayName", "value": "Other" },
            { "op": "add", "path": "members", "value": [{ "value": "17179869183" }] },
        ]);
        refused(
            patch(&at("Groups", &group), operations),
            400,
            "invalidValue",
        );
        assert_eq!(expect(get(&at("Groups", &group)), 200), group);
    }
}
