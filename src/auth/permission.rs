//! What a request asks of its caller, and what a caller may do.

use crate::user::UserId;

/// What an operator's token, or a JWT, is good for. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Reading all users.
    Read,
    /// Changing all users.
    Write,
    /// Everything.
    Admin,
}

impl Scope {
    /// The scope of that name.
    pub fn named(name: &str) -> Option<Scope> {
        [Scope::Read, Scope::Write, Scope::Admin]
            .into_iter()
            .find(|scope| scope.name() == name)
    }

    /// Its name, in tokens and in challenges.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Admin => "admin",
        }
    }
}

/// What a request asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Nothing: it is for everybody.
    Public,
    /// To be known.
    Known,
    /// A scope.
    Scope(Scope),
    /// A scope; or `self`, from the user that it concerns.
    ScopeOrSelf(Scope, Option<UserId>),
}

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The name of the token, or the subject of the JWT.
    pub name: String,
    scope: Option<Scope>,
    /// The user that the caller is, if that user may see and change itself.
    own: Option<UserId>,
}

impl Principal {
    /// A caller with a token of that scope.
    pub fn with_scope(name: &str, scope: Scope) -> Principal {
        Principal {
            name: name.to_owned(),
            scope: Some(scope),
            own: None,
        }
    }

    /// The subject of a token that has the scopes named in `scopes`, separated by
    /// spaces (RFC 6749, section 3.3). What is not a scope here is of no account.
    pub fn subject(subject: &str, scopes: &str) -> Principal {
        let mut names = scopes.split(' ');
        let scope = names.clone().filter_map(Scope::named).max();
        let own = names.any(|name| name == "self");
        Principal {
            name: subject.to_owned(),
            scope,
            own: subject.parse().ok().filter(|_| own),
        }
    }

    /// Who calls is not known, and may do what everybody may.
    pub fn unknown() -> Principal {
        Principal::subject("", "")
    }

    /// Who calls is not asked, and may do everything.
    pub fn unasked() -> Principal {
        Principal::with_scope("", Scope::Admin)
    }

    /// The scope that it would take, if the caller has not the permission.
    pub fn lacks(&self, permission: Permission) -> Option<Scope> {
        let (scope, user) = match permission {
            Permission::Public | Permission::Known => return None,
            Permission::Scope(scope) => (scope, None),
            Permission::ScopeOrSelf(scope, user) => (scope, user),
        };
        let has = self.scope >= Some(scope) || (user.is_some() && self.own == user);
        (!has).then_some(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        let scopes = [Scope::Read, Scope::Write, Scope::Admin];
        for (place, held) in scopes.into_iter().enumerate() {
            let principal = Principal::with_scope("t", held);
            for (other, asked) in scopes.into_iter().enumerate() {
                let lacks = principal.lacks(Permission::Scope(asked));
                let expected = (other > place).then_some(asked);
                assert_eq!(lacks, expected, "{held:?} {asked:?}");
            }
        }
    }

    #[test]
    fn a_subject_has_the_scopes_that_are_known_and_itself_only_with_self() {
        let user = |id: &str| Permission::ScopeOrSelf(Scope::Read, id.parse().ok());
        for (subject, scopes, own, other, all) in [
            ("7", "self", true, false, false),
            ("7", "openid self profile", true, false, false),
            ("7", "read", true, true, true),
            ("7", "self admin", true, true, true),
            ("7", "selfish users:read READ", false, false, false),
            ("7", "", false, false, false),
            ("07", "self", false, false, false),
            ("ada", "self", false, false, false),
        ] {
            let principal = Principal::subject(subject, scopes);
            let had = [user("7"), user("8"), Permission::Scope(Scope::Read)]
                .map(|permission| principal.lacks(permission).is_none());
            assert_eq!(had, [own, other, all], "{subject} {scopes:?}");
            // A path that names no user is nobody's own.
            let nobodys = principal.lacks(user("x")).is_none();
            assert_eq!(nobodys, all, "{subject} {scopes:?}");
        }
    }
}
