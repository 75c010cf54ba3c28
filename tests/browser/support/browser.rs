//! A person at a browser, who finds things by their roles and names, as a screen reader tells them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::{Element, ElementRef};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use url::{ParseError, Url};

use super::{Service, root};

/// How long the page may take to show what it is to show: an import of 10,000 lines, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

const WEB_ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How the browser is.
#[derive(Clone, Copy)]
pub struct Options {
    pub width: u32,
    pub height: u32,
    pub is_dark: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            width: 1100,
            height: 900,
            is_dark: false,
        }
    }
}

/// Keys, as WebDriver writes them.
pub enum Key {}

impl Key {
    pub const TAB: char = '\u{E004}';
    pub const ENTER: char = '\u{E007}';
    pub const ESCAPE: char = '\u{E00C}';
    pub const SPACE: char = ' ';
}

#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    driver: Arc<Mutex<Child>>,
    /// Where files go that the person saves.
    downloads: PathBuf,
}

impl Browser {
    pub async fn start(options: Options) -> Browser {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").kill_on_drop(true);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("chromium-driver is installed");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = loop {
            let line = lines
                .next_line()
                .await
                .expect("a text")
                .expect("it tells its port");
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let downloads = root().join("target/browser");
        let downloads = downloads.join(format!("downloads-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&downloads).expect("target can be written");
        let downloads = downloads.canonicalize().expect("it is there");

        let size = format!("--window-size={},{}", options.width, options.height);
        let mut arguments = vec![
            "--headless=new",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            &size,
        ];
        // Root has no sandbox, and containers give it little shared memory.
        arguments.extend(["--no-sandbox", "--disable-dev-shm-usage"]);
        if options.is_dark {
            arguments.push("--force-dark-mode");
            arguments.push("--blink-settings=preferredColorScheme=0");
        }
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": arguments,
                "prefs": { "download.default_directory": downloads },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let capabilities = capabilities.as_object().expect("an object").clone();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let client = builder.connect(&format!("http://127.0.0.1:{port}")).await;
        Browser {
            client: client.expect("Chromium starts"),
            driver: Arc::new(Mutex::new(driver)),
            downloads,
        }
    }

    pub async fn close(self) {
        self.client.close().await.ok();
        self.driver.lock().await.kill().await.ok();
        std::fs::remove_dir_all(&self.downloads).ok();
    }

    /// Makes the viewport that narrow, as no window of a desktop can be.
    pub async fn narrow(&self, width: u32) {
        let command = Ask {
            path: "goog/cdp/execute".to_owned(),
            body: Some(
                json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": {
                "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false } })
                .to_string(),
            ),
        };
        self.client
            .issue_cmd(command)
            .await
            .expect("Chromium does that");
    }

    pub async fn goto(&self, url: &str) {
        self.client.goto(url).await.expect("the page is there");
    }

    /// The path and the query that the address bar shows.
    pub async fn place(&self) -> String {
        let url = self.client.current_url().await.expect("a URL");
        let query = url
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        format!("{}{query}", url.path())
    }

    /// Waits until the address bar shows that.
    pub async fn wait_for_place(&self, place: &str) {
        self.until(place, async || self.place().await == place)
            .await;
    }

    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let value = self.client.execute(script, arguments).await;
        value.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits for a moment at which this is so.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let begun = Instant::now();
        while !is_so().await {
            if begun.elapsed() > PATIENCE {
                let text = self.text().await;
                panic!(
                    "it never came to {what}; the page at {} shows:\n{text}",
                    self.place().await
                );
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// All that can be read.
    pub async fn text(&self) -> String {
        let text = self.run("return document.body.innerText", vec![]).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a text.
    pub async fn see(&self, text: &str) {
        self.until(text, async || self.text().await.contains(text))
            .await;
    }

    pub async fn sees(&self, text: &str) -> bool {
        self.text().await.contains(text)
    }

    /// What has this role and this name, if it is there and can be seen. While a dialog is open, only in that.
    pub async fn look_for(&self, role: &str, name: &str) -> Option<Element> {
        let script = "
            const [role, name] = arguments;
            const scope = document.querySelector('dialog[open]') ?? document;
            const tags = { textbox: 'input, textarea', searchbox: 'input', combobox: 'select, input', checkbox: 'input',
              radio: 'input', button: 'button', link: 'a', table: 'table', heading: 'h1, h2', progressbar: 'progress' };
            const named = (element) => (element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ??
              element.caption?.textContent ?? element.textContent).trim();
            return [...scope.querySelectorAll(tags[role])].find((element) => named(element) === name && element.checkVisibility()) ?? null";
        let found = self
            .client
            .execute(script, vec![json!(role), json!(name)])
            .await
            .ok()?;
        let id = found[WEB_ELEMENT].as_str()?.to_owned();
        let element = Element::from_element_id(self.client.clone(), ElementRef::from(id));
        // What the browser tells a screen reader.
        let told = self.told(&element).await?;
        (told == (role.to_owned(), name.to_owned())).then_some(element)
    }

    async fn told(&self, element: &Element) -> Option<(String, String)> {
        let ask = async |what| {
            let command = Ask {
                path: format!("element/{}/{what}", element.element_id()),
                body: None,
            };
            let told = self.client.issue_cmd(command).await.ok()?;
            told.as_str().map(str::to_owned)
        };
        Some((ask("computedrole").await?, ask("computedlabel").await?))
    }

    /// Waits for what has this role and this name.
    pub async fn find(&self, role: &str, name: &str) -> Element {
        let mut found = None;
        self.until(&format!("a {role} {name:?}"), async || {
            found = self.look_for(role, name).await;
            found.is_some()
        })
        .await;
        found.expect("it was found")
    }

    pub async fn click(&self, role: &str, name: &str) {
        let element = self.find(role, name).await;
        let clicked = element.click().await;
        clicked.unwrap_or_else(|error| panic!("{role} {name:?}: {error}"));
    }

    pub async fn value(&self, role: &str, name: &str) -> String {
        let element = self.find(role, name).await;
        element
            .prop("value")
            .await
            .expect("a value")
            .unwrap_or_default()
    }

    /// Opens a path of the page.
    pub async fn open(&self, service: &Service, path: &str) {
        self.goto(&format!("{}/admin{path}", service.url)).await;
    }

    /// The names in a list of users or groups.
    pub async fn names(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('tbody tr td:first-child a')].map((link) => link.textContent)";
        let names = self.run(script, vec![]).await;
        let names = names.as_array().expect("a list").iter();
        names
            .map(|name| name.as_str().expect("a name").to_owned())
            .collect()
    }

    /// Waits until the list begins so.
    pub async fn wait_for_first(&self, expected: &[&str]) {
        self.until(&format!("{expected:?} at first"), async || {
            let names = self.names().await;
            names.iter().take(expected.len()).eq(expected)
        })
        .await;
    }

    /// Waits until the list is this.
    pub async fn wait_for_names(&self, expected: &[&str]) {
        self.until(&format!("{expected:?}"), async || {
            self.names().await == expected
        })
        .await;
    }

    /// Types a text into a field, in place of what is there.
    pub async fn fill(&self, name: &str, text: &str) {
        let role = match name {
            _ if name.starts_with("Search") => "searchbox",
            // They propose what there is.
            "Group" | "Add to the group" => "combobox",
            _ => "textbox",
        };
        let element = self.find(role, name).await;
        self.run(
            "arguments[0].focus(); arguments[0].select()",
            vec![serde_json::to_value(&element).expect("an element")],
        )
        .await;
        // Backspace takes what is selected away.
        let keys = if text.is_empty() { "\u{E003}" } else { text };
        element.send_keys(keys).await.expect("it takes the text");
    }

    /// Chooses an option by its text.
    pub async fn choose(&self, name: &str, option: &str) {
        let element = self.find("combobox", name).await;
        element
            .select_by_label(option)
            .await
            .expect("there is the option");
    }

    /// What is told to be wrong with a field.
    pub async fn fault(&self, name: &str) -> String {
        let element = self.find("textbox", name).await;
        let script = "return arguments[0].getAttribute('aria-invalid') === 'true'
            ? arguments[0].getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id))
                .filter((one) => one.className === 'error').map((one) => one.textContent).join()
            : ''";
        let told = self
            .run(
                script,
                vec![serde_json::to_value(&element).expect("an element")],
            )
            .await;
        told.as_str().unwrap_or_default().to_owned()
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let actions = keys
            .chars()
            .fold(KeyActions::new("keyboard".to_owned()), |actions, key| {
                actions
                    .then(KeyAction::Down { value: key })
                    .then(KeyAction::Up { value: key })
            });
        self.client
            .perform_actions(actions)
            .await
            .expect("keys are pressed");
    }

    /// Presses the tab key until that has the focus.
    pub async fn tab_to(&self, role: &str, name: &str) {
        for _ in 0..60 {
            let element = self
                .client
                .active_element()
                .await
                .expect("something has the focus");
            if self.told(&element).await == Some((role.to_owned(), name.to_owned())) {
                return;
            }
            self.press(&Key::TAB.to_string()).await;
        }
        panic!("the tab key never leads to the {role} {name:?}");
    }

    /// Waits for a file that the person saved.
    pub async fn saved(&self, name: &str) -> String {
        let path = self.downloads.join(name);
        self.until(name, async || path.exists()).await;
        std::fs::read_to_string(path).expect("a text")
    }

    /// A file for the person to choose.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.downloads.join(name);
        std::fs::write(&path, content).expect("target can be written");
        path
    }

    pub async fn choose_file(&self, path: &Path) {
        let chooser = fantoccini::Locator::Css("input[type=file]");
        let chooser = self
            .client
            .wait()
            .for_element(chooser)
            .await
            .expect("a chooser");
        chooser
            .send_keys(path.to_str().expect("a text"))
            .await
            .expect("it takes the file");
    }

    /// What the page has told of: scripts that failed, and what its policy refused. Not the statuses of requests, as some
    /// are meant to fail.
    pub async fn faults(&self) -> Vec<String> {
        let command = Ask {
            path: "se/log".to_owned(),
            body: Some(json!({ "type": "browser" }).to_string()),
        };
        let log = self.client.issue_cmd(command).await.expect("a log");
        let entries = log.as_array().expect("a list").iter();
        let told = entries.filter_map(|entry| entry["message"].as_str());
        told.filter(|line| !line.contains("Failed to load resource"))
            .map(str::to_owned)
            .collect()
    }
}

/// A command that the library does not have.
#[derive(Debug)]
struct Ask {
    path: String,
    body: Option<String>,
}

impl WebDriverCompatibleCommand for Ask {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        let session = session.expect("there is a session");
        base.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        match &self.body {
            None => (Method::GET, None),
            Some(body) => (Method::POST, Some(body.clone())),
        }
    }
}
