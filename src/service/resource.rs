//! Resources. Each has one row with all that is known of it, in the module that owns it.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use http::{HeaderValue, Method, Request, Response};

use super::audit::Change;
use super::caller::Caller;
use super::quota::Client;
use crate::auth::Permission;
use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::group::GroupId;
use crate::message::content::Content;
use crate::message::problem::Problem;
use crate::message::query::percent_decode;
use crate::message::trace::Trace;
use crate::platform::Platform;
use crate::user::UserId;

/// A resource. To add one is to write a module with such a row, and to name that in the list of
/// its interface.
pub struct Resource<S: 'static, P: 'static, B: 'static> {
    /// Its path. `{}`, which may be in it twice, stands for any segment.
    pub path: &'static str,
    /// Whether its requests count towards the limit of a client. Health checks don't.
    pub is_counted: bool,
    /// Its methods. GET brings HEAD with it, and every resource has OPTIONS.
    pub operations: &'static [Operation<S, P, B>],
}

/// A method of a resource.
pub struct Operation<S: 'static, P: 'static, B: 'static> {
    pub method: Method,
    /// The permission that the caller needs.
    pub permission: Permission,
    /// Its name in the audit trail; `None` if it changes nothing.
    pub change: Option<&'static str>,
    /// The media types that a request may have. Empty if the handler reads no content.
    pub accepts: &'static [&'static str],
    /// The media types that an answer may have, the usual one first. Empty if it is sent whatever
    /// the client accepts.
    pub offers: &'static [&'static str],
    pub handler: Handler<S, P, B>,
}

/// Fulfils a request.
pub type Handler<S, P, B> = for<'a> fn(Box<Call<'a, S, P, B>>) -> Handled<'a>;

/// The future answer of a handler.
pub type Handled<'a> = Pin<Box<dyn Future<Output = Result<Answer<'a>, Problem>> + 'a>>;

/// Makes a [`Handled`] from the future of an async function.
pub fn handled<'a, A: Into<Answer<'a>>>(
    answer: impl Future<Output = Result<A, Problem>> + 'a,
) -> Handled<'a> {
    // In a box of its own it is moved once. A future that awaits it has room for it twice.
    let answer = Box::pin(answer);
    Box::pin(async { answer.await.map(Into::into) })
}

/// A request that may be fulfilled, as its handler gets it: in a box, as it is passed on often.
pub struct Call<'a, S, P, B> {
    pub directory: &'a Directory<'a, S, P>,
    pub configuration: &'a Configuration,
    pub request: Box<Request<B>>,
    /// The segment at the place of `{}` in the path, decoded.
    pub segment: String,
    /// The segment at the place of a second `{}`.
    pub second_segment: String,
    /// The one of the media types on offer that the client prefers.
    pub media_type: &'static str,
    pub caller: Caller,
    /// The client, if its requests are limited. This request is counted already.
    pub client: Option<Client>,
    /// The change that the request makes, for the audit trail.
    pub change: Option<Change>,
    pub trace: Rc<Trace>,
}

impl<'a, S, P: Platform, B> Call<'a, S, P, B> {
    /// The call and the body of its request.
    pub fn take_body(self) -> (Call<'a, S, P, ()>, B) {
        let (head, body) = self.request.into_parts();
        let call = Call {
            directory: self.directory,
            configuration: self.configuration,
            request: Box::new(Request::from_parts(head, ())),
            segment: self.segment,
            second_segment: self.second_segment,
            media_type: self.media_type,
            caller: self.caller,
            client: self.client,
            change: self.change,
            trace: self.trace,
        };
        (call, body)
    }

    /// Fails unless the caller has the permission, for the user that the content of the request
    /// names. For operations that ask for [`Permission::ByContent`].
    pub fn admit(&self, permission: Permission, user: Option<UserId>) -> Result<(), Problem> {
        if let Some(change) = &self.change {
            change.user.set(user);
        }
        self.caller.check(permission, user)?;
        self.begin();
        Ok(())
    }

