//! The steps that a request takes from its arrival to its answer, the same for every interface.
//!
//! - [`resource`]: the row of a resource, and a request as its handler gets it
//! - [`caller`]: the caller of a request, and whether the caller has the permission
//! - [`quota`]: the limit of requests of a client
//! - [`audit`]: the audit trail
//! - [`bulk`]: very many users in one request, one after the other
//! - [`readiness`]: whether the service can do its work
//! - [`conditional`]: changes that may have preconditions
//! - [`failure`]: errors of the directory as problems
//! - [`omissions`]: the parts that an answer about several users lacks
//!
//! An [`Interface`] adds its resources to that, and nothing that holds for all resources.

pub mod audit;
pub mod bulk;
pub mod caller;
pub mod conditional;
mod failure;
pub mod omissions;
pub mod quota;
pub mod readiness;
pub mod resource;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::header::{ALLOW, VARY};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::body::Body;
use crate::message::content::Content;
use crate::message::cors::Cors;
use crate::message::problem::{Problem, types};
use crate::message::trace::{self, Trace};
use crate::message::{accept, body, compression, limits};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;
use audit::Change;
use caller::Caller;
use quota::{Client, Quota};
use resource::{Answer, Call, Resource, Target};

/// An interface of the service, such as REST.
pub trait Interface {
    /// The request headers that pages of other origins may send, separated by commas.
    const HEADERS: &'static str;

    /// What tells how problems are told to the client, beside its request's target.
    type Form;

    /// The form of the answer to that request.
    fn form<B>(request: &Request<B>) -> Self::Form;

    /// Tells a problem to the client whose request `trace` names.
    fn tell(problem: Problem, form: Self::Form, trace: &Trace) -> Answer<'static>;

    /// Its resources. Of several that have the path of a request the first is meant.
    fn resources<S, P, B>() -> &'static [Resource<S, P, B>]
    where
        S: Store + 'static,
        P: Platform + 'static,
        B: Body + 'static;
}

/// What an answer depends on besides the URL (RFC 9110, section 12.5.5).
const VARIES: HeaderValue =
    HeaderValue::from_static("accept, accept-encoding, authorization, origin");

/// Lists the media types of patches that a resource takes (RFC 5789, section 3.1).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Answers a request. A HEAD request gets the body that GET would get: HTTP
/// servers send its length and leave it out (RFC 9110, section 9.3.2).
pub async fn respond<'a, I, S, P, B>(
    directory: &'a Directory<'a, S, P>,
    configuration: &'a Configuration,
    request: Box<Request<B>>,
) -> Answer<'a>
where
    I: Interface,
    S: Store + 'static,
    P: Platform + 'static,
    B: Body + 'static,
{
    let platform = directory.platform;
    let trace = Rc::new(Trace::of(request.headers(), platform));
    let cors = Cors::of(&request, &configuration.cors_origins);
    let gzip = compression::admits_gzip(request.headers());
    // The query is left out of the log: it may hold an email or a username. To clone the URI would
    // take more instructions.
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let form = I::form(&request);

    let target = Target::of(&request, I::resources());
    let caller = Caller::of(&request, target.permission, configuration, directory).await;
    let client = Client::of(request.headers(), caller.name(), configuration);
    let client = client.filter(|_| target.is_counted);
    let quota = match &client {
        Some(client) => client.count(directory).await,
        None => None,
    };
    let change = target.change().map(|action| Change {
        action,
        request: trace.request_id().to_owned(),
        principal: caller.name().map(str::to_owned),
        user: Rc::new(Cell::new(target.user)),
        group: Rc::new(Cell::new(target.group)),
    });
    let call = Box::new(Call {
        directory,
        configuration,
        request,
        segment: String::new(),
        second_segment: String::new(),
        media_type: "",
        caller,
        client,
        change: change.clone(),
        trace: trace.clone(),
    });
    let answered = admit(call, target, quota).await;
    let outcome = match &answered {
        Ok(answer) => answer.response.status(),
        Err(problem) => problem.status(),
    };
    let mut answer = answered.unwrap_or_else(|problem| {
        if let Some(cause) = problem.cause() {
            let line = format!("{trace} {method} {path}: {cause}");
            platform.log_error(&line);
        }
        I::tell(problem, form, &trace)
    });

    if gzip {
        compress(&mut answer.response);
    }
    let headers = answer.response.headers_mut();
    headers.insert(trace::REQUEST_ID, trace.header());
    headers.insert(VARY, VARIES);
    cors.apply(headers, I::HEADERS);
    if let Some(quota) = quota {
        quota.apply(headers);
    }
    // Content that is made while it is sent tells by itself how it ended.
    if let Some(change) = change
        && !matches!(answer.response.body(), Content::Parts(_))
    {
        change.end(platform, answer.created, outcome);
    }
    answer
}

