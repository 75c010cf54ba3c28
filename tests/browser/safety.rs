//! What users are called is text, everywhere, and no other site does anything here.

use serde_json::json;

use crate::support::{Options, Service, browse};

const EVIL: &str = "<img src=x onerror=\"window.hacked = true\">";

#[test]
fn a_name_that_looks_like_markup_is_a_name_in_every_view() {
    let service = Service::open();
    browse(Options::default(), async move |browser| {
        let evil = json!({ "name": EVIL, "username": "<script>", "external_id": EVIL, "attributes": { "team": EVIL } });
        service.import([evil]).await;
        service
            .post("/groups", json!({ "name": EVIL, "description": EVIL }))
            .await;
        service
            .post("/groups/1/members", json!({ "add": [1] }))
            .await;
        for view in [
            "users?columns=username,external_id,attributes.team",
            "users/1",
            "groups",
            "groups/1",
            "overview",
        ] {
            browser.goto(&format!("{}/admin/{view}", service.url)).await;
            if view != "overview" {
                browser.see(EVIL).await;
            }
            assert_eq!(
                browser
                    .run(
                        "return document.querySelectorAll('main img, main script').length",
                        vec![]
                    )
                    .await,
                0
            );
        }
        browser
            .goto(&format!("{}/admin/users/1", service.url))
            .await;
        browser.click("button", "Switch off").await;
        browser.see("is switched off").await;
        service
            .patch("/users/1", json!({ "name": format!("{EVIL}2") }))
            .await;
        browser.fill("Name", "Other").await;
        browser.click("button", "Save").await;
        browser.see("Somebody else").await;
        browser.click("button", "Go on editing").await;
        let path = browser.file(
            "evil.csv",
            &format!(
                "{},email\r\n\"{}\",x\r\n",
                "name",
                EVIL.replace('"', "\"\"")
            ),
        );
        browser.goto("about:blank").await;
        browser.client.accept_alert().await.ok();
        browser.goto(&format!("{}/admin/import", service.url)).await;
        browser.choose_file(&path).await;
        browser.see(EVIL).await;
        browser.click("button", "Import").await;
        browser.see("1 refused").await;
        assert_eq!(
            browser.run("return window.hacked ?? null", vec![]).await,
            json!(null)
        );
        assert_eq!(
            browser
                .run("return document.querySelectorAll('img').length", vec![])
                .await,
            0
        );
    });
}

#[test]
fn markup_can_not_be_written_and_the_page_can_not_be_framed() {
    let service = Service::open();
    let other = Service::open();
    // These faults are meant.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let browser = crate::support::Browser::start(Options::default()).await;
        browser.goto(&format!("{}/admin/", service.url)).await;
        let script = "try { document.body.innerHTML = '<b>'; return 'written' } catch (error) { return error.name }";
        let written = browser.run(script, vec![]).await;
        // A page of another origin, which has no policy against frames of its own.
        browser.goto(&format!("{}/healthz", other.url)).await;
        let script = "const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame)";
        browser.run(script, vec![json!(format!("{}/admin/", service.url))]).await;
        let refused = async |browser: &crate::support::Browser| browser.faults().await.iter().any(|line| line.contains("frame-ancestors"));
        browser.until("a refusal of the frame", async || refused(&browser).await).await;
        // Nor does such a page read or end a session here.
        let script = "const [url, done] = arguments;
            Promise.all(['GET', 'POST', 'DELETE'].map((method) => fetch(url, { method, credentials: 'include',
                headers: method === 'GET' ? {} : { 'edge-users-session': '1' } }).then((answer) => answer.status, () => 'refused'))).then(done)";
        let url = json!(format!("{}/admin/session", service.url));
        let answers = browser.client.execute_async(script, vec![url]).await;
        browser.close().await;
        assert_eq!(written, "TypeError");
        assert_eq!(answers.expect("answers"), json!(["refused", "refused", "refused"]));
    });
}
