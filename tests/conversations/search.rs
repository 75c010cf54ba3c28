//! Searching by how names begin, over HTTP.

use std::collections::HashSet;

use crate::support::{Answer, Service, encoded, names, new_word, path, service, start_host, walk};
use serde_json::{Value, json};

fn search(name: &str) -> Answer {
    let found = service().get(&format!("/users?name={}", encoded(name)));
    assert_eq!(found.status, 200, "{found:?}");
    found
}

fn names_in(answer: &Answer) -> Vec<String> {
    names(answer.json().as_array().expect("a list"))
}

fn found(name: &str) -> Vec<String> {
    let users = walk(&format!("/users?name={}", encoded(name)), |path| {
        service().get(path)
    });
    names(&users)
}

#[test]
fn users_are_found_by_how_their_names_begin_in_the_order_of_names() {
    let word = new_word();
    for name in ["Carol", "Alice", "Alina", "Bob"] {
        service().create(json!({ "name": format!("{word} {name}") }));
    }
    let all = ["Alice", "Alina", "Bob", "Carol"].map(|name| format!("{word} {name}"));
    assert_eq!(found(&word), all);
    assert_eq!(found(&format!("{word} Al")), all[..2]);
    assert_eq!(found(&format!("{word} Bob")), all[2..3]);
    assert_eq!(found(&format!("{word} Bobby")), [""; 0]);
}

#[test]
fn a_space_may_be_written_as_a_plus() {
    let word = new_word();
    for name in ["Ada L", "Ada+L", "Adam"] {
        service().create(json!({ "name": format!("{word} {name}") }));
    }
    let find = |name: &str| names_in(&service().get(&format!("/users?name={name}")));
    assert_eq!(find(&format!("{word}+Ada+L")), [format!("{word} Ada L")]);
    assert_eq!(
        find(&format!("{word}%20Ada%20L")),
        [format!("{word} Ada L")]
    );
    assert_eq!(find(&format!("{word}+Ada%2BL")), [format!("{word} Ada+L")]);
    // The link to the next page says the same.
    let first = service().get(&format!("/users?name={word}+Ada&limit=1"));
    let pages = walk(&format!("/users?name={word}+Ada&limit=1"), |path| {
        service().get(path)
    });
    assert!(first.next_page().is_some() && pages.len() == 3);
}

#[test]
fn neither_case_nor_accents_count_nor_how_a_letter_is_written() {
    for (name, typed) in [
        ("Zoë Ångström", "ZOE ang"),
        ("Zoe\u{308} Plain", "zoë p"),
        ("Łukasz Strauß", "lukasz STRAUSS"),
        ("Søren Kierkegård", "soren kierkegard"),
        ("İpek Işık", "ipek isik"),
        ("Фёдор", "ФЕДОР"),
        ("ΝΊΚΟΣ", "νίκος"),
        ("ﬁｎｎ", "Finn"),
        ("Anna\u{a0}  Lena", "anna lena"),
        ("王小明", "王小"),
        ("हिन्दी", "हिन्द"),
    ] {
        let word = new_word();
        let name = format!("{word} {name}");
        service().create(json!({ "name": name }));
        assert_eq!(found(&format!("{word} {typed}")), [name], "{typed}");
    }
}

#[test]
fn a_user_as_found_is_the_user_as_listed() {
    let word = new_word();
    let profile =
        json!({ "name": word, "email": crate::support::new_email(), "attributes": { "k": 1 } });
    let user = service().create(profile);
    assert_eq!(
        walk(&format!("/users?name={word}"), |path| service().get(path)),
        [user]
    );
    let answer = search(&word);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-total-count"), None);
}

#[test]
fn a_walk_by_next_links_meets_everybody_once() {
    let word = new_word();
    let mut ids = Vec::new();
    for number in 0..70 {
        // Many of one name among others.
        let name = format!("{word} {}", if number % 2 == 0 { 0 } else { number });
        ids.push(service().create(json!({ "name": name }))["id"].clone());
    }
    let users = walk(&format!("/users?name={word}&limit=9"), |path| {
        service().get(path)
    });
    let place = |user: &Value| (user["name"].to_string(), user["id"].as_u64());
    assert!(users.windows(2).all(|two| place(&two[0]) < place(&two[1])));
    let met: HashSet<_> = users.iter().map(|user| user["id"].to_string()).collect();
    assert_eq!((users.len(), met.len()), (70, 70));
    assert!(ids.iter().all(|id| met.contains(&id.to_string())));
}

#[test]
fn a_user_is_found_by_its_name_as_it_is_now() {
    let word = new_word();
    let user = service().create(json!({ "name": format!("{word} Old") }));
    assert_eq!(found(&word).len(), 1);
    let renamed = json!({ "name": format!("{word} New") });
    assert_eq!(service().patch(&path(&user), renamed).status, 200);
    assert_eq!(found(&format!("{word} Old")), [""; 0]);
    assert_eq!(found(&format!("{word} new")).len(), 1);
    let back = json!({ "name": format!("{word} Old") });
    assert_eq!(service().put(&path(&user), back).status, 200);
    assert_eq!(found(&word), [format!("{word} Old")]);
    assert_eq!(service().delete(&path(&user)).status, 204);
    assert_eq!(found(&word), [""; 0]);
}

#[test]
fn what_is_no_search_is_refused_with_the_parameters_name() {
    let long = encoded(&"ß".repeat(101));
    let other = "WyJ6eiIsMF0"; // ["zz",0]
    for (query, parameter) in [
        ("name=".to_owned(), "name"),
        ("name=%CC%81".to_owned(), "name"),
        (format!("name={long}"), "name"),
        ("name=a&name=b".to_owned(), "name"),
        ("name=%ff".to_owned(), "name"),
        ("name=a&email=a@example.com".to_owned(), "email"),
        ("name=a&limit=0".to_owned(), "limit"),
        ("name=a&after=7".to_owned(), "after"),
        ("name=a&after=".to_owned(), "after"),
        (format!("name=a&after={other}"), "after"),
    ] {
        service().refuses_query("/users", &query, parameter);
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn creates_leave_little_to_do_for_the_next_search() {
        let host = start_host();
        let service = Service::of(&host);
        for number in 0..500 {
            service.create(json!({ "name": format!("User {}", number * 7 % 500) }));
        }
        let before = host.store_operations();
        let found = service.get("/users?name=user%20499");
        let cost = (host.store_operations() - before).total();
        assert_eq!(names_in(&found), ["User 499"]);
        assert_eq!(found.next_page(), None);
        // A leaf's 32 users, those created since the last merge, the way to each.
        assert!(cost <= 250, "{cost}");
        let before = host.store_operations();
        service.get("/users?name=user%20499");
        let cost = (host.store_operations() - before).total();
        assert!(cost <= 40, "{cost}");
        assert_eq!(
            walk("/users?name=u&limit=50", |path| service.get(path)).len(),
            500
        );
    }
}
