//! `/users/export`: every user, a line each.

use http::{Method, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::narrowing::{self, ANYWHERE};
use super::representation::{Fields, Representation};
use crate::auth::{Permission, Scope};
use crate::directory::Order;
use crate::message::content::Content;
use crate::message::ndjson::{self, NDJSON};
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::service::bulk::End;
use crate::service::bulk::export::{Export, Form};
use crate::service::resource::{Call, Operation, Resource, handled};
use crate::store::Store;
use crate::user::{Filter, User};

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
    filter: Filter,
    /// The parameters but `after`, for the continuation.
    again: String,
}

async fn export<'a, S: Store, P: Platform, B>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Response<Content<'a>>, Problem> {
    let known = [ANYWHERE, &["after"]].concat();
    let query = Query::parse(call.request.uri().query(), &known)?;
    let after = query.number("after", 0, u64::MAX)?;
    let lines = Lines {
        fields: Fields::of(&query)?,
        filter: narrowing::filter(call.configuration, &query)?,
        again: query.again(&["after"]),
    };
    let walk = call.directory.walk(after, Order::Ascending).await?;
    Ok(ndjson::response(Export::new(&call, lines, walk, None)))
}

impl Form for Lines {
    type Item = User;
    /// An id.
    type Place = u64;

    fn push(&mut self, bytes: &mut Vec<u8>, user: User) -> bool {
        let (user, fields) = (&user, self.fields);
        let is_wanted = self.filter.matches(user);
        if is_wanted {
            Representation { user, fields }.push(bytes);
            bytes.push(b'\n');
        }
        is_wanted
    }

    fn push_end(&mut self, bytes: &mut Vec<u8>, end: End, users: u64, passed: u64, trace: &Trace) {
        let next = format!("/users/export?after={passed}{}", self.again);
        push_closing(bytes, &end, ("users", users), &next, trace);
    }
}

/// Adds the last line of an export. It tells a client that it has everything, or where to go on: why the
/// export ends, how many of what it has, and the path of what follows, unless it is complete.
pub(super) fn push_closing(
    bytes: &mut Vec<u8>,
    end: &End,
    (counted, count): (&str, u64),
    next: &str,
    trace: &Trace,
) {
    let closing = Closing {
        end,
        counted,
        count,
        next,
        trace,
    };
    ndjson::push(bytes, &closing);
}

struct Closing<'a> {
    end: &'a End,
    counted: &'a str,
    count: u64,
    next: &'a str,
    trace: &'a Trace,
}

impl Serialize for Closing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("end", self.end.name())?;
        map.serialize_entry(self.counted, &self.count)?;
        if !matches!(self.end, End::Complete) {
            map.serialize_entry("next", self.next)?;
        }
        if let End::Problem(problem) = self.end {
            map.serialize_entry("problem", &problem.details(self.trace))?;
        }
        map.end()
    }
}
