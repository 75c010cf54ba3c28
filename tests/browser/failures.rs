//! A service that is away for a while.

use std::time::Duration;

use serde_json::json;

use crate::support::{Gate, Options, Service, browse};

#[test]
fn while_the_service_is_away_the_page_tries_again_and_makes_nobody_twice() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        let gate = Gate::before(&service).await;
        browser.goto(&format!("{}/admin/users", gate.url)).await;
        browser.find("link", "Ada").await;
        gate.set_closed(true);
        browser.click("link", "Ada").await;
        browser.see("Trying again: Away for a while.").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        gate.set_closed(false);
        browser.find("heading", "Ada").await;
        assert!(!browser.sees("Trying again").await);

        // A search that nobody waits for any more is not told of.
        browser.goto(&format!("{}/admin/users", gate.url)).await;
        browser.find("link", "Ada").await;
        gate.set_closed(true);
        browser.fill("Search users", "nobody").await;
        browser.see("Trying again").await;
        gate.set_closed(false);
        browser.fill("Search users", "ada").await;
        browser.wait_for_place("/admin/users?q=ada").await;
        browser.find("link", "Ada").await;
        let quiet = async || !browser.sees("Trying again").await;
        browser.until("quiet", quiet).await;

        browser.goto(&format!("{}/admin/users/new", gate.url)).await;
        browser.fill("Name", "Grace").await;
        gate.set_closed(true);
        browser.click("button", "Save").await;
        browser.see("Trying again").await;
        gate.set_closed(false);
        browser.see("Grace was created").await;
        assert_eq!(
            service.get("/users?fields=name").await,
            json!([{ "name": "Ada" }, { "name": "Grace" }])
        );

        browser.fill("Name", "Grace Hopper").await;
        gate.set_closed(true);
        browser.click("button", "Save").await;
        browser.see("Trying again").await;
        gate.set_closed(false);
        browser.see("Saved.").await;
        assert_eq!(service.get("/users/2").await["name"], "Grace Hopper");
    });
}

#[test]
fn an_import_goes_on_where_its_connections_broke() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let gate = Gate::before(&service).await;
        let lines = (1..=3000).map(|number| format!("Person,p{number}@example.com\n"));
        let file = format!("name,email\n{}", lines.collect::<String>());
        let path = browser.file("people.csv", &file);
        browser.goto(&format!("{}/admin/import", gate.url)).await;
        browser.choose_file(&path).await;
        browser.see("people.csv: 3,000 users").await;
        browser.click("button", "Import").await;
        let script = "return document.querySelector('progress')?.value ?? 0";
        let done = async || browser.run(script, vec![]).await.as_f64();
        browser
            .until("some lines", async || done().await > Some(200.0))
            .await;
        gate.set_closed(true);
        browser.see("Trying again").await;
        gate.set_closed(false);
        browser.see("The import is done.").await;
        browser.see("3,000 of 3,000 lines").await;
        browser.see(" 0 refused.").await;
        assert_eq!(service.total().await, "3000");
    });
}

#[test]
fn an_import_without_a_match_waits_and_says_so() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let gate = Gate::before(&service).await;
        browser.goto(&format!("{}/admin/import", gate.url)).await;
        let path = browser.file("names.csv", "name\nAda\nGrace\n");
        browser.choose_file(&path).await;
        browser.see("names.csv: 2 users").await;
        gate.set_closed(true);
        browser.click("button", "Import").await;
        browser.see("Trying again: Away for a while.").await;
        gate.set_closed(false);
        browser.see("2 of 2 lines: 2 created").await;
        assert!(!browser.sees("Trying again").await);
        assert_eq!(service.total().await, "2");
    });
}