    /// Says in the audit trail that what follows may make the change.
    pub(super) fn begin(&self) {
        if let Some(change) = &self.change {
            change.begin(self.directory.platform);
        }
    }
}

/// An answer, and a fact that only the service needs.
pub struct Answer<'a> {
    /// In a box, as it is passed on often.
    pub response: Box<Response<Content<'a>>>,
    /// The user that the request created.
    pub created: Option<UserId>,
}

impl<'a> From<Response<Content<'a>>> for Answer<'a> {
    fn from(response: Response<Content<'a>>) -> Answer<'a> {
        Answer {
            response: Box::new(response),
            created: None,
        }
    }
}

impl From<Response<Vec<u8>>> for Answer<'_> {
    fn from(response: Response<Vec<u8>>) -> Self {
        response.map(Content::Whole).into()
    }
}

impl<S, P, B> Resource<S, P, B> {
    /// The service as a whole, the target of `OPTIONS *` (RFC 9110, section 9.3.7).
    const SERVER: Resource<S, P, B> = Resource {
        path: "*",
        is_counted: true,
        operations: &[],
    };

    /// The segments at the places of `{}`, empty where it has none, if the path is this resource's.
    fn segments<'p>(&self, path: &'p str) -> Option<[&'p str; 2]> {
        // Most resources differ at the first letters. To look for `{}` takes many more instructions.
        let both = self.path.bytes().zip(path.bytes());
        let equal = both.take_while(|(own, other)| own == other && *own != b'{');
        let length = equal.count();
        let (own, rest) = (&self.path[length..], &path[length..]);
        match own.strip_prefix("{}") {
            None => (own.is_empty() && rest.is_empty()).then_some([""; 2]),
            Some(after) => match after.strip_suffix("{}") {
                None => {
                    let segment = rest.strip_suffix(after)?;
                    is_segment(segment).then_some([segment, ""])
                }
                Some(between) => {
                    let (first, second) = rest.split_once(between)?;
                    (is_segment(first) && is_segment(second)).then_some([first, second])
                }
            },
        }
    }

    fn operation(&self, method: &Method) -> Option<&'static Operation<S, P, B>> {
        let method = match *method {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let mut operations = self.operations.iter();
        operations.find(|operation| operation.method == *method)
    }

    /// The permission for a method that the resource does not have: the strictest of all its
    /// methods, so that a refusal reveals as little as possible.
    fn strictest(&self) -> Permission {
        let permissions = self.operations.iter().map(|operation| operation.permission);
        let scopes = permissions.clone().filter_map(Permission::scope);
        match scopes.max() {
            Some(scope) => Permission::Scope(scope),
            None if permissions.into_iter().any(Permission::depends_on_content) => {
                Permission::Known
            }
            None => Permission::Public,
        }
    }

    /// The methods that it has (RFC 9110, section 10.2.1).
    pub fn allow(&self) -> HeaderValue {
        let mut allow = String::new();
        for operation in self.operations {
            allow += operation.method.as_str();
            allow += ", ";
            if operation.method == Method::GET {
                allow += "HEAD, ";
            }
        }
        HeaderValue::try_from(allow + "OPTIONS").expect("letters and commas")
    }

    /// The media types of patches, if the resource takes patches.
    pub fn accept_patch(&self) -> Option<HeaderValue> {
        let patch = self.operation(&Method::PATCH)?;
        let media_types = HeaderValue::try_from(patch.accepts.join(", "));
        Some(media_types.expect("media types"))
    }
}

fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.contains('/')
}

/// The target of a request.
pub struct Target<S: 'static, P: 'static, B: 'static> {
    /// `None` if the path has no resource.
    pub resource: Option<&'static Resource<S, P, B>>,
    /// `None` if the resource has no such method.
    pub operation: Option<&'static Operation<S, P, B>>,
    /// The permission that the caller needs.
    pub permission: Permission,
    /// Whether the request counts towards the limit of its client.
    pub is_counted: bool,
    /// The segment at the place of `{}` in the path; empty if it can't be decoded.
    pub segment: String,
    /// The segment at the place of a second `{}`, likewise.
    pub second_segment: String,
    /// The user that the path names.
    pub user: Option<UserId>,
    /// The group that the path names.
    pub group: Option<GroupId>,
}

