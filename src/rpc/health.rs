//! `grpc.health.v1.Health`: whether the service serves, for probes and load balancers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use edge_users_proto::grpc::health::v1::health_check_response::ServingStatus;
use edge_users_proto::grpc::health::v1::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use http::{HeaderMap, Method};

use super::code::UNKNOWN_SERVICE;
use super::stream::Stream;
use super::unary::{Reply, unary};
use crate::auth::Permission;
use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::body::Body;
use crate::message::content::{Part, Parts};
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::bulk::{End, deadline};
use crate::service::readiness;
use crate::service::resource::{Answer, Call, Handler, Operation, Resource, handled};
use crate::store::Store;
use crate::timestamp::Timestamp;

/// The services that have a status: all of them, and the one that has users.
const SERVICES: [&str; 2] = ["", "edgeusers.v1.UserService"];

/// How often a service is looked at that is watched.
const INTERVAL: Duration = Duration::from_secs(1);

const fn resource<S, P, B>(
    path: &'static str,
    operations: &'static [Operation<S, P, B>],
) -> Resource<S, P, B> {
    Resource {
        path,
        is_counted: false,
        operations,
    }
}

/// Everybody may ask.
const fn operation<S, P, B>(handler: Handler<S, P, B>) -> Operation<S, P, B> {
    Operation {
        method: Method::POST,
        permission: Permission::Public,
        change: None,
        accepts: &[],
        offers: &[],
        handler,
    }
}

pub const fn check<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    let operations = const { &[operation(|call| handled(unary(call, answer_check)))] };
    resource("/grpc.health.v1.Health/Check", operations)
}

pub const fn list<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    let operations = const { &[operation(|call| handled(unary(call, answer_list)))] };
    resource("/grpc.health.v1.Health/List", operations)
}

pub const fn watch<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    let operations = const { &[operation(|call| handled(answer_watch(call)))] };
    resource("/grpc.health.v1.Health/Watch", operations)
}

async fn answer_check<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: HealthCheckRequest,
) -> Result<Reply<HealthCheckResponse>, Problem> {
    match SERVICES.contains(&&*request.service) {
        true => Ok(status(call.directory, call.configuration).await.into()),
        false => Err(Problem::plain(UNKNOWN_SERVICE)),
    }
}

async fn answer_list<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    _: HealthListRequest,
) -> Result<Reply<HealthListResponse>, Problem> {
    let status = status(call.directory, call.configuration).await;
    let mut statuses = BTreeMap::new();
    for service in SERVICES {
        statuses.insert(service.to_owned(), status);
    }
    Ok(HealthListResponse { statuses }.into())
}

/// The status of all services alike: each needs the configuration and the store.
async fn status<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
) -> HealthCheckResponse {
    let status = match readiness::check(directory, configuration).await {
        Ok(()) => ServingStatus::Serving,
        Err(_) => ServingStatus::NotServing,
    };
    response(status)
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    let status = status.into();
    HealthCheckResponse { status }
}

async fn answer_watch<'a, S: Store, P: Platform, B: Body>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    let stream = Stream::of(&call)?;
    let (call, body) = call.take_body();
    let request: HealthCheckRequest = stream.read(body).await?;
    let deadline = deadline(&call, stream.deadline());
    Ok(stream.respond(|stream| Watch {
        directory: call.directory,
        configuration: call.configuration,
        is_known: SERVICES.contains(&&*request.service),
        told: None,
        deadline,
        is_over: false,
        stream,
    }))
}

/// The status each time that it changes. A watch ends when the operator's time limit does:
/// clients begin another.
struct Watch<'a, S, P> {
    directory: &'a Directory<'a, S, P>,
    configuration: &'a Configuration,
    is_known: bool,
    /// What the client was told last.
    told: Option<HealthCheckResponse>,
    deadline: Timestamp,
    is_over: bool,
    stream: Stream,
}

impl<S: Store, P: Platform> Watch<'_, S, P> {
    async fn part(&mut self) -> Part {
        if self.is_over {
            return Part::End;
        }
        let mut bytes = Vec::new();
        let now = self.directory.platform.now();
        if now >= self.deadline {
            self.is_over = true;
            let outcome = self.stream.outcome(End::TimeLimit(now));
            self.stream.push_end(&mut bytes, outcome);
            return Part::Bytes(bytes);
        }
        let status = match self.is_known {
            true => status(self.directory, self.configuration).await,
            false => response(ServingStatus::ServiceUnknown),
        };
        if self.told == Some(status) {
            return Part::Pause(INTERVAL);
        }
        self.told = Some(status);
        self.stream.push(&mut bytes, &status);
        Part::Bytes(bytes)
    }
}

impl<S: Store, P: Platform> Parts for Watch<'_, S, P> {
    fn next(&mut self, _: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.part())
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.stream.trailers()
    }
}
