//! Who may do what: the one place where it is decided which requests are served.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request};

use super::Resource;
use crate::auth::{self, Permission, Principal, Refusal, Scope};
use crate::message::problem::Problem;
use crate::platform::Platform;

impl Resource {
    /// What a request with that method asks of its caller. A method that the
    /// resource does not have counts as a change.
    fn permission(&self, method: &Method) -> Permission {
        let reads = matches!(*method, Method::GET | Method::HEAD);
        match self {
            // A preflight comes without credentials (Fetch Standard, section 4.8).
            _ if *method == Method::OPTIONS => Permission::Public,
            Resource::Root | Resource::Health => Permission::Public,
            Resource::Readiness | Resource::Export => Permission::Scope(Scope::Read),
            Resource::Import => Permission::Scope(Scope::Write),
            Resource::Description
            | Resource::Documentation
            | Resource::Problems
            | Resource::Problem(_)
            | Resource::Catalog => Permission::Known,
            Resource::Users if reads => Permission::Scope(Scope::Read),
            Resource::Users => Permission::Scope(Scope::Write),
            Resource::User(id) => match *method {
                _ if reads => Permission::ScopeOrSelf(Scope::Read, id.parse().ok()),
                Method::PUT | Method::PATCH => {
                    Permission::ScopeOrSelf(Scope::Write, id.parse().ok())
                }
                _ => Permission::Scope(Scope::Write),
            },
        }
    }
}

/// Who sends a request.
pub(super) struct Caller(Result<Principal, Problem>);

impl Caller {
    /// Learns it from the request's credentials, if the resource asks for some. What is at no
    /// path is for those who are known: others learn nothing of what there is.
    pub async fn of<P: Platform, B>(
        request: &Request<B>,
        resource: Option<&Resource>,
        platform: &P,
    ) -> Caller {
        let permission = permission(resource, request.method());
        if permission == Permission::Public {
            return Caller(Ok(Principal::unknown()));
        }
        if auth::is_off(platform) {
            return Caller(Ok(Principal::unasked()));
        }
        let principal = match bearer(request.headers()) {
            Ok(token) => auth::authenticate(token, platform).await,
            Err(refusal) => Err(refusal),
        };
        Caller(principal.map_err(Problem::unauthenticated))
    }

    /// What the operator calls the token, or the issuer its subject; `None` if nobody says.
    pub fn name(&self) -> Option<&str> {
        let name = self
            .0
            .as_ref()
            .ok()
            .map(|principal| principal.name.as_str());
        name.filter(|name| !name.is_empty())
    }

    /// Fails if the caller may not do that to the resource.
    pub fn check(&self, resource: Option<&Resource>, method: &Method) -> Result<(), Problem> {
        let principal = self.0.as_ref().map_err(Problem::clone)?;
        match principal.lacks(permission(resource, method)) {
            None => Ok(()),
            Some(scope) => Err(Problem::forbidden(scope)),
        }
    }
}

fn permission(resource: Option<&Resource>, method: &Method) -> Permission {
    resource.map_or(Permission::Known, |resource| resource.permission(method))
}

/// The token in the request's header: RFC 6750 knows other places, from which it
/// would get into logs. Credentials of another scheme are none.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::Invalid(
            "is one of several: the header is there twice",
        ));
    }
    let malformed = Refusal::Invalid("is malformed");
    let Ok(value) = value.to_str() else {
        return Err(malformed);
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    // As RFC 6750, section 2.1, spells it.
    let token = token.trim_matches(' ');
    let spelled = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if token.is_empty() || !token.bytes().all(spelled) {
        return Err(malformed);
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&[u8]]) -> Result<Option<String>, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            let value = http::HeaderValue::from_bytes(value).expect("a value");
            headers.append(AUTHORIZATION, value);
        }
        bearer(&headers).map(|token| token.map(str::to_owned))
    }

    #[test]
    fn a_token_is_in_one_header_of_the_bearer_scheme() {
        let token = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b"Basic YTpi"]), Ok(None));
        assert_eq!(read(&[b"Bearer eu_1"]), token("eu_1"));
        assert_eq!(
            read(&[b"bEARER  a.b-c_d~e+f/g== "]),
            token("a.b-c_d~e+f/g==")
        );
        for values in [
            &[&b"Bearer"[..]][..],
            &[b"Bearer "],
            &[b"Bearer a b"],
            &[b"Bearer a,b"],
            &[b"Bearer \"a\""],
            &[b"Bearer \xe9"],
            &[b"Bearer a", b"Bearer a"],
            &[b"Basic YTpi", b"Bearer a"],
        ] {
            assert!(
                matches!(read(values), Err(Refusal::Invalid(_))),
                "{values:?}"
            );
        }
    }
}
