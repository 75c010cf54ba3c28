//! `ImportUsers`: a user from each message, and a message on what became of it.

use edge_users_proto::edgeusers::v1::import_users_response::Result as Outcome;
use edge_users_proto::edgeusers::v1::{
    FieldViolation, ImportError, ImportUsersRequest, ImportUsersResponse,
};
use http::{HeaderMap, Method};

use super::frame::Frames;
use super::status::Status;
use super::stream::Stream;
use super::user::{members, message, profile};
use super::users::required;
use crate::auth::{Permission, Scope};
use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::import::{Form, Import, Item};
use crate::service::bulk::outcome::{Done, Results};
use crate::service::bulk::user::UserWork;
use crate::service::bulk::work::OutcomeOf;
use crate::service::resource::{Answer, Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::User;

pub const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/edgeusers.v1.UserService/ImportUsers",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Write),
            change: Some("import"),
            accepts: &[],
            offers: &[],
            handler: |call| handled(std::future::ready(import(call))),
        }],
    }
}

fn import<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    let stream = Stream::of(&call)?;
    let limit = stream.deadline();
    let frames = stream.frames();
    Ok(stream.respond(|stream| Import::new(*call, Messages { stream, frames }, 1, limit)))
}

/// The messages of an import.
struct Messages {
    stream: Stream,
    frames: Frames,
}

impl Form for Messages {
    type Work = UserWork;

    fn push(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.frames.push(bytes)
    }

    fn next(&mut self) -> Result<Option<Item<UserWork>>, Problem> {
        let request = self.stream.next::<ImportUsersRequest>(&mut self.frames)?;
        let read = |request: ImportUsersRequest| profile(members(required(request.user)?)?);
        let read = |request| read(request).map(UserWork::Create);
        Ok(request.map(|request| Some(read(request))))
    }

    fn last(&mut self) -> Result<Option<Item<UserWork>>, Problem> {
        self.frames.finish()?;
        Ok(None)
    }

    fn push_result(
        &mut self,
        bytes: &mut Vec<u8>,
        _: u64,
        outcome: OutcomeOf<UserWork>,
        _: &Trace,
    ) {
        let user = |done: Done<Option<User>>| done.is.map(|user| Outcome::User(message(user)));
        let result = outcome
            .result
            .map_or_else(|problem| Some(Outcome::Error(error(&problem))), user);
        self.stream.push(bytes, &ImportUsersResponse { result });
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, _: Results, _: u64) {
        let outcome = self.stream.outcome(end);
        self.stream.push_end(bytes, outcome);
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.stream.trailers()
    }

    fn ends_at_once(&self) -> bool {
        self.stream.is_full_duplex()
    }
}

/// Why a message made no user.
fn error(problem: &Problem) -> ImportError {
    let status = Status::of(problem);
    let violations = status.violations.into_iter();
    let violations = violations.map(|violation| FieldViolation {
        field: violation.field,
        description: violation.description,
    });
    ImportError {
        code: status.code as i32,
        reason: status.reason.to_owned(),
        message: status.message,
        field_violations: violations.collect(),
    }
}
