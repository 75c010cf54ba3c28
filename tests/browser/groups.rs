//! Groups, and who is in them.

use serde_json::json;

use crate::support::{Gate, Options, Service, browse};

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

#[test]
fn groups_are_searched_as_one_types_sorted_and_turned_over_and_the_url_is_the_state() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        for number in 1..=60 {
            let name = match number {
                7 => "Night Ops".to_owned(),
                8 => "Opéra".to_owned(),
                _ => format!("Team {number:02}"),
            };
            service.post("/groups", json!({ "name": name })).await;
        }
        let gate = Gate::before(&service).await;
        let at = |path: &str| format!("{}/admin{path}", gate.url);
        browser.goto(&at("/groups")).await;
        browser.find("table", "Groups").await;
        browser.see("50 groups on this page").await;
        browser.click("button", "Next page").await;
        browser.wait_for_first(&["Team 51"]).await;
        browser.click("button", "First page").await;
        browser.wait_for_first(&["Team 01"]).await;
        // The first search makes the index.
        browser.fill("Search groups", "op").await;
        browser.wait_for_names(&["Night Ops", "Opéra"]).await;
        browser.see("2 groups").await;
        browser.wait_for_place("/admin/groups?q=op").await;
        browser.fill("Search groups", "ops nig").await;
        browser.wait_for_names(&["Night Ops"]).await;
        browser.click("link", "Night Ops").await;
        browser.find("heading", "Night Ops").await;
        browser.client.back().await.expect("it goes back");
        browser.wait_for_names(&["Night Ops"]).await;
        assert_eq!(browser.value("searchbox", "Search groups").await, "ops nig");
        browser.fill("Search groups", "nothinghasthis").await;
        browser.see("No group was found.").await;
        // A link shows the same.
        browser.goto(&at("/groups?q=team+6")).await;
        browser.wait_for_names(&["Team 60"]).await;
        assert!(browser.look_for("button", "Name").await.is_none());
        browser.fill("Search groups", "").await;
        browser.wait_for_first(&["Team 01"]).await;
        browser.click("button", "Name").await;
        browser.wait_for_place("/admin/groups?sort=name").await;
        browser
            .wait_for_first(&["Night Ops", "Opéra", "Team 01"])
            .await;
        browser.click("button", "Name").await;
        browser.wait_for_first(&["Team 60", "Team 59"]).await;
        browser.click("button", "Next page").await;
        browser.wait_for_first(&["Team 10"]).await;
        browser.click("button", "First page").await;
        browser.wait_for_first(&["Team 60"]).await;
        // While the service is away, as while the index is made, a search waits.
        gate.set_closed(true);
        browser.fill("Search groups", "night").await;
        browser.see("Trying again").await;
        gate.set_closed(false);
        browser.wait_for_names(&["Night Ops"]).await;
    });
}
