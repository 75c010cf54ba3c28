//! Permissions that requests need, and the callers that have them.

use crate::user::UserId;

/// A scope of an operator's token or of a JWT. Each scope includes the scopes before it.
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

/// The permission that a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// None: the request is for everybody.
    Public,
    /// A valid token.
    Known,
    /// A scope.
    Scope(Scope),
    /// A scope; or `self`, from the user that the request is about.
    ScopeOrSelf(Scope),
    /// A valid token, and more that only the content of the request tells: the handler asks for
    /// it once it has read that.
    ByContent,
}

impl Permission {
    /// The scope that it requires, if any.
    pub fn scope(self) -> Option<Scope> {
        match self {
            Permission::Public | Permission::Known | Permission::ByContent => None,
            Permission::Scope(scope) | Permission::ScopeOrSelf(scope) => Some(scope),
        }
    }

    /// Whether the content of the request tells what it takes.
    pub fn depends_on_content(self) -> bool {
        self == Permission::ByContent
    }
}

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// `token:` and the name of the token, or `jwt:`, the issuer, `:` and the subject. So no two
    /// callers have the same, whoever chose the names.
    name: Option<String>,
    scope: Option<Scope>,
    /// The user that the caller is, if that user may see and change itself.
    own: Option<UserId>,
}

impl Principal {
    /// A caller with the operator's token of that name and scope.
    pub fn token(name: &str, scope: Scope) -> Principal {
        Principal {
            name: Some(format!("token:{name}")),
            scope: Some(scope),
            own: None,
        }
    }

    /// The subject of an issuer's JWT with these scopes. Unknown scopes are ignored.
    pub fn subject(issuer: &str, subject: &str, scopes: &[String]) -> Principal {
        let named = |scope: &String| Scope::named(scope);
        let own = scopes.iter().any(|scope| scope == "self");
        Principal {
            name: Some(format!("jwt:{issuer}:{subject}")),
            scope: scopes.iter().filter_map(named).max(),
            own: subject.parse().ok().filter(|_| own),
        }
    }

    /// A caller without credentials and without permissions.
    pub fn anonymous() -> Principal {
        Principal {
            name: None,
            scope: None,
            own: None,
        }
    }

    /// A caller without credentials who may do everything.
    pub fn unrestricted() -> Principal {
        Principal {
            scope: Some(Scope::Admin),
            ..Principal::anonymous()
        }
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The user that the caller is, if that user may see and change itself.
    pub fn own(&self) -> Option<UserId> {
        self.own
    }

    /// The scope that the caller lacks for this permission on `user`; `None` if the caller has the
    /// permission.
    pub fn lacks(&self, permission: Permission, user: Option<UserId>) -> Option<Scope> {
        let scope = permission.scope()?;
        let by_itself = matches!(permission, Permission::ScopeOrSelf(_));
        let is_own = by_itself && user.is_some() && self.own == user;
        (self.scope < Some(scope) && !is_own).then_some(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_includes_those_before_it() {
        let scopes = [Scope::Read, Scope::Write, Scope::Admin];
        for (place, held) in scopes.into_iter().enumerate() {
            let principal = Principal::token("t", held);
            for (other, asked) in scopes.into_iter().enumerate() {
                let lacks = principal.lacks(Permission::Scope(asked), None);
                let expected = (other > place).then_some(asked);
                assert_eq!(lacks, expected, "{held:?} {asked:?}");
            }
        }
    }

    #[test]
    fn a_subject_has_the_scopes_that_are_known_and_itself_only_with_self() {
        let user = |id: &str| (Permission::ScopeOrSelf(Scope::Read), id.parse().ok());
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
            let named: Vec<_> = scopes.split(' ').map(str::to_owned).collect();
            let principal = Principal::subject("i", subject, &named);
            let has = |(permission, user)| principal.lacks(permission, user).is_none();
            let seven = "7".parse().ok();
            let had = [
                user("7"),
                user("8"),
                (Permission::Scope(Scope::Read), seven),
            ]
            .map(has);
            assert_eq!(had, [own, other, all], "{subject} {scopes:?}");
            // A path that names no user is nobody's own.
            let nobodys = has(user("x"));
            assert_eq!(nobodys, all, "{subject} {scopes:?}");
        }
    }

    #[test]
    fn callers_of_different_kinds_never_have_the_same_name() {
        let names = [
            Principal::token("deploy", Scope::Read),
            Principal::subject("i", "deploy", &[]),
            Principal::subject("j", "deploy", &[]),
            Principal::subject("i", "", &[]),
            Principal::anonymous(),
        ]
        .map(|principal| principal.name().map(str::to_owned));
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name:?}");
        }
        assert_eq!(names[0].as_deref(), Some("token:deploy"));
        assert_eq!(names[1].as_deref(), Some("jwt:i:deploy"));
    }
}
