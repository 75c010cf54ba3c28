//! Everybody can use the page: by keyboard alone, with a screen reader, on a small screen, in the dark.

use serde_json::json;

use crate::support::{Browser, Key, Options, Service, browse, root};

#[test]
fn everything_is_done_by_keyboard_alone() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.find("link", "Ada").await;
        browser.tab_to("button", "New user").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.find("heading", "New user").await;
        browser.tab_to("textbox", "Name").await;
        browser.press("Grace").await;
        browser.tab_to("checkbox", "Active").await;
        browser.press(&Key::SPACE.to_string()).await;
        browser.tab_to("button", "Save").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.find("heading", "Grace").await;
        assert_eq!(service.get("/users/2").await["active"], false);
        browser.tab_to("button", "Delete").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.tab_to("textbox", "To confirm, type Grace").await;
        browser.press(&Key::ESCAPE.to_string()).await;
        browser
            .until("the end of the dialog", async || {
                browser.look_for("button", "Cancel").await.is_none()
            })
            .await;
        browser.tab_to("button", "Delete").await;
        browser.press(&Key::SPACE.to_string()).await;
        browser.tab_to("textbox", "To confirm, type Grace").await;
        browser.press(&format!("Grace{}", Key::ENTER)).await;
        browser.see("Grace was deleted").await;
        browser.tab_to("searchbox", "Search users").await;
        browser.press("ad").await;
        browser.wait_for_place("/admin/users?q=ad").await;
        browser.tab_to("link", "Ada").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.find("heading", "Ada").await;
    });
}

/// What has the focus, by its role and its text.
async fn focus(browser: &Browser) -> String {
    let script = "const { tagName, ariaLabel, textContent } = document.activeElement;
        return `${tagName} ${ariaLabel ?? textContent}`";
    let told = browser.run(script, vec![]).await;
    told.as_str().expect("a text").to_owned()
}

#[test]
fn the_focus_stays_where_a_list_is_made_anew() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let people = (1..=60).map(|number| json!({ "name": format!("Person {number}") }));
        service.import(people).await;
        browser.goto(&format!("{}/admin/users", service.url)).await;
        browser.find("link", "Person 1").await;
        browser.tab_to("button", "Name").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.wait_for_place("/admin/users?sort=name").await;
        assert_eq!(focus(&browser).await, "BUTTON Name");
        browser.tab_to("button", "Next page").await;
        browser.press(&Key::ENTER.to_string()).await;
        browser.find("button", "First page").await;
        browser
            .until("the head of the page", async || {
                focus(&browser).await == "DIV Table of users"
            })
            .await;
    });
}

#[test]
fn nothing_is_there_but_a_dialog_while_it_asks() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        let others = async || {
            let script = "return document.querySelectorAll('body > :not(dialog, noscript, [aria-hidden])').length";
            browser.run(script, vec![]).await.as_u64().expect("a count")
        };
        for leave in [Key::ESCAPE, Key::ENTER] {
            browser.find("heading", "Ada").await;
            let before = others().await;
            browser.tab_to("button", "Delete").await;
            browser.press(&Key::ENTER.to_string()).await;
            browser.find("textbox", "To confirm, type Ada").await;
            assert_eq!(others().await, 0);
            if leave == Key::ENTER {
                browser.tab_to("button", "Cancel").await;
            }
            browser.press(&leave.to_string()).await;
            browser
                .until("the end of the dialog", async || others().await == before)
                .await;
            assert_eq!(focus(&browser).await, "BUTTON Delete");
        }
    });
}

/// What axe-core finds to be wrong, by the rules of WCAG 2.2, levels A and AA.
async fn violations(browser: &Browser) -> Vec<String> {
    let axe = root().join("target/browser/axe/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(axe).expect("tests/browser/install has been run");
    browser.run(&axe, vec![]).await;
    let script = "const done = arguments[0];
        axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
            done(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)), (error) => done([String(error)]))";
    let found = browser.client.execute_async(script, vec![]).await;
    let found = found.expect("it runs");
    let found = found.as_array().expect("a list").iter();
    found
        .map(|one| one.as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn check_views(browser: &Browser, service: &Service) {
    let ada = json!({ "name": "Ada", "email": "ada@example.com", "attributes": { "team": "red" } });
    service
        .import([ada, json!({ "name": "Off", "active": false })])
        .await;
    service.post("/groups", json!({ "name": "Pioneers" })).await;
    service
        .post("/groups/1/members", json!({ "add": [1] }))
        .await;
    for (view, heading) in [
        ("users", "Users"),
        ("users/1", "Ada"),
        ("users/new", "New user"),
        ("groups", "Groups"),
        ("groups/1", "Pioneers"),
        ("import", "Import users"),
        ("overview", "Overview"),
    ] {
        browser.goto(&format!("{}/admin/{view}", service.url)).await;
        browser.find("heading", heading).await;
        let found = violations(browser).await;
        assert!(found.is_empty(), "{view}: {found:#?}");
        let wide = browser
            .run(
                "return document.documentElement.scrollWidth - innerWidth",
                vec![],
            )
            .await;
        assert!(
            wide.as_i64().expect("a number") <= 0,
            "{view} is {wide} too wide"
        );
        let broken = "return [...document.querySelectorAll('header a, button')].filter((one) => !one.textContent.includes(' ')
            && one.checkVisibility()).filter((one) => {
                const range = document.createRange();
                range.selectNodeContents(one);
                return range.getClientRects().length > 1;
            }).map((one) => one.textContent)";
        let broken = browser.run(broken, vec![]).await;
        assert_eq!(broken, json!([]), "{view} breaks words");
    }
    browser
        .goto(&format!("{}/admin/users/1", service.url))
        .await;
    browser.fill("Name", "Mine").await;
    service.patch("/users/1", json!({ "name": "Theirs" })).await;
    browser.click("button", "Save").await;
    browser.see("Somebody else").await;
    let found = violations(browser).await;
    assert!(found.is_empty(), "the conflict: {found:#?}");
    browser.click("button", "Go on editing").await;
    browser.fill("Name", "").await;
    browser.client.refresh().await.ok();
    browser.client.accept_alert().await.ok();
    browser.find("heading", "Theirs").await;
    browser.click("button", "Delete").await;
    browser.find("textbox", "To confirm, type Theirs").await;
    let found = violations(browser).await;
    assert!(found.is_empty(), "the deletion: {found:#?}");
}

#[test]
fn axe_finds_nothing_in_the_light() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        check_views(&browser, &service).await
    });
}

#[test]
fn axe_finds_nothing_in_the_dark_and_on_a_small_screen() {
    let service = Service::open();
    let options = Options {
        width: 500,
        height: 800,
        is_dark: true,
    };
    browse(options, async move |browser| {
        let script = "return matchMedia('(prefers-color-scheme: dark)').matches";
        browser.goto(&format!("{}/admin/", service.url)).await;
        assert_eq!(browser.run(script, vec![]).await, true);
        browser.narrow(320).await;
        check_views(&browser, &service).await;
    });
}

#[test]
fn axe_finds_nothing_where_people_sign_in() {
    let (secret, line) = crate::support::token("read", None);
    let service = Service::closed(&[&line], &secret);
    browse(Options::default(), async move |browser| {
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.find("textbox", "Token").await;
        let found = violations(&browser).await;
        assert!(found.is_empty(), "{found:#?}");
    });
}
