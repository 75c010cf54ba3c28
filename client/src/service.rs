//! Requests to the service.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, IF_MATCH, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use tokio::time::timeout;

use crate::answer::{Again, Failure, Problem, READ_TIMEOUT, reason};
use crate::connection::{HttpClient, client};
use crate::options::ServiceOptions;

/// The environment variable with the token. There is no flag for it, for everybody on a machine
/// can see the arguments of a process.
const TOKEN: &str = "EDGE_USERS_TOKEN";

/// The most bytes of an answer that is read whole.
const MAX_ANSWER: usize = 64 * 1024;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";
const PROBLEM: &str = "application/problem+json";

/// How the types of the service's own problems begin.
const PROBLEM_TYPES: &str = "/problems/";

/// The service.
pub struct Service {
    client: HttpClient,
    /// Without a slash at its end.
    url: String,
    token: Option<HeaderValue>,
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
            client: client(secure)?,
            url: options.url.trim_end_matches('/').to_owned(),
            token,
        })
    }

    /// Asks for the JSON at a path, which begins with a slash.
    pub async fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let request = Request::get(self.at(path));
        self.answer(request, Vec::new()).await
    }

    /// Sends JSON to a path, which begins with a slash; the answer is JSON, too.
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> Result<T, Failure> {
        let request = Request::post(self.at(path)).header(CONTENT_TYPE, JSON);
        self.answer(request, body.to_string().into_bytes()).await
    }

    /// Changes what is at a path, which begins with a slash, in the version of that entity tag.
    pub async fn patch_json(&self, path: &str, tag: &str, patch: &Value) -> Result<(), Failure> {
        let request = Request::patch(self.at(path)).header(CONTENT_TYPE, JSON);
        let request = request.header(IF_MATCH, tag);
        let body = patch.to_string().into_bytes();
        self.answer::<IgnoredAny>(request, body).await.map(|_| ())
    }

    /// Sends a request whose answer is JSON.
    async fn answer<T: DeserializeOwned>(
        &self,
        request: http::request::Builder,
        body: Vec<u8>,
    ) -> Result<T, Failure> {
        let response = self.send(request, body, JSON).await?;
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        match timeout(READ_TIMEOUT, body).await {
            Ok(Ok(body)) => serde_json::from_slice(&body.to_bytes())
                .map_err(|error| Failure::broken_off(format!("the answer is wrong: {error}"))),
            Ok(Err(error)) => Err(Failure::broken_off(reason(&*error))),
            Err(_) => Err(Failure::silent()),
        }
    }

    /// Asks for the lines at a path, which begins with a slash.
    pub async fn get_lines(&self, path: &str) -> Result<Response<Incoming>, Failure> {
        let request = Request::get(self.at(path));
        self.send(request, Vec::new(), NDJSON).await
    }

    /// Sends lines to a path, which begins with a slash; the answer has lines, too.
    pub async fn post_lines(
        &self,
        path: &str,
        lines: Vec<u8>,
    ) -> Result<Response<Incoming>, Failure> {
        let request = Request::post(self.at(path)).header(CONTENT_TYPE, NDJSON);
        self.send(request, lines, NDJSON).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Sends a request; answers a response of status 200 with content of that type.
    async fn send(
        &self,
        mut request: http::request::Builder,
        body: Vec<u8>,
        expected: &str,
    ) -> Result<Response<Incoming>, Failure> {
        const AGENT: &str = concat!("edge-users/", env!("CARGO_PKG_VERSION"));
        request = request.header(USER_AGENT, AGENT);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(body.into()));
        let request = request.map_err(|error| Failure::refused(error.to_string(), Again::Never))?;
        let response = match timeout(READ_TIMEOUT, self.client.request(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if error.is_connect() => {
                return Err(Failure::refused(reason(&error), Again::Later(None)));
            }
            Ok(Err(error)) => return Err(Failure::broken_off(reason(&error))),
            Err(_) => return Err(Failure::silent()),
        };
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        match media_type(response.headers()) {
            Some(given) if given != expected => Err(Failure {
                why: format!(
                    "{} answers {given}, where edge-users would answer {expected}: is the URL \
                     right, and is there a proxy before the service?",
                    self.url
                ),
                may_be_done: true,
                again: Again::Never,
                status: None,
            }),
            _ => Ok(response),
        }
    }

    /// The meaning of a response with another status than 200.
    async fn refusal(&self, response: Response<Incoming>) -> Failure {
        let status = response.status();
        let header = |name| response.headers().get(name)?.to_str().ok();
        let after = header(RETRY_AFTER).and_then(|value| value.parse().ok());
        let again = Again::Later(after.map(Duration::from_secs));
        let location = header(LOCATION).map(|to| format!(" to {to}: give the URL of the service"));
        let is_problem = media_type(response.headers()).is_none_or(|given| given == PROBLEM);
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        let body = match timeout(READ_TIMEOUT, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            _ => Bytes::new(),
        };
        let told = serde_json::from_slice::<Problem>(&body);
        let told = told.ok().filter(|_| is_problem);
        let is_from_service = told
            .as_ref()
            .is_some_and(|told| told.kind.starts_with(PROBLEM_TYPES));
        let why = match told {
            Some(problem) => format!("the service answers {status}: {problem}"),
            None if status.is_redirection() => {
                format!(
                    "the service answers {status}{}",
                    location.unwrap_or_default()
                )
            }
            None if status == StatusCode::UNAUTHORIZED && self.token.is_none() => format!(
                "the service, or a proxy before it, answers {status}: give a token by --token-file \
                 or {TOKEN}"
            ),
            None => format!("the service, or a proxy before it, answers {status}"),
        };
        let failure = match status {
            StatusCode::TOO_MANY_REQUESTS => Failure::refused(why, again),
            // A proxy may say this of a request that reached the service.
            StatusCode::SERVICE_UNAVAILABLE if is_from_service => Failure::refused(why, again),
            StatusCode::REQUEST_TIMEOUT => Failure::broken_off(why),
            _ if status.is_client_error() || status.is_redirection() => {
                Failure::refused(why, Again::Never)
            }
            _ => Failure {
                why,
                may_be_done: true,
                status: None,
                again: match status.is_server_error() {
                    true => again,
                    false => Again::Never,
                },
            },
        };
        Failure {
            status: Some(status.as_u16()),
            ..failure
        }
    }
}

/// The media type of a message, without its parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (given, _) = value.split_once(';').unwrap_or((value, ""));
    Some(given.trim().to_ascii_lowercase())
}
