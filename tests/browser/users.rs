//! The list of users, and one of them.

use serde_json::{Value, json};

use crate::support::{Key, Options, Service, browse};

fn people(count: u32) -> impl Iterator<Item = Value> {
    (1..=count).map(|number| {
        json!({
            "name": format!("Person {number:03}"),
            "email": format!("p{number}@example.com"),
            "active": number % 3 != 0,
            "attributes": { "team": if number % 2 == 0 { "blue" } else { "red" } },
        })
    })
}

#[test]
fn a_search_answers_while_it_is_typed_and_the_url_is_the_state() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import(people(9)).await;
        service
            .import([
                json!({ "name": "Ada Lovelace" }),
                json!({ "name": "Ada Byron", "active": false }),
            ])
            .await;
        browser.open(&service, "/").await;
        browser.find("table", "Users").await;
        browser.fill("Search users", "ad").await;
        browser.wait_for_names(&["Ada Byron", "Ada Lovelace"]).await;
        browser.wait_for_place("/admin/users?q=ad").await;
        browser.choose("Status", "Active").await;
        browser.wait_for_names(&["Ada Lovelace"]).await;
        browser.click("link", "Ada Lovelace").await;
        browser.find("heading", "Ada Lovelace").await;
        browser.client.back().await.expect("it goes back");
        browser.wait_for_names(&["Ada Lovelace"]).await;
        assert_eq!(browser.value("searchbox", "Search users").await, "ad");
        browser.client.back().await.expect("it goes back");
        browser.wait_for_names(&["Ada Byron", "Ada Lovelace"]).await;
        assert_eq!(browser.place().await, "/admin/users?q=ad");
        browser.client.back().await.expect("it goes back");
        browser
            .until("all", async || browser.names().await.len() == 11)
            .await;
        browser.client.forward().await.expect("it goes forward");
        browser.wait_for_names(&["Ada Byron", "Ada Lovelace"]).await;
        // A link to it shows the same.
        browser.open(&service, "/users?q=ad&active=true").await;
        browser.wait_for_names(&["Ada Lovelace"]).await;
        assert_eq!(browser.value("combobox", "Status").await, "true");
        browser.fill("Search users", "nobodyhasthis").await;
        browser.see("Nobody was found").await;
    });
}

#[test]
fn users_are_sorted_filtered_and_turned_over_page_by_page() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import(people(120)).await;
        browser.open(&service, "/users").await;
        browser.see("50 of 120 users").await;
        browser.click("button", "Next page").await;
        browser.wait_for_first(&["Person 051"]).await;
        browser.click("button", "Next page").await;
        browser.wait_for_first(&["Person 101"]).await;
        assert!(browser.look_for("button", "Next page").await.is_none());
        browser.click("button", "Previous page").await;
        browser.wait_for_first(&["Person 051"]).await;
        browser.click("button", "First page").await;
        browser.wait_for_first(&["Person 001"]).await;
        browser.click("button", "Name").await;
        browser.wait_for_place("/admin/users?sort=name").await;
        browser.click("button", "Name").await;
        browser.wait_for_first(&["Person 120"]).await;
        // Of the indexed attributes each has a field.
        browser.fill("team", "blue\u{E007}").await;
        browser.wait_for_first(&["Person 120", "Person 118"]).await;
        browser.choose("Status", "Switched off").await;
        browser.wait_for_first(&["Person 120", "Person 114"]).await;
        // Columns are chosen, and are in the URL.
        browser
            .run("document.querySelector('details').open = true", vec![])
            .await;
        browser.click("checkbox", "Column team").await;
        browser
            .until("the column", async || {
                browser.place().await.contains("columns=")
            })
            .await;
        let head = browser
            .run(
                "return [...document.querySelectorAll('thead th')].at(-1).textContent",
                vec![],
            )
            .await;
        assert_eq!(head, "team");
    });
}

#[test]
fn a_new_user_is_told_what_is_wrong_at_each_field() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service
            .import([json!({ "name": "Ada", "email": "ada@example.com" })])
            .await;
        browser.open(&service, "/users").await;
        browser.click("button", "New user").await;
        browser.fill("Email", "no address").await;
        browser.fill("Attributes", "{\"team\": }").await;
        browser.click("button", "Save").await;
        browser
            .until("a fault", async || {
                browser.fault("Attributes").await.contains("not JSON")
            })
            .await;
        browser
            .fill(
                "Attributes",
                "{\"team\": \"blue\", \"big\": 9007199254740993}",
            )
            .await;
        browser.click("button", "Save").await;
        browser
            .until("faults", async || !browser.fault("Name").await.is_empty())
            .await;
        assert!(!browser.fault("Email").await.is_empty());
        assert_eq!(browser.fault("Username").await, "");
        browser.fill("Name", "Grace").await;
        browser.fill("Email", "ADA@example.com").await;
        browser.click("button", "Save").await;
        browser
            .until("it is taken", async || {
                browser
                    .fault("Email")
                    .await
                    .contains("Another user has this email")
            })
            .await;
        browser.fill("Email", "grace@example.com").await;
        browser.click("button", "Save").await;
        browser.see("Grace was created, with the id 2").await;
        browser.wait_for_place("/admin/users/2").await;
        let grace = service.get("/users/2").await;
        assert_eq!(grace["attributes"]["big"], 9_007_199_254_740_993_u64);
        assert_eq!(grace["active"], true);
    });
}

