//! The caller of a request, and whether the caller has the permission.

use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request};

use crate::auth::{self, Permission, Principal, Refusal, Scope};
use crate::configuration::Configuration;
use crate::directory::Directory;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Attributes, Profile, User, UserId, Violation};

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

    /// The user that the caller is, if that user may see and change itself.
    pub fn own(&self) -> Option<UserId> {
        self.0.as_ref().ok()?.own()
    }

    /// Fails if the caller lacks the permission for the user that the request concerns.
    pub fn check(&self, permission: Permission, user: Option<UserId>) -> Result<(), Problem> {
        let principal = self.0.as_ref().map_err(Problem::clone)?;
        match principal.lacks(permission, user) {
            None => Ok(()),
            Some(scope) => Err(forbidden(scope)),
        }
    }

    /// Fails if the caller has the permission only as the user itself, without the scope, and that
    /// user is switched off.
    pub fn check_own(&self, scope: Scope, user: &User) -> Result<(), Problem> {
        if user.profile.active || !self.is_only_self(scope) {
            return Ok(());
        }
        let problem = Problem::new(types::SWITCHED_OFF, "This user is switched off.");
        Err(with_scope_challenge(problem, scope))
    }

    /// Fails if the caller changes a member that no user may change of itself: others decide who
    /// is active, match users by their external ids, and give them roles.
    pub fn check_own_change(&self, before: &Profile, after: &Profile) -> Result<(), Problem> {
        if !self.is_only_self(Scope::Write) {
            return Ok(());
        }
        let [old, new] = [before, after].map(|profile| profile.attributes.as_ref());
        let adds = |some: Option<&Attributes>, other| {
            some.is_some_and(|attributes| attributes.has_rights_beyond(other))
        };
        let changed = [
            ("external_id", before.external_id != after.external_id),
            ("active", before.active != after.active),
            ("attributes", adds(old, new) || adds(new, old)),
        ];
        let Some((member, _)) = changed.into_iter().find(|(_, is_changed)| *is_changed) else {
            return Ok(());
        };
        let rule = match member {
            "attributes" => {
                "can have other roles, entitlements, userType or extensions in its member scim \
                 only with a token of the scope write"
            }
            _ => "can be changed only with a token of the scope write",
        };
        let detail = format!("The member {member} {rule}.");
        let problem = Problem::new(types::PROTECTED_MEMBER, detail);
        let problem = problem.with_errors(vec![Violation::new(member, rule)]);
        Err(with_scope_challenge(problem, Scope::Write))
    }

    /// Whether the caller lacks the scope, and so may do no more than a user may do to itself.
    fn is_only_self(&self, scope: Scope) -> bool {
        let lacks = |principal: &Principal| principal.lacks(Permission::Scope(scope), None);
        self.0
            .as_ref()
            .is_ok_and(|principal| lacks(principal).is_some())
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
    let detail = format!("This needs a token of the scope {}.", scope.name());
    with_scope_challenge(Problem::new(types::INSUFFICIENT_SCOPE, detail), scope)
}

/// With the challenge that names the scope by which the request would be allowed.
fn with_scope_challenge(problem: Problem, scope: Scope) -> Problem {
    let scope = scope.name();
    let error = format!(", error=\"insufficient_scope\", scope=\"{scope}\"");
    with_challenge(problem, &error)
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