impl<S, P, B> Target<S, P, B> {
    pub fn of(request: &Request<B>, resources: &'static [Resource<S, P, B>]) -> Self {
        let path = request.uri().path();
        let resources = resources.iter().chain([const { &Resource::SERVER }]);
        let mut resources = resources;
        let found = resources.find_map(|resource| {
            let segments = resource.segments(path)?;
            Some((resource, segments))
        });
        let (resource, segments) = found.unzip();
        let decoded = |segment: &str| percent_decode(segment).unwrap_or_default();
        let [segment, second_segment] = segments.unwrap_or_default().map(decoded);
        let operation = resource.and_then(|resource| resource.operation(request.method()));
        let (permission, is_counted) = match (resource, operation) {
            // Only known callers learn which paths have no resource.
            (None, _) => (Permission::Known, true),
            // A preflight is the browser's, and comes without credentials (Fetch Standard,
            // section 4.8).
            (Some(_), _) if request.method() == Method::OPTIONS => (Permission::Public, false),
            (Some(resource), Some(operation)) => (operation.permission, resource.is_counted),
            (Some(resource), None) => (resource.strictest(), resource.is_counted),
        };
        let of_group = resource.is_some_and(|resource| {
            let mut folders = ["/groups", "/scim/v2/Groups"].into_iter();
            folders.any(|folder| resource.path.starts_with(folder))
        });
        let (user, group) = match of_group {
            true => (second_segment.parse().ok(), segment.parse().ok()),
            false => (segment.parse().ok(), None),
        };
        Target {
            resource,
            operation,
            permission,
            is_counted,
            user,
            group,
            segment,
            second_segment,
        }
    }

    /// The change that the request would make, if any.
    pub fn change(&self) -> Option<&'static str> {
        self.operation?.change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_for_one_segment_wherever_that_is() {
        for (pattern, path, segment) in [
            ("/users", "/users", Some("")),
            ("/users", "/users/", None),
            ("/users/{}", "/users/7", Some("7")),
            ("/users/{}", "/users/", None),
            ("/users/{}", "/users/7/avatar", None),
            ("/users/{}/avatar", "/users/7/avatar", Some("7")),
            ("/users/{}/avatar", "/users//avatar", None),
            ("/users/{}/avatar", "/users/avatar", None),
            ("/users/{}", "/users/{}", Some("{}")),
            ("/users", "/users/{}", None),
            ("/users/{}", "/us", None),
            ("/users/{}", "/users/é", Some("é")),
            ("/users/{}/avatar", "/users/7/8/avatar", None),
            ("/users/{}/avatar", "/users/7/avatar/", None),
        ] {
            let resource = Resource::<(), (), ()> {
                path: pattern,
                is_counted: true,
                operations: &[],
            };
            let segments = segment.map(|segment| [segment, ""]);
            assert_eq!(resource.segments(path), segments, "{pattern} {path}");
        }
    }
    #[test]
    fn a_path_may_have_two_segments_that_stand_for_any() {
        let resource = Resource::<(), (), ()> {
            path: "/groups/{}/members/{}",
            is_counted: true,
            operations: &[],
        };
        for (path, segments) in [
            ("/groups/7/members/9", Some(["7", "9"])),
            ("/groups/members/members/members", Some(["members"; 2])),
            ("/groups/7/members/", None),
            ("/groups/7/members", None),
            ("/groups//members/9", None),
            ("/groups/7/8/members/9", None),
            ("/groups/7/members/9/", None),
            ("/groups/7/members/9/x", None),
        ] {
            assert_eq!(resource.segments(path), segments, "{path}");
        }
    }
}
