//! What goes to a service and comes from it: users, or groups.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Users,
    Groups,
}

impl Kind {
    /// The path of all of them, which is the beginning of those of imports and exports.
    pub fn path(self) -> &'static str {
        match self {
            Kind::Users => "/users",
            Kind::Groups => "/groups",
        }
    }

    /// So many of them, for a person.
    pub fn counted(self, count: u64) -> String {
        match self {
            Kind::Users => counted(count, "user"),
            Kind::Groups => counted(count, "group"),
        }
    }
}

/// So many of what a noun means, for a person.
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
