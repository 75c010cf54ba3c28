//! The overview.

use serde_json::json;

use crate::support::{Options, Service, browse};

#[test]
fn the_overview_counts_users_groups_and_days_and_tells_times_and_versions() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let people = (0..7)
            .map(|number| json!({ "name": format!("Person {number}"), "active": number != 3 }));
        service.import(people).await;
        service.post("/groups", json!({ "name": "Pioneers" })).await;
        browser
            .goto(&format!("{}/admin/overview", service.url))
            .await;
        browser.find("heading", "Overview").await;
        let script =
            "return [...document.querySelectorAll('.figures div')].map((one) => one.textContent)";
        let expected = json!(["Users7", "Groups1", "Active6", "Switched off1"]);
        browser
            .until("the figures", async || {
                browser.run(script, vec![]).await == expected
            })
            .await;
        let plot = browser
            .run(
                "return document.querySelector('svg.plot').getAttribute('aria-label')",
                vec![],
            )
            .await;
        assert_eq!(
            plot,
            "7 users created in the last 30 days, at most 7 on a day"
        );
        let script = "return [document.querySelectorAll('svg.plot rect').length,
            document.querySelector('details tbody td').textContent]";
        assert_eq!(browser.run(script, vec![]).await, json!([30, "7"]));
        // Of each: the median, 95 % and the longest.
        let script = "return [...document.querySelectorAll('table.numbers:not(details *) td')].map((one) => one.textContent)";
        let times = browser.run(script, vec![]).await.to_string();
        assert_eq!(times.matches(" ms").count(), 9, "{times}");
        browser.see("requests in the last minute").await;
        browser.see("edge-users 0.1.0").await;
    });
}
