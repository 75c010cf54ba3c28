//! Groups, and who is in them.

use serde_json::json;

use crate::support::{Options, Service, browse};

#[test]
fn a_group_is_made_filled_by_search_filtered_by_and_deleted() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let people = ["Ada Lovelace", "Grace Hopper", "Alan Turing"];
        service
            .import(people.map(|name| json!({ "name": name })))
            .await;
        browser.goto(&format!("{}/admin/groups", service.url)).await;
        browser.see("There are no groups.").await;
        browser.click("button", "New group").await;
        browser.click("button", "Save").await;
        browser
            .until("a fault", async || !browser.fault("Name").await.is_empty())
            .await;
        browser.fill("Name", "Pioneers").await;
        browser.fill("Description", "They began it.").await;
        browser.click("button", "Save").await;
        browser.see("Pioneers was created").await;
        browser.fill("Search for users to add", "lovel").await;
        browser.click("button", "Add Ada Lovelace").await;
        browser.click("link", "Ada Lovelace").await;
        // The user's page tells the same, and adds and removes, too.
        browser.find("heading", "Ada Lovelace").await;
        browser.find("link", "Pioneers").await;
        browser
            .goto(&format!("{}/admin/users/2", service.url))
            .await;
        browser.fill("Add to the group", "Nobody's").await;
        browser.click("button", "Add").await;
        browser
            .see("There is no group with the name Nobody's.")
            .await;
        browser.fill("Add to the group", "pioneers").await;
        browser.click("button", "Add").await;
        browser.see("Added to Pioneers.").await;
        let members = service.get("/groups/1/members?fields=name").await;
        assert_eq!(
            members,
            json!([{ "name": "Ada Lovelace" }, { "name": "Grace Hopper" }])
        );
        // The list is filtered by the group.
        browser.goto(&format!("{}/admin/users", service.url)).await;
        browser.fill("Group", "Pioneers\u{E007}").await;
        browser.wait_for_place("/admin/users?group=1").await;
        browser
            .until("two", async || {
                browser.sees("Grace Hopper").await && !browser.sees("Alan Turing").await
            })
            .await;
        // Nothing is shown to be asked for that isn't.
        let both = format!("{}/admin/users?group=1&q=ada", service.url);
        browser.goto(&both).await;
        browser.find("link", "Grace Hopper").await;
        assert_eq!(browser.value("searchbox", "Search users").await, "");
        browser
            .goto(&format!("{}/admin/groups/1", service.url))
            .await;
        browser.click("button", "Remove Ada Lovelace").await;
        browser
            .see("Ada Lovelace is not in the group any more.")
            .await;
        browser.fill("Description", "Others").await;
        browser.click("button", "Save").await;
        browser.see("Saved.").await;
        assert_eq!(service.get("/groups/1").await["description"], "Others");
        browser.click("button", "Delete").await;
        browser.fill("To confirm, type Pioneers", "Pioneers").await;
        browser.click("button", "Delete").await;
        browser.see("The group Pioneers was deleted").await;
        assert_eq!(service.get("/groups").await, json!([]));
        browser.click("button", "Undo").await;
        browser.see("the id is 2 and no longer 1").await;
        browser.wait_for_place("/admin/groups/2").await;
        assert_eq!(service.get("/groups/2").await["description"], "Others");
    });
}
