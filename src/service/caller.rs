//! The caller of a request, and whether the caller has the permission.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request};

use crate::auth::{self, Permission, Principal, Refusal, Scope};
use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;

/// The realm of all credentials here (RFC 9110, section 11.5).
const REALM: &str = "edge-users";

/// The caller of a request, or the reason why the caller is not known.
pub struct Caller(Result<Principal, Problem>);

impl Caller {
    /// Reads the request's credentials, if the request needs a permission.
    pub async fn of<S: Store, P: Platform, B>(
        request: &Request<B>,
        permission: Permission,
        configuration: &Configuration,
        directory: &Directory<'_, S, P>,
    ) -> Caller {
        if permission == Permission::Public {
            return Caller(Ok(Principal::anonymous()));
        }
        if !configuration.faults.is_empty() {
            return Caller(Err(Problem::plain(types::MISCONFIGURED)));
        }
        if configuration.is_open {
            return Caller(Ok(Principal::unrestricted()));
        }
        let principal = match bearer(request.headers()) {
            Ok(token) => {
                let Directory {
                    store, platform, ..
                } = *directory;
                auth::authenticate(token, configuration, store, platform).await
            }
            Err(refusal) => Err(refusal),
        };
        Caller(principal.map_err(unauthenticated))
    }

    /// The name of the caller, which no other caller has; `None` without credentials.
    pub fn name(&self) -> Option<&str> {
        self.0.as_ref().ok()?.name()
    }

    /// Fails if the caller lacks the permission for the user that the request concerns.
    pub fn check(&self, permission: Permission, user: Option<UserId>) -> Result<(), Problem> {
        let principal = self.0.as_ref().map_err(Problem::clone)?;
        match principal.lacks(permission, user) {
            None => Ok(()),
            Some(scope) => Err(forbidden(scope)),
        }
    }
}

/// The problem of an unknown caller. Its challenge names the reason (RFC 6750, section 3).
fn unauthenticated(refusal: Refusal) -> Problem {
    let (problem, error) = match refusal {
        Refusal::Missing => {
            let detail = "Send the header Authorization: Bearer with a token. The operator \
                makes one with `edge-users token new`, or trusts an issuer that gives them.";
            (Problem::new(types::AUTHENTICATION_REQUIRED, detail), "")
        }
        Refusal::Closed => {
            let detail = "No token is configured here, so that nobody is let in. The \
                operator makes one with `edge-users token new`.";
            (Problem::new(types::AUTHENTICATION_REQUIRED, detail), "")
        }
        Refusal::Invalid(flaw) => {
            let problem = Problem::new(types::INVALID_TOKEN, format!("The token {flaw}."));
            (problem, ", error=\"invalid_token\"")
        }
        Refusal::NoKeys { retry_after } => {
            return Problem::plain(types::KEYS_UNAVAILABLE).retry_after(retry_after);
        }
    };
    with_challenge(problem, error)
}

/// The caller is known, and would need that scope.
fn forbidden(scope: Scope) -> Problem {
    let scope = scope.name();
    let detail = format!("This needs a token of the scope {scope}.");
    let error = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
    with_challenge(Problem::new(types::INSUFFICIENT_SCOPE, detail), &error)
}

fn with_challenge(problem: Problem, error: &str) -> Problem {
    let challenge = format!("Bearer realm=\"{REALM}\"{error}");
    let challenge = HeaderValue::try_from(challenge).expect("letters and quotes");
    problem.with_header(WWW_AUTHENTICATE, challenge)
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
