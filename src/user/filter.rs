//! What a list of users is narrowed to.

use super::{AttributePath, User};
use crate::timestamp::Timestamp;

/// Which users a list has. By default it has all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Only those who are switched on, or only those who are switched off.
    pub active: Option<bool>,
    /// Only those who were created after that time, not at it.
    pub created_after: Option<Timestamp>,
    /// Only those who were changed, or created, after that time, not at it.
    pub updated_after: Option<Timestamp>,
    /// Only those who have each of these values in their attributes.
    pub attributes: Vec<(AttributePath, String)>,
}

impl Filter {
    /// Whether a list so narrowed has the user.
    pub fn matches(&self, user: &User) -> bool {
        self.active
            .is_none_or(|active| user.profile.active == active)
            && self.created_after.is_none_or(|time| user.created_at > time)
            && self.updated_after.is_none_or(|time| user.updated_at > time)
            && self.attributes.iter().all(|(path, value)| {
                let values = path.values(user.profile.attributes.as_ref());
                values.contains(value)
            })
    }

    /// Whether a list so narrowed has everyone.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::{Profile, UserId, Version};
    use serde_json::json;

    #[test]
    fn each_condition_narrows_and_times_are_strictly_after() {
        let user = User {
            id: UserId::try_from(1).unwrap(),
            profile: Profile::from_json(json!({ "name": "Ada", "active": false })).unwrap(),
            created_at: Timestamp(1_000),
            updated_at: Timestamp(2_000),
            version: Version(0),
        };
        let after = |created: Option<i64>, updated: Option<i64>| Filter {
            active: None,
            created_after: created.map(Timestamp),
            updated_after: updated.map(Timestamp),
            attributes: Vec::new(),
        };
        for (filter, has) in [
            (Filter::default(), true),
            (after(Some(999), None), true),
            (after(Some(1_000), None), false),
            (after(None, Some(1_999)), true),
            (after(None, Some(2_000)), false),
            (after(Some(999), Some(2_000)), false),
        ] {
            assert_eq!(filter.matches(&user), has, "{filter:?}");
            for active in [true, false] {
                let filter = Filter {
                    active: Some(active),
                    ..filter.clone()
                };
                assert_eq!(filter.matches(&user), has && !active, "{filter:?}");
                assert!(!filter.is_empty());
            }
        }
    }
}
