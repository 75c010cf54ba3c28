//! Asks the application before it is served whether it can read its configuration.
//!
//! It answers as it would to a client: with a problem document (RFC 9457) whose type ends
//! in `misconfigured` if it can't. Any other answer is no reason not to serve. A store that
//! can't be reached, for example, may be there soon.

use anyhow::bail;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use serde::Deserialize;

use crate::runtime::loader::Application;
use crate::runtime::request_id::RequestId;
use crate::serve::body::ResponseBody;
use crate::serve::service;

/// The last part of the type of a problem that only the operator can solve.
const MISCONFIGURED: &str = "misconfigured";

/// The host that is asked: this one.
const LOCALHOST: &str = "localhost";

/// The most bytes of an answer that is looked at.
const MAX_ANSWER: usize = 64 << 10;

#[derive(Deserialize)]
struct Problem {
    r#type: String,
    #[serde(default)]
    detail: String,
}

/// Asks each of these paths. Fails with the detail of the first problem that is one of
/// configuration.
pub async fn run(application: &Application, paths: &[String]) -> anyhow::Result<()> {
    for path in paths {
        let id = RequestId::draw();
        let address = HeaderValue::from_static("127.0.0.1:0");
        let request = request(path)?;
        let Ok(response) = service::answer(application, &address, &id, request).await else {
            // The log has the reason.
            continue;
        };
        if let Some(problem) = problem(response).await
            && problem.r#type.rsplit(['/', ':', '#']).next() == Some(MISCONFIGURED)
        {
            bail!(
                "the application can't read its configuration: {}",
                problem.detail
            );
        }
    }
    Ok(())
}

fn request(path: &str) -> anyhow::Result<Request<wasmtime_wasi_http::WasiBody>> {
    let mut uri = path.parse::<Uri>()?.into_parts();
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(Authority::from_static(LOCALHOST));
    let request = Request::get(Uri::from_parts(uri)?).header(HOST, LOCALHOST);
    let body = Empty::<Bytes>::new().map_err(|never| match never {});
    Ok(request.body(body.boxed_unsync())?)
}

/// The problem document of the response, if it is one.
async fn problem(response: Response<ResponseBody>) -> Option<Problem> {
    let content_type = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !response.status().is_server_error() || media_type != "application/problem+json" {
        return None;
    }
    let body = Limited::new(response.into_body(), MAX_ANSWER);
    let body = body.collect().await.ok()?.to_bytes();
    serde_json::from_slice(&body).ok()
}
