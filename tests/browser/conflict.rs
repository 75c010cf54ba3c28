//! Somebody else's change.

use serde_json::json;

use crate::support::{Options, Service, browse};

#[test]
fn both_versions_stand_side_by_side_and_nothing_is_overwritten() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let ada = json!({ "name": "Ada", "email": "ada@example.com", "username": "ada", "attributes": { "team": "red" } });
        service.import([ada]).await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        browser.fill("Name", "Ada Mine").await;
        browser.fill("Username", "mine").await;
        service
            .patch(
                "/users/1",
                json!({ "name": "Ada Theirs", "email": "theirs@example.com" }),
            )
            .await;
        browser.click("button", "Save").await;
        browser.see("Somebody else changed this meanwhile").await;
        browser.see("Ada Theirs").await;
        assert!(browser.sees("Ada Mine").await);
        assert_eq!(service.get("/users/1").await["name"], "Ada Theirs");
        // To give up changes nothing, and what is typed stays.
        browser.click("button", "Go on editing").await;
        assert_eq!(browser.value("textbox", "Name").await, "Ada Mine");
        browser.click("button", "Save").await;
        browser.see("Somebody else changed this meanwhile").await;
        let own = fantoccini::Locator::XPath("//dialog//td[2]/input[@name='name']");
        browser
            .client
            .find(own)
            .await
            .expect("a choice")
            .click()
            .await
            .expect("it is chosen");
        // One more change in between begins anew.
        service
            .patch("/users/1", json!({ "attributes": { "team": "blue" } }))
            .await;
        browser.click("button", "Save").await;
        browser.see("blue").await;
        browser.click("button", "Save").await;
        browser.see("Saved.").await;
        let ada = service.get("/users/1").await;
        assert_eq!(ada["name"], "Ada Mine");
        assert_eq!(ada["username"], "mine");
        assert_eq!(ada["email"], "theirs@example.com");
        assert_eq!(ada["attributes"]["team"], "blue");
    });
}

#[test]
fn who_was_changed_meanwhile_is_not_deleted() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        browser.find("button", "Delete").await;
        service
            .patch("/users/1", json!({ "name": "Ada Byron" }))
            .await;
        browser.click("button", "Delete").await;
        browser.fill("To confirm, type Ada", "Ada").await;
        browser.click("button", "Delete").await;
        browser.see("Somebody else changed this meanwhile").await;
        assert_eq!(browser.value("textbox", "Name").await, "Ada Byron");
        assert_eq!(service.get("/users/1").await["name"], "Ada Byron");
    });
}

#[test]
fn to_switch_somebody_off_takes_no_change_for_read() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service
            .import([json!({ "name": "Ada", "email": "ada@example.com" })])
            .await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        browser.fill("Email", "mine@example.com").await;
        service
            .patch("/users/1", json!({ "email": "theirs@example.com" }))
            .await;
        browser.click("button", "Switch off").await;
        browser.see("Ada is switched off.").await;
        let ada = service.get("/users/1").await;
        assert_eq!(
            (&ada["active"], &ada["email"]),
            (&json!(false), &json!("theirs@example.com"))
        );
        // What was typed before is not written over what was never shown.
        browser.click("button", "Save").await;
        browser.see("theirs@example.com").await;
        let ada = service.get("/users/1").await;
        assert_eq!(ada["email"], "theirs@example.com");
    });
}
