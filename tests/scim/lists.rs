//! Lists: filters, order and pages, and what they cost.

use serde_json::{Value, json};

use crate::support::{Send as _, Service, encoded, new_word, start_host};
use crate::{
    ask, at, delete, expect, filtered, get, ids, listed, new_group, new_user, post, refused,
};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

#[test]
fn users_are_found_by_what_they_have_alone_and_in_an_and() {
    let word = new_word();
    let email = format!("{word}@example.org");
    let user = new_user(json!({
        "displayName": format!("Ada {word}"),
        "externalId": word,
        "title": "Dr",
        "emails": [
            { "value": email, "type": "work", "primary": true },
            { "value": format!("home.{email}"), "type": "home" },
        ],
    }));
    let found = |filter: &str| !listed(get(&filtered("Users", filter))).is_empty();
    for filter in [
        format!("id eq {}", user["id"]),
        format!("userName eq {}", user["userName"]),
        format!("emails.value eq \"{email}\""),
        format!("emails eq \"{email}\""),
        format!("emails[type eq \"work\" and value eq \"{email}\"]"),
        // Entra ID, where the email is what users are matched by.
        format!("emails[type eq \"work\"].value eq \"{email}\""),
        format!("meta.lastModified ge {}", user["meta"]["lastModified"]),
        format!("externalId eq \"{word}\""),
        format!("displayName eq \"ada {word}\""),
        format!("displayName sw \"ADA {word}\""),
    ] {
        assert!(found(&filter), "{filter}");
        assert!(
            found(&format!("{filter} and title eq \"dr\" and active eq true")),
            "{filter}"
        );
        assert!(
            found(&format!(
                "(title co \"R\" or title eq \"x\") and ({filter})"
            )),
            "{filter}"
        );
        assert!(
            found(&format!("not (title eq \"x\") and {filter}")),
            "{filter}"
        );
        assert!(
            !found(&format!("{filter} and title eq \"Prof\"")),
            "{filter}"
        );
    }
    // Only the primary email is found: others are not unique.
    assert!(!found(&format!("emails.value eq \"home.{email}\"")));
    assert!(!found(&format!(
        "externalId eq \"{}\"",
        word.to_uppercase()
    )));
    assert!(!found(&format!(
        "emails[type eq \"home\"].value eq \"{email}\""
    )));
    assert!(found(&format!(
        "userName eq {} and meta.created gt \"2020-01-01T00:00:00Z\"",
        user["userName"]
    )));
}

#[test]
fn a_search_may_be_in_a_body() {
    let user = new_user(json!({ "title": "Dr" }));
    let group = new_group(&[&user]);
    let search = |path: &str, filter: String, more: Value| {
        let mut body = json!({ "schemas": [SEARCH], "filter": filter });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        post(path, body)
    };
    let filter = format!("userName eq {}", user["userName"]);
    let found = listed(search(
        "/Users/.search",
        filter.clone(),
        json!({ "attributes": ["title"], "count": 1 }),
    ));
    assert_eq!(
        (&found[0]["title"], found[0].get("userName")),
        (&json!("Dr"), None)
    );
    let name = format!("displayName eq {}", group["displayName"]);
    assert_eq!(
        ids(&listed(search("/Groups/.search", name.clone(), json!({})))),
        ids(std::slice::from_ref(&group))
    );
    let either = listed(search("/.search", filter, json!({})));
    assert_eq!(either[0]["meta"]["resourceType"], "User");
    let either = listed(search(
        "/.search",
        name,
        json!({ "excludedAttributes": ["members"] }),
    ));
    assert_eq!(ids(&either), ids(&[group]));
    refused(
        post("/Users/.search", json!({ "filter": "id pr" })),
        400,
        "invalidSyntax",
    );
    let wrong = search("/.search", "unknown eq 1".to_owned(), json!({}));
    refused(wrong, 400, "invalidFilter");
}

#[test]
fn a_filter_that_can_not_be_read_is_told_where() {
    for (filter, part) in [
        ("userName", "character 9"),
        ("userName eq", "character 12"),
        ("userName eq ada", "string in double quotes"),
        ("userName is \"a\"", "operator"),
        ("(userName pr", "missing"),
        ("unknown pr", "no attribute"),
        // Not a part of what is read of a user: nobody would seem to be in the group.
        ("groups.value eq \"1\"", "members"),
        ("not (groups pr)", "members"),
    ] {
        let detail = refused(get(&filtered("Users", filter)), 400, "invalidFilter");
        assert!(detail.contains(part), "{filter}: {detail}");
    }
}

#[test]
fn who_is_deleted_is_in_no_list() {
    let user = new_user(json!({ "externalId": new_word() }));
    let filter = format!("externalId eq {}", user["externalId"]);
    assert_eq!(listed(get(&filtered("Users", &filter))).len(), 1);
    expect(delete(&at("Users", &user)), 204);
    assert!(listed(get(&filtered("Users", &filter))).is_empty());
}

mod not_by_url {
    use super::*;

    fn page(service: &Service, query: &str) -> Value {
        expect(ask(service, "GET", &format!("/Users?{query}"), None), 200)
    }

