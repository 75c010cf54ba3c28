//! `/users/export`: every user, a line each.

use http::{Method, Response};
use serde::Serialize;

use super::listing::fields_again;
use super::representation::{Fields, Representation};
use crate::auth::{Permission, Scope};
use crate::directory::Order;
use crate::message::content::Content;
use crate::message::ndjson::{self, NDJSON};
use crate::message::problem::{Details, Problem};
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::export::{Export, Form};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::User;

pub(super) const fn resource<S: Store, P: Platform, B>() -> Resource<S, P, B> {
    Resource {
        path: "/users/export",
        is_counted: true,
        operations: &[Operation {
            method: Method::GET,
            permission: Permission::Scope(Scope::Read),
            change: None,
            accepts: &[],
            offers: &[NDJSON],
            handler: |call| handled(export(call)),
        }],
    }
}

/// The lines of an export.
struct Lines {
    fields: Fields,
    /// The parameter `fields`, for the continuation.
    query: String,
}

/// The last line. It tells a client that it has all users, or where to go on.
#[derive(Serialize)]
struct Closing<'a> {
    /// `complete`, or why it ends here.
    end: &'static str,
    users: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Details<'a>>,
}

async fn export<'a, S: Store, P: Platform, B>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Response<Content<'a>>, Problem> {
    let query = Query::parse(call.request.uri().query(), &["after", "fields"])?;
    let after = query.number("after", 0, u64::MAX)?;
    let lines = Lines {
        fields: Fields::of(&query)?,
        query: fields_again(&query),
    };
    let walk = call.directory.walk(after, Order::Ascending).await?;
    Ok(ndjson::response(Export::new(&call, lines, walk, None)))
}

impl Form for Lines {
    fn push(&mut self, bytes: &mut Vec<u8>, user: User) {
        let fields = self.fields;
        let user = &user;
        ndjson::push(bytes, &Representation { user, fields });
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, users: u64, passed: u64, trace: &Trace) {
        let goes_on = !matches!(end, End::Complete);
        let next = format!("/users/export?after={passed}{}", self.query);
        let closing = Closing {
            end: end.name(),
            users,
            next: goes_on.then_some(next),
            problem: match &end {
                End::Problem(problem) => Some(problem.details(trace)),
                _ => None,
            },
        };
        ndjson::push(bytes, &closing);
    }
}
