//! Searching for groups by words, and all groups by their names, over HTTP.

use serde_json::{Value, json};

use crate::support::{Answer, Service, encoded, names, new_word, service, start_host, walk};

/// A page. A search that finds the index in the making asks again, as its answer says.
fn page(service: &Service, path: &str) -> Answer {
    loop {
        let answer = service.get(path);
        if answer.status != 503 {
            assert_eq!(answer.status, 200, "{answer:?}");
            return answer;
        }
        assert_eq!(answer.problem()["type"], "/problems/indexing");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

fn create(name: &str) -> String {
    let created = service().post("/groups", json!({ "name": name }));
    assert_eq!(created.status, 201, "{}", created.body);
    format!("/groups/{}", created.json()["id"])
}

fn all(path: &str) -> Vec<Value> {
    walk(path, |path| page(service(), path))
}

fn found(words: &str) -> Vec<String> {
    names(&all(&format!("/groups?q={}", encoded(words))))
}

#[test]
fn groups_are_found_by_the_words_of_their_names_in_the_order_of_names() {
    let word = new_word();
    for name in ["Web Ops", "Équipe d'été", "Ops (night)", "Web Design"] {
        create(&format!("{name} {word}"));
    }
    let with = |names: &[&str]| Vec::from_iter(names.iter().map(|name| format!("{name} {word}")));
    assert_eq!(
        found(&word),
        with(&["Équipe d'été", "Ops (night)", "Web Design", "Web Ops"])
    );
    assert_eq!(
        found(&format!("{word} op")),
        with(&["Ops (night)", "Web Ops"])
    );
    assert_eq!(found(&format!("OPS {word} we")), with(&["Web Ops"]));
    assert_eq!(found(&format!("equipe {word}")), with(&["Équipe d'été"]));
    assert_eq!(found(&format!("ete {word}")), with(&["Équipe d'été"]));
    assert_eq!(found(&format!("ps {word}")), [""; 0]);
    let first = page(service(), &format!("/groups?q={word}&limit=3"));
    assert_eq!(first.header("x-total-count"), None);
    let next = first.next_page().expect("a next page");
    assert!(next.starts_with("/groups?limit=3&q="), "{next}");
    assert_eq!(names(&all(&next)), with(&["Web Ops"]));
}

#[test]
fn a_group_is_found_by_its_name_as_it_is_now() {
    let (word, other) = (new_word(), new_word());
    assert_eq!(found(&word), [""; 0]);
    let group = create(&format!("Old {word}"));
    assert_eq!(found(&format!("old {word}")).len(), 1);
    let renamed = service().patch(&group, json!({ "name": format!("New {other} {word}") }));
    assert_eq!(renamed.status, 200, "{}", renamed.body);
    assert_eq!(found(&format!("old {word}")), [""; 0]);
    assert_eq!((found(&word).len(), found(&other).len()), (1, 1));
    // The description is no name.
    let described = service().patch(&group, json!({ "description": "Old" }));
    assert_eq!(described.status, 200, "{}", described.body);
    assert_eq!(found(&format!("old {word}")), [""; 0]);
    assert_eq!(service().delete(&group).status, 204);
    assert_eq!((found(&word).len(), found(&other).len()), (0, 0));
}

#[test]
fn all_groups_are_listed_by_name_in_either_order() {
    let word = new_word();
    let mut own: Vec<String> = ["b", "É", "a", "f", "Ç"]
        .iter()
        .map(|letter| format!("{word} {letter}"))
        .collect();
    own.iter().for_each(|name| drop(create(name)));
    // Others may be made meanwhile.
    let listed = |path: &str| {
        let mut names = names(&all(path));
        names.retain(|name| name.starts_with(&word));
        names
    };
    let sorted = ["a", "b", "Ç", "É", "f"].map(|letter| format!("{word} {letter}"));
    assert_eq!(listed("/groups?sort=name&limit=2"), sorted);
    own = sorted.into_iter().rev().collect();
    assert_eq!(listed("/groups?sort=-name&limit=2"), own);
    assert_eq!(listed("/groups?sort=-name"), own);
}

#[test]
fn what_is_no_search_for_groups_is_refused_with_the_parameters_name() {
    for (query, parameter) in [
        ("q=", "q"),
        ("q=!", "q"),
        ("q=a+b+c+d+e+f+g+h+i", "q"),
        ("q=a&name=a", "name"),
        ("q=a&sort=name", "sort"),
        ("q=a&after=7", "after"),
        ("q=a&limit=0", "limit"),
        ("q=a&active=true", "active"),
        ("sort=id", "sort"),
        ("sort=name&after=7", "after"),
        ("name=a&sort=name", "sort"),
    ] {
        service().refuses_query("/groups", query, parameter);
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn groups_that_were_there_before_the_first_search_are_found_and_changes_cost_more_after_it() {
        let host = start_host();
        let service = Service::of(&host);
        let cost = |request: &dyn Fn()| {
            let before = host.store_operations();
            request();
            (host.store_operations() - before).total()
        };
        let create = |name: &str| {
            let created = service.post("/groups", json!({ "name": name }));
            assert_eq!(created.status, 201, "{}", created.body);
        };
        let rename = |group: u64, name: &str| {
            let renamed = service.patch(&format!("/groups/{group}"), json!({ "name": name }));
            assert_eq!(renamed.status, 200, "{}", renamed.body);
        };
        let found = |path: &str| names(&walk(path, |path| page(&service, path)));
        assert_eq!(found("/groups?q=team"), [""; 0]);
        assert_eq!(found("/groups?sort=name"), [""; 0]);
        for number in 0..100 {
            create(&format!("Team {number:02}"));
        }
        assert_eq!(cost(&|| create("Night shift")), 13);
        // The record, the claim on a new name (4), that there is no index, the record.
        assert_eq!(cost(&|| rename(101, "Day shift")), 7);
        assert_eq!(found("/groups?q=shift"), ["Day shift"]);
        let teams = |numbers: &mut dyn Iterator<Item = u64>| {
            Vec::from_iter(numbers.map(|number| format!("Team {number:02}")))
        };
        assert_eq!(found("/groups?q=team&limit=30"), teams(&mut (0..100)));
        assert_eq!(found("/groups?q=4+team"), teams(&mut (40..50)));
        let all = [vec!["Day shift".to_owned()], teams(&mut (0..100))].concat();
        assert_eq!(found("/groups?sort=name&limit=30"), all);
        // The numbers of groups and of the catalogue, the catalogue, the list's number, its leaf, the group.
        let one = || assert_eq!(found("/groups?q=shift"), ["Day shift"]);
        assert_eq!(cost(&one), 6);
        // A create leaves the index to the next search.
        assert_eq!(cost(&|| create("Early shift")), 13);
        assert_eq!(found("/groups?q=shift"), ["Day shift", "Early shift"]);
        let renamed = cost(&|| rename(101, "Late shift"));
        // The lists of all groups, and of "l", "la", "late", "s", "sh" and "shif".
        assert!((20..=60).contains(&renamed), "{renamed}");
        assert_eq!(found("/groups?q=shift"), ["Early shift", "Late shift"]);
        for number in (1..=100).step_by(2) {
            assert_eq!(service.delete(&format!("/groups/{number}")).status, 204);
        }
        let left = teams(&mut (0..100).filter(|number| number % 2 == 1));
        assert_eq!(found("/groups?q=team&limit=30"), left);
        let reversed = Vec::from_iter(found("/groups?sort=-name&limit=7").into_iter().rev());
        assert_eq!(
            reversed,
            [
                vec!["Early shift".to_owned(), "Late shift".to_owned()],
                left
            ]
            .concat()
        );
    }
}