    fn names(page: &Value) -> Vec<&str> {
        let users = page["Resources"].as_array().expect("a list").iter();
        users
            .map(|user| user["userName"].as_str().expect("a name"))
            .collect()
    }

    #[test]
    fn users_are_listed_in_pages_of_both_kinds_and_in_order() {
        let host = start_host();
        let service = Service::of(&host);
        for name in ["e", "b", "d", "a", "c", "f"] {
            let body = json!({ "userName": name, "displayName": name, "nickName": name });
            expect(ask(&service, "POST", "/Users", Some(body)), 201);
        }
        expect(ask(&service, "DELETE", "/Users/3", None), 204);
        let first = page(&service, "count=2");
        assert_eq!(
            (names(&first), &first["totalResults"]),
            (vec!["e", "b"], &json!(5))
        );
        assert_eq!(
            (&first["startIndex"], first.get("nextCursor")),
            (&json!(1), None)
        );
        assert_eq!(names(&page(&service, "startIndex=3&count=2")), ["a", "c"]);
        assert_eq!(names(&page(&service, "startIndex=5&count=2")), ["f"]);
        assert!(names(&page(&service, "startIndex=6")).is_empty());
        for (query, expected) in [
            ("sortBy=displayName", ["a", "b", "c", "e", "f"]),
            (
                "sortBy=displayName&sortOrder=descending",
                ["f", "e", "c", "b", "a"],
            ),
            ("sortBy=nickName", ["a", "b", "c", "e", "f"]),
            ("sortBy=id&sortOrder=descending", ["f", "c", "a", "b", "e"]),
            (
                "filter=active+eq+true&sortBy=userName",
                ["a", "b", "c", "e", "f"],
            ),
            ("sortBy=meta.lastModified", ["e", "b", "a", "c", "f"]),
            // The latest of those before a time come first.
            (
                "filter=meta.lastModified+lt+%229999-01-01T00:00:00Z%22",
                ["f", "c", "a", "b", "e"],
            ),
            (
                "filter=meta.lastModified+gt+%222026-01-01T00:00:00Z%22\
                    &sortBy=meta.lastModified&sortOrder=descending",
                ["f", "c", "a", "b", "e"],
            ),
        ] {
            assert_eq!(names(&page(&service, query)), expected, "{query}");
        }
        assert_eq!(
            names(&page(&service, "sortBy=nickName&startIndex=2&count=2")),
            ["b", "c"]
        );

        for order in [
            "",
            "&sortBy=displayName",
            "&sortBy=nickName",
            "&filter=active+eq+true",
            "&sortBy=meta.lastModified",
            "&filter=meta.lastModified+gt+%222026-01-01T00:00:00Z%22",
            "&filter=meta.lastModified+lt+%229999-01-01T00:00:00Z%22",
            "&filter=meta.lastModified+le+%229999-01-01T00:00:00Z%22&sortBy=meta.lastModified",
        ] {
            let mut cursor = String::new();
            let mut met = Vec::new();
            loop {
                let page = page(&service, &format!("count=2{order}&cursor={cursor}"));
                met.extend(names(&page).into_iter().map(str::to_owned));
                match page["nextCursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            met.sort();
            assert_eq!(met, ["a", "b", "c", "e", "f"], "{order}");
        }
        let wrong = ask(&service, "GET", "/Users?cursor=x", None);
        refused(wrong, 400, "invalidCursor");
    }

    #[test]
    fn indexes_answer_and_other_filters_end_after_a_thousand_users() {
        let host = start_host();
        let service = Service::of(&host);
        let users = (0..1200).map(|n| format!("{{\"name\":\"User {n}\",\"username\":\"u{n}\"}}\n"));
        let request = service
            .request("POST", "/users/import")
            .body(users.collect::<String>());
        let request = request.header("content-type", "application/x-ndjson");
        assert_eq!(request.answer_of_call().status, 200);
        let body = json!({ "userName": "last", "externalId": "x", "emails": [{ "value": "a@b.example" }] });
        expect(ask(&service, "POST", "/Users", Some(body)), 201);
        // The first search by names makes the index.
        expect(
            ask(
                &service,
                "GET",
                &filtered("Users", "displayName eq \"User 7\""),
                None,
            ),
            200,
        );
        // So does the first list in the order of changes.
        let last = page(
            &service,
            "sortBy=meta.lastModified&sortOrder=descending&count=1",
        );
        assert_eq!(
            (names(&last), &last["totalResults"]),
            (vec!["last"], &json!(1201))
        );
        let changed = &last["Resources"][0]["meta"]["lastModified"];
        let cost = |path: &str| {
            let before = host.store_operations();
            let answer = ask(&service, "GET", path, None);
            ((host.store_operations() - before).total(), answer)
        };
        for (filter, most) in [
            ("id eq \"1201\"", 1),
            ("userName eq \"LAST\"", 2),
            ("emails.value eq \"a@b.example\" and active eq true", 2),
            ("externalId eq \"x\"", 4),
            ("userName eq \"nobody\"", 1),
            (&format!("meta.lastModified ge {changed}"), 100),
            (&format!("meta.lastModified eq {changed}"), 100),
        ] {
            let (cost, answer) = cost(&filtered("Users", filter));
            let list = expect(answer, 200);
            let expected = u64::from(!filter.contains("nobody"));
            assert_eq!(list["totalResults"], expected, "{filter}");
            assert!(cost <= most, "{filter}: {cost}");
        }
        // Those before a time are read from there, or from the first on.
        for order in ["", "&sortBy=meta.lastModified"] {
            let filter = encoded(&format!(
                "meta.lastModified lt {changed} and active eq true"
            ));
            let (cost, answer) = cost(&format!("/Users?filter={filter}&count=3{order}"));
            let list = expect(answer, 200);
            assert_eq!((names(&list).len(), &list["totalResults"]), (3, &json!(4)));
            assert!(cost <= 200, "{order}: {cost}");
        }
        // A span of time in which nobody was changed ends at once.
        let filter = format!(
            "meta.lastModified gt {changed} and meta.lastModified lt \"9999-01-01T00:00:00Z\""
        );
        for order in ["", "&sortBy=meta.lastModified&sortOrder=descending"] {
            let (cost, answer) = cost(&format!("/Users?filter={}{order}", encoded(&filter)));
            assert_eq!(expect(answer, 200)["totalResults"], 0);
            assert!(cost <= 100, "{order}: {cost}");
        }
        for query in [
            format!("filter={}", encoded("nickName pr")),
            format!("filter={}", encoded("active eq true")),
            "sortBy=nickName".to_owned(),
        ] {
            let (cost, answer) = cost(&format!("/Users?{query}"));
            refused(answer, 400, "tooMany");
            assert!(cost <= 4050, "{query}: {cost}");
        }
        // A page far into the list steps over blocks of ids.
        let (cost, answer) = cost("/Users?startIndex=1100&count=3");
        let list = expect(answer, 200);
        assert_eq!(
            (names(&list), &list["totalResults"]),
            (vec!["u1099", "u1100", "u1101"], &json!(1201))
        );
        assert!(cost <= 300, "{cost}");
        let far = ask(
            &service,
            "GET",
            "/Users?sortBy=displayName&startIndex=1100",
            None,
        );
        assert!(refused(far, 400, "tooMany").contains("cursor"));
        let (cost, answer) = total(&host, &service);
        assert_eq!((answer, cost <= 40), (json!(1201), true), "{cost}");
    }

    #[test]
    fn a_search_for_all_leaves_nobody_out_where_a_page_ends_early() {
        let host = start_host();
        let service = Service::of(&host);
        // More than an answer has, which is 1 MiB.
        let title = "x".repeat(8000);
        let users = (0..150).map(|n| {
            let scim = json!({ "scim": { "title": title } });
            json!({ "name": "User", "username": format!("u{n}"), "attributes": scim }).to_string()
                + "\n"
        });
        let request = service
            .request("POST", "/users/import")
            .body(users.collect::<String>());
        let request = request.header("content-type", "application/x-ndjson");
        assert_eq!(request.answer_of_call().status, 200);
        let body = json!({ "displayName": "All" });
        expect(ask(&service, "POST", "/Groups", Some(body)), 201);
        let mut kinds = Vec::new();
        loop {
            let body = json!({ "schemas": [SEARCH], "count": 1000, "startIndex": kinds.len() + 1 });
            let page = expect(ask(&service, "POST", "/.search", Some(body)), 200);
            let resources = page["Resources"].as_array().expect("a list");
            if resources.is_empty() {
                break;
            }
            let kind = |one: &Value| one["meta"]["resourceType"] == "Group";
            kinds.extend(resources.iter().map(kind));
        }
        let mut expected = vec![false; 150];
        expected.push(true);
        assert_eq!(kinds, expected);
    }

    fn total(host: &edge_host::Host, service: &Service) -> (u64, Value) {
        let before = host.store_operations();
        let list = page(service, "count=0");
        let cost = (host.store_operations() - before).total();
        (cost, list["totalResults"].clone())
    }

    #[test]
    fn attributes_that_the_operator_declares_are_kept_and_found_by() {
        let declared = json!([{ "id": "urn:example:badge", "name": "Badge", "attributes": [
            { "name": "number", "type": "integer" },
            { "name": "secret", "type": "string", "mutability": "writeOnly", "returned": "never" },
        ] }]);
        let host = crate::access::start(&[("scim_schemas", &declared.to_string())]);
        let service = Service::of(&host);
        let body =
            json!({ "userName": "ada", "urn:example:badge": { "number": 7, "secret": "x" } });
        let user = expect(ask(&service, "POST", "/Users", Some(body)), 201);
        assert_eq!(user["urn:example:badge"], json!({ "number": 7 }));
        let find =
            |filter: &str| listed(ask(&service, "GET", &filtered("Users", filter), None)).len();
        assert_eq!(find("urn:example:badge:number gt 6"), 1);
        assert_eq!(find("urn:example:badge:number gt 7"), 0);
        let schemas = expect(ask(&service, "GET", "/Schemas", None), 200);
        assert_eq!(schemas["totalResults"], 4);
    }
}
