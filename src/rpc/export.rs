//! `ExportUsers`: every user, a message each.

use edge_users_proto::edgeusers::v1::{ExportUsersRequest, ExportUsersResponse};
use http::{HeaderMap, Method};

use super::stream::Stream;
use super::user::message;
use crate::auth::{Permission, Scope};
use crate::directory::Order;
use crate::message::body::Body;
use crate::message::problem::Problem;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::export::{Export, Form};
use crate::service::resource::{Answer, Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::User;

pub const fn resource<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    Resource {
        path: "/edgeusers.v1.UserService/ExportUsers",
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Scope(Scope::Read),
            change: None,
            accepts: &[],
            offers: &[],
            handler: |call| handled(export(call)),
        }],
    }
}

async fn export<'a, S: Store, P: Platform, B: Body>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    let stream = Stream::of(&call)?;
    let (call, body) = call.take_body();
    let request: ExportUsersRequest = stream.read(body).await?;
    let limit = stream.deadline();
    let walk = call
        .directory
        .walk(Some(request.after), Order::Ascending)
        .await?;
    Ok(stream.respond(|stream| Export::new(&call, stream, walk, limit)))
}

impl Form for Stream {
    type Item = User;
    /// An id.
    type Place = u64;

    fn push(&mut self, bytes: &mut Vec<u8>, user: User) -> bool {
        let user = Some(message(user));
        Stream::push(self, bytes, &ExportUsersResponse { user });
        true
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, _: u64, _: u64, _: &Trace) {
        let outcome = self.outcome(end);
        Stream::push_end(self, bytes, outcome);
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        Stream::trailers(self)
    }
}