#[test]
fn a_user_is_changed_and_switched_off_and_numbers_stay_as_they_are() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada", "email": "ada@example.com", "attributes": { "big": 9_007_199_254_740_993_u64, "x": 1 } })]).await;
        browser.open(&service, "/users/1").await;
        browser.click("button", "Save").await;
        browser.see("Nothing was changed.").await;
        browser.fill("Name", "Ada Lovelace").await;
        browser.fill("Email", "").await;
        browser.click("button", "Save").await;
        browser.see("Saved.").await;
        browser.find("heading", "Ada Lovelace").await;
        let ada = service.get("/users/1").await;
        assert_eq!(
            (ada["name"].as_str(), ada.get("email")),
            (Some("Ada Lovelace"), None)
        );
        assert_eq!(ada["attributes"]["big"], 9_007_199_254_740_993_u64);
        // What is typed stays while the user is switched off.
        browser.fill("Username", "ada").await;
        browser.click("button", "Switch off").await;
        browser.see("Ada Lovelace is switched off.").await;
        assert_eq!(service.get("/users/1").await["active"], false);
        assert_eq!(browser.value("textbox", "Username").await, "ada");
        browser.click("checkbox", "Active").await;
        let text = browser.value("textbox", "Attributes").await;
        assert!(text.contains("9007199254740993"), "{text}");
        browser
            .fill(
                "Attributes",
                &text.replace("\"x\": 1", "\"x\": 2").replace('\n', ""),
            )
            .await;
        browser.click("button", "Save").await;
        browser.see("Saved.").await;
        let ada = service.get("/users/1").await;
        assert_eq!(
            (&ada["active"], &ada["username"]),
            (&json!(true), &json!("ada"))
        );
        assert_eq!(
            ada["attributes"],
            json!({ "big": 9_007_199_254_740_993_u64, "x": 2 })
        );
    });
}

#[test]
fn a_user_is_deleted_by_name_and_comes_back_under_another_id() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service
            .import([
                json!({ "name": "Ada", "email": "ada@example.com", "attributes": { "x": 1 } }),
            ])
            .await;
        browser.open(&service, "/users/1").await;
        browser.click("button", "Delete").await;
        browser.fill("To confirm, type Ada", "Eve").await;
        browser.click("button", "Delete").await;
        browser
            .until("a refusal", async || {
                !browser.fault("To confirm, type Ada").await.is_empty()
            })
            .await;
        browser.click("button", "Cancel").await;
        assert_eq!(service.get("/users/1").await["name"], "Ada");
        browser.click("button", "Delete").await;
        browser.fill("To confirm, type Ada", "Ada").await;
        browser.click("button", "Delete").await;
        browser.see("Ada was deleted, with the id 1.").await;
        assert_eq!(service.get("/users/1").await["status"], 404);
        browser.click("button", "Undo").await;
        browser.see("the id is 2 and no longer 1").await;
        let ada = service.get("/users/2").await;
        assert_eq!(
            (&ada["email"], &ada["attributes"]["x"]),
            (&json!("ada@example.com"), &json!(1))
        );
    });
}

#[test]
fn a_name_is_confirmed_as_the_page_shows_it() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        // Two blanks, and an accent of its own.
        let name = "Ada  Lace\u{301}";
        service.import([json!({ "name": name })]).await;
        browser.open(&service, "/users/1").await;
        browser.click("button", "Delete").await;
        browser.find("button", "Cancel").await;
        browser.press(&format!("Ada Lac\u{e9}{}", Key::ENTER)).await;
        browser.see("was deleted, with the id 1.").await;
    });
}

#[test]
fn the_last_change_is_an_order_too() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import(people(3)).await;
        service
            .patch("/users/1", json!({ "username": "changed" }))
            .await;
        browser.open(&service, "/users?columns=updated_at").await;
        browser.click("button", "Changed").await;
        browser
            .wait_for_names(&["Person 002", "Person 003", "Person 001"])
            .await;
        browser.click("button", "Changed").await;
        browser
            .wait_for_names(&["Person 001", "Person 003", "Person 002"])
            .await;
    });
}

#[test]
fn what_is_typed_is_not_lost_by_a_click_or_a_step_back() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        browser.open(&service, "/users").await;
        browser.click("button", "New user").await;
        browser.fill("Name", "Ada").await;
        browser.run("history.back()", vec![]).await;
        browser
            .until("a question", async || {
                browser.client.dismiss_alert().await.is_ok()
            })
            .await;
        browser.wait_for_place("/admin/users/new").await;
        assert_eq!(browser.value("textbox", "Name").await, "Ada");
        browser.click("link", "Groups").await;
        browser.client.dismiss_alert().await.expect("it asks");
        assert_eq!(browser.value("textbox", "Name").await, "Ada");
        browser.click("link", "Groups").await;
        browser.client.accept_alert().await.expect("it asks");
        browser.find("heading", "Groups").await;
    });
}
