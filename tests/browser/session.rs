//! Who uses the page.

use serde_json::json;

use crate::support::{Browser, Options, Service, browse, token};

async fn sign_in(browser: &Browser, service: &Service, token: &str) {
    browser.goto(&format!("{}/admin/", service.url)).await;
    browser.fill("Token", token).await;
    browser.click("button", "Sign in").await;
}

#[test]
fn a_token_is_for_the_tab_and_gone_after_signing_out() {
    let (secret, line) = token("write", None);
    let service = Service::closed(&[&line], &secret);
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        for (text, fault) in [("two words", "no token"), ("eu_wrong", "mistyped")] {
            browser.fill("Token", text).await;
            browser.click("button", "Sign in").await;
            browser
                .until(fault, async || browser.fault("Token").await.contains(fault))
                .await;
        }
        browser.fill("Token", &secret).await;
        browser.click("button", "Sign in").await;
        // To where the person was going.
        browser.find("heading", "Ada").await;
        assert_eq!(browser.place().await, "/admin/users/1");
        browser.client.refresh().await.expect("it loads");
        browser.find("heading", "Ada").await;
        // Neither a URL nor anything that outlives the tab has the token.
        let kept = browser
            .run(
                "return [localStorage.length, document.cookie, location.href]",
                vec![],
            )
            .await;
        assert_eq!(kept[0], 0);
        assert!(!kept.to_string().contains("eu_"), "{kept}");
        browser
            .client
            .new_window(true)
            .await
            .map(|made| made.handle)
            .expect("a tab");
        let tabs = browser.client.windows().await.expect("tabs");
        browser
            .client
            .switch_to_window(tabs[1].clone())
            .await
            .expect("the new tab");
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.find("textbox", "Token").await;
        browser
            .client
            .switch_to_window(tabs[0].clone())
            .await
            .expect("the old tab");
        browser.click("button", "Sign out").await;
        browser.find("textbox", "Token").await;
        browser.client.refresh().await.expect("it loads");
        browser.find("textbox", "Token").await;
        assert!(!browser.sees("Ada").await);
        // The button Back shows nothing of what was there.
        browser.client.back().await.expect("it goes back");
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(!browser.sees("Ada").await);
    });
}

#[test]
fn a_cookie_keeps_who_asks_for_it_signed_in_in_every_tab() {
    let (secret, line) = token("write", None);
    let service = Service::closed(&[&line], &secret);
    browse(Options::default(), async move |browser| {
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.fill("Token", &secret).await;
        browser
            .click("checkbox", "Keep me signed in on this computer")
            .await;
        browser.click("button", "Sign in").await;
        browser.find("table", "Users").await;
        assert_eq!(browser.run("return document.cookie", vec![]).await, "");
        browser.client.new_window(true).await.expect("a tab");
        let tabs = browser.client.windows().await.expect("tabs");
        browser
            .client
            .switch_to_window(tabs[1].clone())
            .await
            .expect("the new tab");
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.find("table", "Users").await;
        browser.click("button", "Sign out").await;
        browser.find("textbox", "Token").await;
        browser.run("sessionStorage.clear()", vec![]).await;
        browser.client.refresh().await.expect("it loads");
        browser.find("textbox", "Token").await;
    });
}

#[test]
fn what_the_token_may_not_do_is_not_offered() {
    let (secret, line) = token("read", None);
    let (writer, writes) = token("write", None);
    let writes = writes.replace("browser", "writer");
    let service = Service::closed(&[&line, &writes], &writer);
    browse(Options::default(), async move |browser| {
        service.import([json!({ "name": "Ada" })]).await;
        service.post("/groups", json!({ "name": "Red" })).await;
        sign_in(&browser, &service, &secret).await;
        browser.find("table", "Users").await;
        browser.find("button", "Export").await;
        browser.see("You may look").await;
        for name in ["New user", "Import"] {
            assert!(browser.look_for("button", name).await.is_none(), "{name}");
        }
        browser.click("link", "Ada").await;
        browser.find("heading", "Ada").await;
        for name in ["Save", "Delete", "Switch off", "Add"] {
            assert!(browser.look_for("button", name).await.is_none(), "{name}");
        }
        let name = browser.find("textbox", "Name").await;
        assert_eq!(
            name.attr("readonly").await.expect("an answer").as_deref(),
            Some("true")
        );
        for view in ["users/new", "groups/new", "import"] {
            browser.goto(&format!("{}/admin/{view}", service.url)).await;
            browser.find("heading", "That did not work").await;
            for name in ["Save", "Import", "Dry run"] {
                assert!(browser.look_for("button", name).await.is_none(), "{name}");
            }
        }
    });
}

#[test]
fn a_session_that_ends_goes_on_with_another_token_and_loses_nothing() {
    let (short, ends) = token("write", Some("12s"));
    let (secret, line) = token("write", None);
    let line = line.replace("browser", "other");
    let service = Service::closed(&[&ends, &line], &secret);
    browse(Options::default(), async move |browser| {
        sign_in(&browser, &service, &short).await;
        browser.click("button", "New user").await;
        browser.fill("Name", "Typed before").await;
        // Until the token has ended.
        let with = reqwest::Client::new();
        browser
            .until("the end of the token", async || {
                let asked = with
                    .get(format!("{}/users", service.url))
                    .bearer_auth(&short);
                asked.send().await.expect("an answer").status() == 401
            })
            .await;
        browser.click("button", "Save").await;
        browser.see("Your session has ended").await;
        browser.fill("Token", &secret).await;
        browser.click("button", "Sign in").await;
        browser.find("heading", "Typed before").await;
        assert_eq!(
            service.get("/users?fields=name").await,
            json!([{ "name": "Typed before" }])
        );
    });
}

#[test]
fn an_open_service_asks_nobody_and_says_so() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        browser.goto(&format!("{}/admin/", service.url)).await;
        browser.find("table", "Users").await;
        browser.see("auth=off").await;
        assert!(browser.look_for("button", "Sign out").await.is_none());
    });
}
