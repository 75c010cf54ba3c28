//! Requests to the service, and lines in its answers.

use std::error::Error as StdError;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use tokio::time::timeout;

use crate::options::ServiceOptions;

/// The environment variable with the token. There is no flag for it, for everybody on a machine
/// can see the arguments of a process.
const TOKEN: &str = "EDGE_USERS_TOKEN";

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the service may say nothing. Imports and exports say something after 20 s at the latest.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of a problem document.
const MAX_PROBLEM: usize = 64 * 1024;

/// The most bytes of a line of an answer.
const MAX_LINE: usize = 1 << 20;

/// The service.
pub struct Service {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Without a slash at its end.
    url: String,
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
        let uri: Uri = options
            .url
            .parse()
            .with_context(|| format!("{:?} is not a URL", options.url))?;
        let secure = match (uri.scheme_str(), uri.query()) {
            (Some("https"), None) => true,
            (Some("http"), None) => false,
            _ => bail!(
                "{:?} is not the URL of a service, which is http:// or https://, a host, and maybe a path",
                options.url
            ),
        };
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
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector(secure)?),
            url: options.url.trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// Asks for what is at a path, which begins with a slash.
    pub async fn get(&self, path: &str) -> Result<Response<Incoming>, Failure> {
        self.send(Request::get(self.at(path)), Vec::new()).await
    }

    /// Sends lines to a path, which begins with a slash.
    pub async fn post_lines(
        &self,
        path: &str,
        lines: Vec<u8>,
    ) -> Result<Response<Incoming>, Failure> {
        let request = Request::post(self.at(path)).header(CONTENT_TYPE, "application/x-ndjson");
        self.send(request, lines).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends a request; answers a response of status 200.
    async fn send(
        &self,
        mut request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, Failure> {
        const AGENT: &str = concat!("edge-users/", env!("CARGO_PKG_VERSION"));
        request = request.header(USER_AGENT, AGENT);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body.into()));
        let request = request.map_err(|error| Failure::Never(error.into()))?;
        let response = match timeout(READ_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => {
                let why = reason(&error);
                return Err(Failure::NotNow { why, after: None });
            }
            Ok(Err(error)) => return Err(Failure::BrokenOff(reason(&error))),
            Err(_) => return Err(Failure::silent()),
        };
        match response.status() {
            StatusCode::OK => Ok(response),
            _ => Err(refusal(response).await),
        }
    }
}

/// Connects, with TLS if the service is to be talked to like that.
fn connector(secure: bool) -> anyhow::Result<HttpsConnector<HttpConnector>> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let builder = HttpsConnectorBuilder::new();
    let builder = match secure {
        true => builder
            .with_provider_and_native_roots(ring::default_provider())
            .context("this machine has no certificates to trust")?
            .https_only(),
        // A machine without certificates can do this as well.
        false => {
            let config = ClientConfig::builder_with_provider(ring::default_provider().into())
                .with_safe_default_protocol_versions()?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            builder.with_tls_config(config).https_or_http()
        }
    };
    Ok(builder.enable_http1().wrap_connector(http))
}

/// What a response means whose status is not 200.
async fn refusal(response: Response<Incoming>) -> Failure {
    let status = response.status();
    let after = response.headers().get(RETRY_AFTER);
    let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
    let after = after.map(Duration::from_secs);
    let body = http_body_util::Limited::new(response.into_body(), MAX_PROBLEM).collect();
    let body = match timeout(READ_TIMEOUT, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        _ => Bytes::new(),
    };
    let why = match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => format!("the service answers {status}: {problem}"),
        Err(_) => format!("the service answers {status}"),
    };
    match status {
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            Failure::NotNow { why, after }
        }
        // Some of the work may be done.
        _ if status.is_server_error() => Failure::BrokenOff(why),
        _ => Failure::Never(anyhow::anyhow!(why)),
    }
}

impl Failure {
    fn silent() -> Failure {
        Failure::BrokenOff(format!("the service says nothing for {READ_TIMEOUT:?}"))
    }
}

/// What is at the bottom of it.
fn reason(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// The lines of an answer, as they arrive.
pub struct Lines {
    body: Incoming,
    bytes: Vec<u8>,
}

impl Lines {
    pub fn of(response: Response<Incoming>) -> Self {
        Self {
            body: response.into_body(),
            bytes: Vec::new(),
        }
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
            match timeout(READ_TIMEOUT, self.body.frame()).await {
                // Anything else than data is trailers, which nobody sends.
                Ok(Some(Ok(frame))) => {
                    self.bytes.extend(frame.into_data().unwrap_or_default());
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(Failure::BrokenOff(reason(&error))),
                Err(_) => return Err(Failure::silent()),
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
