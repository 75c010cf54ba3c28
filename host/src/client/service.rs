//! Requests to the service, and lines in its answers.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderValue, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Deserialize;

use super::options::ServiceOptions;

/// The environment variable with the token. There is no flag for it, for everybody on a machine
/// can see the arguments of a process.
const TOKEN: &str = "EDGE_USERS_TOKEN";

/// The most bytes of a line of an answer.
const MAX_LINE: usize = 1 << 20;

/// The service.
#[derive(Clone)]
pub struct Service {
    client: Client,
    url: Url,
    token: Option<HeaderValue>,
}

/// Why an answer did not come, or not to its end.
pub enum Failure {
    /// It may come later; the service was not reached, or said that it did nothing.
    NotNow {
        why: String,
        after: Option<Duration>,
    },
    /// The request was sent, and the answer broke off. Something may have been done.
    BrokenOff(String),
    /// It will not come, however often it is asked for.
    Never(anyhow::Error),
}

/// A problem document, as far as it is shown.
#[derive(Debug, Deserialize)]
pub struct Problem {
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Violation>,
}

#[derive(Debug, Deserialize)]
pub struct Violation {
    pub pointer: String,
    pub detail: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)?;
        for Violation { pointer, detail } in &self.errors {
            write!(f, " {pointer} {detail}.")?;
        }
        Ok(())
    }
}

impl Service {
    /// The service that the options name. It is not talked to yet.
    pub fn new(options: &ServiceOptions) -> anyhow::Result<Self> {
        let mut url: Url = options
            .url
            .parse()
            .with_context(|| format!("{:?} is not a URL", options.url))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            bail!(
                "{:?} is not the URL of a service: it must begin with http:// or https://",
                options.url
            );
        }
        // A service may be below a path: what is added to the URL stays below it.
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let token = match &options.token_file {
            Some(path) => Some(
                fs::read_to_string(path)
                    .with_context(|| format!("cannot read the token in {}", path.display()))?,
            ),
            None => std::env::var(TOKEN).ok(),
        };
        let token = match token
            .as_deref()
            .map(str::trim)
            .filter(|token| !token.is_empty())
        {
            Some(token) => {
                let value = HeaderValue::try_from(format!("Bearer {token}"));
                let mut value =
                    value.context("the token has characters that no header can have")?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        // Fails if there is one already, which is as well.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let client = Client::builder()
            .user_agent(concat!("edge-host/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            // An import says something after 20 s at the latest.
            .read_timeout(Duration::from_secs(60))
            // The token is for this service.
            .redirect(Policy::none())
            .build()?;
        Ok(Self { client, url, token })
    }

    /// A request for a path of the service, without a slash at its beginning.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.url.join(path).expect("paths are relative URLs");
        let request = self.client.request(method, url);
        match &self.token {
            Some(token) => request.header(AUTHORIZATION, token),
            None => request,
        }
    }
}

/// Sends the request; answers a response of status 200.
pub async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_builder() => return Err(Failure::Never(error.into())),
        Err(error) if error.is_connect() => {
            let why = reason(&error);
            return Err(Failure::NotNow { why, after: None });
        }
        Err(error) => return Err(Failure::BrokenOff(reason(&error))),
    };
    let status = response.status();
    if status == StatusCode::OK {
        return Ok(response);
    }
    let after = response.headers().get(RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
    let after = after.map(Duration::from_secs);
    let body = response.bytes().await.unwrap_or_default();
    let why = match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => format!("the service answers {status}: {problem}"),
        Err(_) => format!("the service answers {status}"),
    };
    Err(match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Failure::NotNow { why, after }
        }
        // Some of the work may be done.
        _ if status.is_server_error() => Failure::BrokenOff(why),
        _ => Failure::Never(anyhow::anyhow!(why)),
    })
}

/// What is at the bottom of it.
fn reason(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// The lines of an answer, as they arrive.
pub struct Lines {
    response: Response,
    bytes: Vec<u8>,
}

impl Lines {
    pub fn of(response: Response) -> Self {
        let bytes = Vec::new();
        Self { response, bytes }
    }

    /// The next line, with its end; `None` when there is no other. What was cut off is no line.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut searched = 0;
        loop {
            if let Some(length) = self.bytes[searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let rest = self.bytes.split_off(searched + length + 1);
                return Ok(Some(std::mem::replace(&mut self.bytes, rest)));
            }
            searched = self.bytes.len();
            if searched > MAX_LINE {
                return Err(Failure::Never(anyhow::anyhow!(
                    "the answer is not made of lines"
                )));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.bytes.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(Failure::BrokenOff(reason(&error))),
            }
        }
    }
}

/// The number that a path has as the value of its parameter `name`.
pub fn number_of(path: &str, name: &str) -> Option<u64> {
    let (_, query) = path.split_once('?')?;
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    parameters.find(|(given, _)| *given == name)?.1.parse().ok()
}
