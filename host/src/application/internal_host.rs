//! The names by which the components of an application reach each other.
//!
//! `ID.spin.internal` is the component with that id. No server has such a name, so a request to
//! one never leaves the host, and none that comes from outside is for one.

/// What all of these names end with.
const SUFFIX: &str = ".spin.internal";

/// The id of the component that is meant, if the host of a URL is such a name. Names of hosts
/// are compared without regard to case, and may end with the dot of the root.
pub fn component(host: &str) -> Option<&str> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let at = host.len().checked_sub(SUFFIX.len())?;
    let (id, suffix) = host.split_at_checked(at)?;
    suffix.eq_ignore_ascii_case(SUFFIX).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_id_of_a_component() {
        for (host, id) in [
            ("users.spin.internal", Some("users")),
            ("Users.Spin.Internal", Some("Users")),
            ("users.spin.internal.", Some("users")),
            ("a.b.spin.internal", Some("a.b")),
            ("*.spin.internal", Some("*")),
            (".spin.internal", Some("")),
            ("spin.internal", None),
            ("usersspin.internal", None),
            ("users.spin.internal.test", None),
            ("éspin.internal", None),
            ("", None),
        ] {
            assert_eq!(component(host), id, "{host}");
        }
    }
}
