//! Searching by words, over HTTP.

use std::collections::HashSet;

use crate::support::{Answer, Service, encoded, names, new_word, path, service, start_host, walk};
use serde_json::{Value, json};

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

fn found(words: &str) -> Vec<String> {
    let users = walk(&format!("/users?q={}", encoded(words)), |path| {
        page(service(), path)
    });
    names(&users)
}

#[test]
fn users_are_found_by_the_words_of_their_names_in_the_order_of_names() {
    let word = new_word();
    let name = |rest: &str| format!("{rest} {word}");
    for rest in ["Grace Hopper", "Ada Lovelace", "Adele Goldberg", "Joan Ada"] {
        service().create(json!({ "name": name(rest) }));
    }
    let all = ["Ada Lovelace", "Adele Goldberg", "Grace Hopper", "Joan Ada"].map(name);
    assert_eq!(found(&word), all);
    let few = [0, 1, 3].map(|place| all[place].clone());
    assert_eq!(found(&format!("{word} ad")), few);
    assert_eq!(found(&format!("LOVE {word}")), all[..1]);
    assert_eq!(found(&format!("lovelace ada {word}")), all[..1]);
    assert_eq!(found(&format!("ove {word}")), [""; 0]);
}

#[test]
fn names_of_many_cultures_are_found_as_people_type_them() {
    for (name, typed) in [
        ("Conan O’Brien", &["o'brien", "obrien", "brien conan"][..]),
        (
            "Anne-Marie Müller",
            &["marie", "anne-marie", "annemarie mull"],
        ),
        ("J.R.R. Tolkien", &["j.r.r. tolkien", "jrr", "tolkien j"]),
        ("Łukasz Strauß", &["lukasz", "STRAUSS"]),
        ("Nguyễn Văn Đức", &["duc nguyen", "van"]),
        ("王小明", &["小明", "明", "王"]),
        ("渡邉 さくら", &["渡邉さくら", "さくら"]),
        ("김민준", &["민준", "김"]),
        ("محمد الفارسي", &["الفارسي"]),
        ("मोहन दास", &["दास"]),
        ("Фёдор Достоевский", &["достоев федор"]),
    ] {
        let word = new_word();
        let name = format!("{name} {word}");
        service().create(json!({ "name": name }));
        for typed in typed {
            assert_eq!(
                found(&format!("{typed} {word}")),
                [name.as_str()],
                "{typed}"
            );
        }
    }
}

#[test]
fn usernames_and_the_local_parts_of_emails_count_and_domains_do_not() {
    let word = new_word();
    let user = service().create(json!({
        "name": "X", "username": format!("{word}.user42"), "email": format!("mail+{word}@q.example"),
    }));
    for words in ["user42", "42", "mail", "x mail user", "x.user42"] {
        assert_eq!(found(&format!("{word} {words}")), ["X"], "{words}");
    }
    assert_eq!(found(&format!("{word} example")), [""; 0]);
    let (other, mail) = (new_word(), new_word());
    let change = json!({ "username": other, "email": format!("{mail}@q.example") });
    assert_eq!(service().patch(&path(&user), change).status, 200);
    assert_eq!(found(&word), [""; 0]);
    assert_eq!(
        (found(&other), found(&mail)),
        (vec!["X".to_owned()], vec!["X".to_owned()])
    );
}

#[test]
fn a_user_is_found_by_its_words_as_they_are_now() {
    let (word, other) = (new_word(), new_word());
    let user = service().create(json!({ "name": format!("Old {word}") }));
    assert_eq!(found(&format!("old {word}")).len(), 1);
    let renamed = json!({ "name": format!("New {other} {word}") });
    assert_eq!(service().patch(&path(&user), renamed).status, 200);
    assert_eq!(found(&format!("old {word}")), [""; 0]);
    assert_eq!((found(&word).len(), found(&other).len()), (1, 1));
    assert_eq!(service().delete(&path(&user)).status, 204);
    assert_eq!((found(&word).len(), found(&other).len()), (0, 0));
}

#[test]
fn a_walk_meets_everybody_once_while_others_come_and_go() {
    let word = new_word();
    let name = |number: usize| format!("N{} {word}", number % 40);
    let user = |number: usize| service().create(json!({ "name": name(number) }));
    let users: Vec<Value> = (0..80).map(user).collect();
    let (mut met, mut next) = (Vec::new(), Some(format!("/users?q={word}&limit=7")));
    let mut others = Vec::new();
    while let Some(link) = next {
        let page = page(service(), &link);
        met.extend(page.json().as_array().expect("a list").clone());
        next = page.next_page();
        // Every eighth goes; one comes.
        let number = others.len() * 8;
        if number < users.len() {
            assert_eq!(service().delete(&path(&users[number])).status, 204);
        }
        others.push(user(number));
    }
    let place = |user: &Value| (user["name"].to_string(), user["id"].as_u64());
    assert!(met.windows(2).all(|two| place(&two[0]) < place(&two[1])));
    let ids: HashSet<_> = met.iter().map(|user| user["id"].to_string()).collect();
    let stay = users
        .iter()
        .enumerate()
        .filter(|(number, _)| number % 8 != 0);
    assert!(
        stay.into_iter()
            .all(|(_, user)| ids.contains(&user["id"].to_string()))
    );
}