/// Refuses the request, or hands it to its handler.
async fn admit<'a, S, P: Platform, B>(
    mut call: Box<Call<'a, S, P, B>>,
    target: Target<S, P, B>,
    quota: Option<Quota>,
) -> Result<Answer<'a>, Problem> {
    let headers = call.request.headers();
    if call.configuration.is_open && !call.configuration.allowed_hosts.admit(headers) {
        return Err(Problem::plain(types::MISDIRECTED));
    }
    quota.map_or(Ok(()), |quota| quota.check())?;
    limits::check(&call.request)?;
    call.caller.check(target.permission, target.user)?;
    let resource = target.resource.ok_or_else(Problem::no_such_resource)?;
    if call.request.method() == Method::OPTIONS {
        return Ok(options(resource).into());
    }
    let operation = target.operation;
    let operation = operation.ok_or_else(|| Problem::method_not_allowed(resource.allow()))?;
    if let offered @ [_, ..] = operation.offers {
        let preferred = accept::preferred(headers, offered);
        call.media_type = preferred.ok_or_else(|| Problem::not_acceptable(offered))?;
    }
    if let accepted @ [_, ..] = operation.accepts {
        body::check_media_type(headers, accepted).map_err(|problem| {
            match resource.accept_patch() {
                Some(patches) if operation.method == Method::PATCH => {
                    problem.with_header(ACCEPT_PATCH, patches)
                }
                _ => problem,
            }
        })?;
    }
    call.segment = target.segment;
    call.second_segment = target.second_segment;
    if !target.permission.depends_on_content() {
        call.begin();
    }
    (operation.handler)(call).await
}

/// Work that is done after a response was sent. It saves later requests time, and may fail.
pub async fn run_after_response<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
    created: Option<UserId>,
) {
    if let Some(id) = created {
        directory
            .merge_after(id, &configuration.indexed_attributes.0)
            .await;
    }
}

/// The answer to a request whose target is not a path (RFC 9112, section 3.2).
pub fn malformed_target(platform: &impl Platform) -> Answer<'static> {
    let trace = Trace::of(&Default::default(), platform);
    let mut response = Problem::malformed_target().into_response(&trace);
    let headers = response.headers_mut();
    headers.insert(trace::REQUEST_ID, trace.header());
    response.into()
}

/// The value of `Server-Timing`: how long the component had the request, `total`, and how long of
/// that it waited for the store. Content that is made while it is sent doesn't count.
pub fn server_timing(total: Duration, store: Duration) -> String {
    // As long as it is with times of less than 100 s.
    let mut value = String::with_capacity(44);
    value.push_str("component;dur=");
    push_milliseconds(&mut value, total.saturating_sub(store));
    value.push_str(", store;dur=");
    push_milliseconds(&mut value, store);
    value
}

/// With three decimals. `format!` takes many more instructions, and each request pays for this.
fn push_milliseconds(text: &mut String, duration: Duration) {
    let micros = duration.as_nanos() as u64 / 1000;
    let mut place = 1000;
    while micros / place >= 10 {
        place *= 10;
    }
    while place > 0 {
        if place == 100 {
            text.push('.');
        }
        text.push(char::from(b'0' + (micros / place % 10) as u8));
        place /= 10;
    }
}

/// Compresses content that is whole.
fn compress(response: &mut Response<Content>) {
    let mut headers = std::mem::take(response.headers_mut());
    if let Content::Whole(body) = response.body_mut() {
        compression::compress(&mut headers, body);
    }
    *response.headers_mut() = headers;
}

/// Answers `OPTIONS`: the methods of the resource.
fn options<S, P, B>(resource: &Resource<S, P, B>) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, resource.allow());
    if let Some(patches) = resource.accept_patch() {
        headers.insert(ACCEPT_PATCH, patches);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_milliseconds_with_three_decimals() {
        for (total, store, value) in [
            (0, 0, "component;dur=0.000, store;dur=0.000"),
            (1_999, 999, "component;dur=0.001, store;dur=0.000"),
            (
                12_345_678_999,
                10_000_000,
                "component;dur=12335.678, store;dur=10.000",
            ),
        ] {
            let times = [total, store].map(Duration::from_nanos);
            assert_eq!(server_timing(times[0], times[1]), value);
        }
    }
}
