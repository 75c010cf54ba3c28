//! Finding users by members of their attributes that the operator has named.

use std::sync::OnceLock;

use edge_host::{Host, UpOptions};
use serde_json::{Value, json};

use crate::support::{Answer, Send, Service, path, start_host_with, variable};

/// A service where users are found by three members.
fn host() -> (Host, Service) {
    let host = start_host_with(UpOptions {
        variables: vec![variable("indexed_attributes", "team, address.city, tags")],
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    (host, service)
}

/// One that several tests share; each uses values of its own.
fn service() -> &'static Service {
    static HOST: OnceLock<(Host, Service)> = OnceLock::new();
    &HOST.get_or_init(host).1
}

fn id(user: &Value) -> u64 {
    user["id"].as_u64().expect("an id")
}

fn ids(users: &[Value]) -> Vec<u64> {
    users.iter().map(id).collect()
}

fn find(service: &Service, query: &str) -> Answer {
    loop {
        let answer = service.get(&format!("/users?{query}"));
        // On a machine that is busy, even a small index may take more than a request.
        if answer.status == 503 && answer.problem()["type"] == "/problems/indexing" {
            continue;
        }
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        return answer;
    }
}

fn found(query: &str) -> Vec<u64> {
    ids(find(service(), query).json().as_array().expect("a list"))
}

fn create(name: &str, attributes: Value) -> Value {
    service().create(json!({ "name": name, "attributes": attributes }))
}

#[test]
fn users_are_found_by_a_member_of_their_attributes() {
    let blue = create(
        "Ada",
        json!({ "team": "Blue One", "address": { "city": "Oslo A" } }),
    );
    let also = create(
        "Bea",
        json!({ "team": "Blue One", "address": { "city": "Rome A" } }),
    );
    create("Cleo", json!({ "team": "blue one" }));
    create("Dora", json!({ "color": "Blue One", "city": "Oslo A" }));
    let team = find(service(), "attributes.team=Blue+One");
    assert_eq!(team.json(), json!([blue, also]));
    assert_eq!(team.header("x-total-count"), Some("2"));
    assert_eq!(found("attributes.address.city=Oslo%20A"), [id(&blue)]);
    assert_eq!(
        found("attributes.team=Blue+One&attributes.address.city=Rome+A"),
        [id(&also)]
    );
    assert_eq!(
        found("attributes.address.city=Rome+A&attributes.team=Blue+One"),
        ids(&[also])
    );
    assert_eq!(found("attributes.team=Blue"), [0; 0]);
    assert_eq!(found("attributes.team="), [0; 0]);
}

#[test]
fn numbers_and_booleans_are_compared_as_json_writes_them_and_arrays_by_each_element() {
    let values = json!(["t-a", 31, true, 0.5, null, ["t-b"], { "t-c": 1 }]);
    let user = create("Ada", json!({ "tags": values }));
    let text = create("Bea", json!({ "tags": "31" }));
    assert_eq!(found("attributes.tags=t-a"), [id(&user)]);
    assert_eq!(found("attributes.tags=31"), ids(&[user.clone(), text]));
    for (value, is_found) in [
        ("true", true),
        ("0.5", true),
        ("31.0", false),
        ("null", false),
    ] {
        let found = found(&format!("attributes.tags={value}"));
        assert_eq!(found == [id(&user)], is_found, "{value}: {found:?}");
    }
    assert_eq!(found("attributes.tags=t-b"), [0; 0]);
    assert_eq!(found("attributes.tags=t-c"), [0; 0]);
}

#[test]
fn a_user_is_found_by_its_values_as_they_are_now() {
    let user = create("Ada", json!({ "team": "before" }));
    assert_eq!(found("attributes.team=before"), [id(&user)]);
    let patch = |value: Value| {
        let change = json!({ "attributes": { "team": value } });
        assert_eq!(service().patch(&path(&user), change).status, 200);
    };
    patch(json!("after"));
    assert_eq!(found("attributes.team=before"), [0; 0]);
    assert_eq!(found("attributes.team=after"), [id(&user)]);
    patch(json!("before"));
    assert_eq!(found("attributes.team=before"), [id(&user)]);
    patch(json!(null));
    assert_eq!(found("attributes.team=before"), [0; 0]);
    let put = json!({ "name": "Ada", "attributes": { "team": "after" } });
    assert_eq!(service().put(&path(&user), put).status, 200);
    assert_eq!(found("attributes.team=after"), [id(&user)]);
    assert_eq!(service().delete(&path(&user)).status, 204);
    assert_eq!(found("attributes.team=after"), [0; 0]);
}

#[test]
fn an_attribute_goes_with_all_that_finds_and_narrows_users() {
    let user = |name: &str, active: bool| {
        service().create(json!({
            "name": name, "active": active, "external_id": "mixed", "attributes": { "team": "mixed" },
        }))
    };
    let (ada, bea) = (user("Mixed Ada", true), user("Mixed Bea", false));
    service().create(json!({ "name": "Mixed Cleo", "external_id": "mixed" }));
    let (ada, bea) = (ids(&[ada]), ids(&[bea]));
    let both = [ada.clone(), bea.clone()].concat();
    for (query, expected) in [
        ("", &both),
        ("&active=true", &ada),
        ("&active=false", &bea),
        ("&created_after=9999-01-01T00:00:00Z", &Vec::new()),
        ("&name=mixed", &both),
        ("&q=mixed+ada", &ada),
        ("&external_id=mixed&active=false", &bea),
        ("&sort=name", &both),
        ("&sort=-id&active=true", &ada),
        (&format!("&id={}", bea[0]), &bea),
    ] {
        assert_eq!(
            found(&format!("attributes.team=mixed{query}")),
            *expected,
            "{query}"
        );
    }
    let export = service().get("/users/export?attributes.team=mixed&fields=id");
    assert_eq!(export.body.lines().count(), 3, "{}", export.body);
}

#[test]
fn many_users_with_one_value_are_walked_page_by_page() {
    let users: Vec<Value> = (0..80)
        .map(|number| create("Ada", json!({ "team": "many", "tags": number % 2 })))
        .collect();
    let mut met = Vec::new();
    let mut next =
        Some("/users?attributes.team=many&limit=7&fields=id&attributes.tags=1".to_owned());
    while let Some(path) = next {
        let page = service().get(&path);
        assert_eq!(page.status, 200, "{}", page.body);
        met.extend(ids(page.json().as_array().expect("a list")));
        next = page.next_page();
    }
    let odd = users.iter().skip(1).step_by(2).cloned();
    assert_eq!(met, ids(&Vec::from_iter(odd)));
}

#[test]
fn a_member_that_is_not_named_is_refused_with_the_variable() {
    for (query, parameter) in [
        ("attributes.color=red", "attributes.color"),
        ("attributes.Team=red", "attributes.Team"),
        ("attributes.address=x", "attributes.address"),
        ("attributes.=x", "attributes."),
        ("name=a&attributes.color=red", "attributes.color"),
    ] {
        for place in ["/users", "/users/export"] {
            if place == "/users/export" && query.starts_with("name") {
                continue;
            }
            let refused = service().get(&format!("{place}?{query}"));
            assert_eq!(refused.status, 400, "{query}: {}", refused.body);
            let problem = refused.problem();
            let detail = problem["detail"].as_str().expect("a detail");
            assert!(
                detail.contains(&format!("{parameter}\"")),
                "{query}: {detail}"
            );
            assert!(detail.contains("indexed_attributes"), "{query}: {detail}");
        }
    }
    for query in [
        "attributes=x",
        "attributes.team=a&attributes.team=b",
        "attributes.team=a&after=7",
        "attributes.team=a&limit=0",
    ] {
        assert_eq!(
            service().get(&format!("/users?{query}")).status,
            400,
            "{query}"
        );
    }
}

/// 500 users whom nobody has asked for by an attribute yet.
#[test]
fn naming_a_member_indexes_those_who_are_there() {
    let (host, service) = host();
    let lines = (1..=500).map(|number| {
        let attributes = json!({ "team": "all", "address": { "city": format!("c{number}") } });
        json!({ "name": "Ada", "attributes": attributes }).to_string() + "\n"
    });
    let import = service.request("POST", "/users/import");
    let import = import.header("content-type", "application/x-ndjson");
    let import = import.body(lines.collect::<String>()).answer();
    assert!(
        import.body.contains("\"end\":\"complete\""),
        "{}",
        import.body
    );
    let changed = json!({ "attributes": { "team": "other" } });
    assert_eq!(service.patch("/users/7", changed).status, 200);
    let mut told = 0;
    let page = loop {
        let page = service.get("/users?attributes.team=all&limit=50");
        if page.status == 200 {
            break page;
        }
        assert_eq!(page.status, 503, "{}", page.body);
        assert_eq!(page.problem()["type"], "/problems/indexing");
        assert_eq!(page.header("retry-after"), Some("1"));
        let detail = page.problem()["detail"]
            .as_str()
            .expect("a detail")
            .to_owned();
        let count = detail.split(' ').find_map(|word| word.parse::<u64>().ok());
        assert!(count.is_some_and(|count| count > told), "{told}: {detail}");
        told = count.expect("a number");
    };
    let first = ids(page.json().as_array().expect("a list"));
    assert_eq!(first, Vec::from_iter((1..=51).filter(|id| *id != 7)));
    // From now on a page costs what a page costs, whoever has the value.
    let before = host.store_operations();
    let page = service.get("/users?attributes.team=all&limit=50");
    let cost = (host.store_operations() - before).total();
    assert_eq!(ids(page.json().as_array().expect("a list")), first);
    assert!(cost <= 100, "{cost}");
    let all = ids(find(&service, "attributes.team=all&limit=1000")
        .json()
        .as_array()
        .expect("a list"));
    assert_eq!(all.len(), 499);
    assert_eq!(
        ids(find(&service, "attributes.team=other")
            .json()
            .as_array()
            .expect("a list")),
        [7]
    );
}

/// In whatever order the values are asked for, the list of the rarer one is walked.
#[test]
fn a_rare_value_beside_one_that_many_have_takes_few_operations() {
    let (host, service) = host();
    let lines = (1..=1200).map(|number| {
        let city = if number == 1170 { "Oslo" } else { "Bergen" };
        let attributes = json!({ "team": "blue", "address": { "city": city } });
        json!({ "name": "U", "attributes": attributes }).to_string() + "\n"
    });
    let import = service.request("POST", "/users/import");
    let import = import.header("content-type", "application/x-ndjson");
    let import = import.body(lines.collect::<String>()).answer();
    assert_eq!(import.status, 200);
    for query in [
        "attributes.team=blue&attributes.address.city=Oslo",
        "attributes.address.city=Oslo&attributes.team=blue",
    ] {
        find(&service, query);
        let before = host.store_operations();
        let found = find(&service, query);
        let cost = (host.store_operations() - before).total();
        assert_eq!(ids(found.json().as_array().expect("a list")), [1170]);
        assert_eq!(found.next_page(), None);
        // Both indexes, both lists' numbers and roots, the shorter one's leaf and its user.
        assert_eq!(cost, 12, "{query}");
    }
}
