//! The pictures in `docs/`. With `RECORD_PICTURES=1` they are made anew.

use serde_json::json;

use crate::support::{Browser, Options, Service, browse, root};

const PEOPLE: [(&str, &str, &str); 8] = [
    ("Ada Lovelace", "ada", "blue"),
    ("Alan Turing", "alan", "blue"),
    ("Grace Hopper", "grace", "green"),
    ("Edsger Dijkstra", "edsger", "red"),
    ("Barbara Liskov", "barbara", "green"),
    ("Donald Knuth", "donald", "red"),
    ("王小明", "xiaoming", "blue"),
    ("Radia Perlman", "radia", "green"),
];

async fn picture(browser: &Browser, name: &str) {
    let png = browser.client.screenshot().await.expect("a picture");
    assert!(png.len() > 5_000, "{name} has {} bytes", png.len());
    if std::env::var_os("RECORD_PICTURES").is_some() {
        std::fs::write(root().join("docs").join(name), png).expect("docs can be written");
    }
}

fn options(is_dark: bool) -> Options {
    Options {
        width: 960,
        height: 720,
        is_dark,
    }
}

async fn fill(service: &Service) {
    let people = PEOPLE
        .iter()
        .enumerate()
        .map(|(number, (name, login, team))| {
            json!({
                "name": name,
                "email": format!("{login}@example.com"),
                "username": login,
                "active": number != 3,
                "attributes": { "team": team },
            })
        });
    service.import(people).await;
    service.post("/groups", json!({ "name": "Pioneers" })).await;
    service
        .post("/groups/1/members", json!({ "add": [1, 2, 3] }))
        .await;
}

#[test]
fn the_main_views_by_day() {
    let service = Service::open();
    browse(options(false), async move |browser| {
        fill(&service).await;
        browser
            .goto(&format!(
                "{}/admin/users?columns=email,username,active,attributes.team",
                service.url
            ))
            .await;
        browser.find("link", "Radia Perlman").await;
        picture(&browser, "admin-users.png").await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        browser.fill("Name", "Ada King").await;
        browser.fill("Username", "aking").await;
        service
            .patch(
                "/users/1",
                json!({ "name": "Ada Byron", "email": "byron@example.com" }),
            )
            .await;
        browser.click("button", "Save").await;
        browser.see("Somebody else").await;
        picture(&browser, "admin-conflict.png").await;
    });
}

#[test]
fn the_main_views_by_night() {
    let service = Service::open();
    browse(options(true), async move |browser| {
        fill(&service).await;
        browser
            .goto(&format!("{}/admin/overview", service.url))
            .await;
        browser.see("Versions").await;
        browser.see("7").await;
        picture(&browser, "admin-overview.png").await;
    });
}
