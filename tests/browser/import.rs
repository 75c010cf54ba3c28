//! Files in and out.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::{Options, Service, browse};

#[test]
fn ten_thousand_lines_are_tried_paused_imported_and_the_refused_ones_saved() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service
            .import([json!({ "name": "Old Name", "email": "p1@example.com" })])
            .await;
        let mut file = String::from("\u{feff}Full name;Mail;attributes.team;active;Note\r\n");
        for number in 1..=10_000 {
            let name = match number {
                5000 => "",
                7 => "\"Person; 7\r\n(\"\"Seven\"\")\"",
                _ => "Person",
            };
            write!(file, "{name};p{number}@example.com;blue;yes;-\r\n").expect("a string takes it");
        }
        let path = browser.file("people.csv", &file);
        browser.goto(&format!("{}/admin/users", service.url)).await;
        browser.click("button", "Import").await;
        browser.choose_file(&path).await;
        browser.see("people.csv: 10,000 users").await;
        assert_eq!(browser.value("combobox", "Full name goes to").await, "name");
        assert_eq!(browser.value("combobox", "Mail goes to").await, "email");
        assert_eq!(browser.value("combobox", "Note goes to").await, "");
        // Without a member to find users by, each line would be a new one.
        browser
            .choose(
                "Users who are here already",
                "Not looked up: each line makes a user",
            )
            .await;
        browser.click("button", "Dry run").await;
        browser.see("10,000 of 10,000 lines: 9,997 would be created, 0 would be changed, 0 the same, 3 would be refused.").await;
        browser
            .choose("Users who are here already", "Found by email")
            .await;
        browser.click("button", "Dry run").await;
        browser
            .see("The dry run is done. Nothing was changed.")
            .await;
        // Two names have no line break in them, and one is missing.
        browser.see("10,000 of 10,000 lines: 9,997 would be created, 1 would be changed, 0 the same, 2 would be refused.").await;
        let everybody = service.get("/users?limit=2&fields=name").await;
        assert_eq!(everybody, json!([{ "name": "Old Name" }]));

        browser.click("button", "Import").await;
        browser.click("button", "Pause").await;
        browser.find("button", "Go on").await;
        let value = async || {
            browser
                .run("return document.querySelector('progress').value", vec![])
                .await
        };
        let mut before = value().await;
        loop {
            // The request that is under way ends.
            tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
            let now = value().await;
            if now == before {
                break;
            }
            before = now;
        }
        assert!(before.as_f64().expect("a number") < 10_000.0, "{before}");
        browser.click("button", "Go on").await;
        browser.see("The import is done.").await;
        browser
            .see("9,997 created, 1 changed, 0 the same, 2 refused.")
            .await;
        let all = service.get("/users?email=p1@example.com").await;
        assert_eq!(
            (&all[0]["name"], &all[0]["attributes"]["team"]),
            (&json!("Person"), &json!("blue"))
        );
        browser.click("button", "Save the refused lines").await;
        let refused = browser.saved("refused.csv").await;
        let lines: Vec<_> = refused
            .trim_start_matches('\u{feff}')
            .split("\r\n")
            .collect();
        assert_eq!(
            lines[0],
            "line,reason,Full name,Mail,attributes.team,active,Note"
        );
        assert!(
            refused.contains("5002") || refused.contains("5001"),
            "{refused}"
        );
        assert!(refused.contains("p5000@example.com"), "{refused}");
    });
}

#[test]
fn an_export_has_what_is_filtered_and_no_formulas_and_comes_back_as_it_was() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let formula = "=HYPERLINK(\"http://example.com\")";
        service
            .import([
                json!({ "name": formula, "email": "a@example.com", "attributes": { "team": "blue" } }),
                json!({ "name": "+1, \"two\"", "email": "b@example.com" }),
                json!({ "name": "'=kept", "email": "c@example.com" }),
                json!({ "name": "Off", "email": "d@example.com", "active": false }),
            ])
            .await;
        browser
            .goto(&format!("{}/admin/users?active=true", service.url))
            .await;
        browser.click("button", "Export").await;
        browser.see("3 users were exported.").await;
        let csv = browser.saved("users.csv").await;
        assert!(
            csv.contains(r#""'=HYPERLINK(""http://example.com"")",a@example.com"#),
            "{csv}"
        );
        assert!(csv.contains(r#""'+1, ""two""""#), "{csv}");
        assert!(csv.contains(",''=kept,"), "{csv}");
        assert!(!csv.contains("d@example.com"), "{csv}");
        browser.choose("Format of the export", "NDJSON").await;
        browser.click("button", "Export").await;
        let ndjson = browser.saved("users.ndjson").await;
        let lines: Vec<serde_json::Value> = ndjson
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["name"], formula);
        // The file that was exported changes nothing when it comes back.
        let path = browser.file("back.csv", &csv);
        browser.goto(&format!("{}/admin/import", service.url)).await;
        browser.choose_file(&path).await;
        browser.see("back.csv: 3 users").await;
        browser.click("button", "Import").await;
        browser
            .see("3 of 3 lines: 0 created, 0 changed, 3 the same, 0 refused.")
            .await;
        // A search is exported, too.
        browser
            .goto(&format!("{}/admin/users?q=off", service.url))
            .await;
        browser.find("link", "Off").await;
        browser.choose("Format of the export", "NDJSON").await;
        browser.click("button", "Export").await;
        browser.see("1 user was exported.").await;
    });
}

#[test]
fn a_file_is_not_guessed_at_and_attributes_are_objects_whose_numbers_stay() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let import = format!("{}/admin/import", service.url);
        browser.goto(&import).await;
        let latin = browser.file("latin.csv", "");
        std::fs::write(&latin, b"name,email\nJ\xf6rg,j@example.com\n").expect("it is written");
        browser.choose_file(&latin).await;
        browser.see("This file is not in UTF-8").await;
        browser.click("button", "Import").await;
        browser.see("This file is not in UTF-8").await;
        assert_eq!(service.get("/users").await, json!([]));

        let text = "name,username,external_id,attributes\n\
            A,a,,\"{\"\"n\"\":9007199254740993}\"\n\
            B,b,'=1,\"[1,2]\"\n\
            C,c,,\"\"\"x\"\"\"\n\
            D,d,,9007199254740993\n";
        let path = browser.file("attributes.csv", text);
        browser.goto(&import).await;
        browser.choose_file(&path).await;
        browser.see("attributes.csv: 4 users").await;
        // There is no email to find them by.
        let found_by = browser
            .value("combobox", "Users who are here already")
            .await;
        assert_eq!(found_by, "username");
        browser.click("button", "Import").await;
        browser
            .see("4 of 4 lines: 1 created, 0 changed, 0 the same, 3 refused.")
            .await;
        browser
            .see("attributes: This has to be a JSON object")
            .await;
        assert!(!browser.sees("false").await);
        let users = service.get("/users?fields=username,attributes").await;
        let attributes = json!({ "n": 9_007_199_254_740_993_u64 });
        assert_eq!(
            users,
            json!([{ "username": "a", "attributes": attributes }])
        );
        // A cell that was safe already gets no second apostrophe.
        browser.click("button", "Save the refused lines").await;
        let refused = browser.saved("refused.csv").await;
        assert!(refused.contains(",B,b,'=1,"), "{refused}");
    });
}