#[test]
fn a_search_is_narrowed_and_shows_some_members() {
    let word = new_word();
    let user = |active: bool| json!({ "name": format!("{active} {word}"), "active": active });
    let (on, off) = (service().create(user(true)), service().create(user(false)));
    let narrowed = |more: &str| {
        walk(&format!("/users?q={word}{more}"), |path| {
            page(service(), path)
        })
    };
    assert_eq!(narrowed(""), [off.clone(), on.clone()]);
    assert_eq!(narrowed("&active=false"), [off]);
    assert_eq!(
        narrowed("&active=true&fields=id"),
        [json!({ "id": on["id"] })]
    );
    let answer = page(service(), &format!("/users?q={word}&limit=1"));
    assert_eq!(answer.header("x-total-count"), None);
    assert!(
        answer
            .next_page()
            .expect("a page")
            .contains(&format!("q={word}"))
    );
}

#[test]
fn what_is_no_search_by_words_is_refused_with_the_parameters_name() {
    for (query, parameter) in [
        ("q=", "q"),
        ("q=!", "q"),
        ("q=a+b+c+d+e+f+g+h+i", "q"),
        ("q=a&q=b", "q"),
        ("q=a&name=a", "name"),
        ("q=a&sort=name", "sort"),
        ("q=a&after=7", "after"),
        ("q=a&limit=0", "limit"),
    ] {
        service().refuses_query("/users", query, parameter);
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn a_rare_word_takes_few_operations_and_an_index_that_nobody_asked_for_one() {
        let host = start_host();
        let service = Service::of(&host);
        let cost = |request: &dyn Fn()| {
            let before = host.store_operations();
            request();
            (host.store_operations() - before).total()
        };
        for number in 0..20 {
            service.create(json!({ "name": format!("Many {number}") }));
        }
        let ada = service.create(json!({ "name": "Ada Lovelace" }));
        let rename = |name: &str| {
            let answer = service.patch(&path(&ada), json!({ "name": name }));
            assert_eq!(answer.status, 200);
        };
        rename("Ada Byron");
        // It reads that there is no index of words.
        assert_eq!(cost(&|| rename("Ada Lovelace")), 6);
        let names = |path: &str| walk(path, |path| page(&service, path)).len();
        assert_eq!(names("/users?q=lovelace"), 1);
        // The numbers of users and of the catalogue, the catalogue, the list's number, its leaf, the user.
        assert_eq!(cost(&|| assert_eq!(names("/users?q=lovelace"), 1)), 6);
        assert_eq!(cost(&|| assert_eq!(names("/users?q=nobody"), 0)), 4);
        // The lists of "a", "ad", "b", "by" and "byro"; those of Lovelace are left alone.
        let first = cost(&|| rename("Ada Byron"));
        assert!((20..=60).contains(&first), "{first}");
        assert_eq!(
            (names("/users?q=lovelace"), names("/users?q=byron")),
            (0, 1)
        );
    }

    /// The word that most have is the longer one, and has more users than a page reads.
    #[test]
    fn a_rare_word_beside_one_that_many_have_takes_few_operations() {
        let host = start_host();
        let service = Service::of(&host);
        let lines = (1..=1200).map(|number| match number {
            1170 => json!({ "name": "Zoe Alexander" }).to_string() + "\n",
            _ => json!({ "name": format!("Alexander {number}") }).to_string() + "\n",
        });
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        let body = lines.collect::<String>();
        assert_eq!(crate::support::Send::answer(import.body(body)).status, 200);
        while service.get("/users?q=zoe").status == 503 {}
        for query in ["q=zoe+alexander", "q=alexander+zoe"] {
            let before = host.store_operations();
            let found = page(&service, &format!("/users?{query}"));
            let cost = (host.store_operations() - before).total();
            assert_eq!(found.json()[0]["id"], 1170);
            assert_eq!(found.next_page(), None);
            // The index, both lists' numbers and roots, the shorter one's leaf and its user.
            assert_eq!(cost, 9, "{query}");
        }
        // Where both are long, the one with fewer nodes is walked.
        let found = walk("/users?q=al+1&limit=1000", |path| page(&service, path));
        let with_one = (1..=1200).filter(|number| number.to_string().starts_with('1'));
        assert_eq!(found.len(), with_one.count() - 1);
    }

    #[test]
    fn an_index_for_those_who_are_there_is_made_by_searches_which_say_how_far_it_is() {
        let host = start_host();
        let service = Service::of(&host);
        let lines = (0..3000).map(|number| {
            json!({ "name": format!("First{number} Last{}", number * 7 % 3000) }).to_string() + "\n"
        });
        let import = service.request("POST", "/users/import");
        let import = import.header("content-type", "application/x-ndjson");
        let body = lines.collect::<String>();
        assert_eq!(crate::support::Send::answer(import.body(body)).status, 200);
        let mut said = Vec::new();
        let users = loop {
            let answer = service.get("/users?q=last299&limit=50");
            if answer.status == 200 {
                break answer.json();
            }
            assert_eq!(
                (answer.status, answer.header("retry-after")),
                (503, Some("1"))
            );
            let detail = answer.problem()["detail"]
                .as_str()
                .expect("a text")
                .to_owned();
            let words: Vec<_> = detail.split(' ').collect();
            let at = words.iter().position(|word| *word == "of").expect(&detail);
            assert_eq!(words[at + 1], "3000");
            said.push(words[at - 1].parse::<u64>().expect(&detail));
        };
        assert!(said.windows(2).all(|two| two[0] < two[1]), "{said:?}");
        // Last299 and Last2990 to Last2999.
        assert_eq!(users.as_array().map(Vec::len), Some(11));
    }
}
