//! The members of groups. They are no part of a group's record, and are read and changed one by one.

use http::StatusCode;
use serde_json::{Value, json};

use super::mapping::location;
use super::refusal::{TIME_LIMIT, TOO_MANY, invalid_value};
use super::scene::Scene;
use crate::directory::{Error, Gather, Membership};
use crate::group::Group;
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::scim::members::{Ids, MemberChanges};
use crate::service::omissions::log_unreadable;
use crate::store::Store;
use crate::user::{User, UserId};

/// The most members that one request reads.
pub const MAX_READ: usize = 10_000;

/// The most memberships that one request changes.
const MAX_CHANGED: usize = 1000;

fn no_user(id: &str) -> Problem {
    let rule = format!("must have the ids of users: {id:?} is none");
    invalid_value("members.value", &rule)
}

/// Takes the ids and the names of users, and one more than it may have.
struct Users {
    found: Vec<(UserId, String)>,
    most: usize,
}

impl Gather for Users {
    fn push(&mut self, user: User) -> bool {
        let name = user.profile.name.as_str().to_owned();
        self.found.push((user.id, name));
        true
    }

    fn is_full(&self) -> bool {
        self.found.len() > self.most
    }
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// The ids and the names of a group's members. Fails if there are more than `most`.
    async fn read_members(
        &self,
        group: &Group,
        most: usize,
    ) -> Result<Vec<(UserId, String)>, Problem> {
        let mut users = Users {
            found: Vec::new(),
            most,
        };
        let mut from = None;
        loop {
            let found = self.directory.members(group, from, &mut users).await?;
            let platform = self.directory.platform;
            log_unreadable(platform, &self.trace, &self.place, &found.unreadable);
            if users.is_full() {
                let detail = format!(
                    "The group {} has more than {MAX_READ} members, which are not read at once. Ask \
                     with excludedAttributes=members.",
                    group.id
                );
                return Err(Problem::new(TOO_MANY, detail));
            }
            match found.next {
                None => return Ok(users.found),
                next => from = next,
            }
        }
    }

    /// The attribute `members` of a group. Fails if there are more than `most`.
    pub async fn members(&self, group: &Group, most: usize) -> Result<Vec<Value>, Problem> {
        let members = self.read_members(group, most).await?;
        let members = members.into_iter().map(|(id, name)| {
            json!({
                "value": id.to_string(),
                "$ref": location(id),
                "type": "User",
                "display": name,
            })
        });
        Ok(members.collect())
    }

    /// Fails if a user is to become a member who does not exist, or if too many are to become one: before
    /// anything is changed.
    pub async fn check_members(&self, added: &Ids) -> Result<(), Problem> {
        if added.len() > MAX_CHANGED {
            return Err(too_many_changes());
        }
        let read = |id: &String| id.parse::<UserId>().map_err(|_| no_user(id));
        let added: Vec<UserId> = added.iter().map(read).collect::<Result<_, _>>()?;
        let mut known = Users {
            found: Vec::new(),
            most: MAX_CHANGED,
        };
        self.directory.get_some(&added, &mut known).await?;
        let is_known = |id: &&UserId| !known.found.iter().any(|(user, _)| user == *id);
        match added.iter().find(is_known) {
            None => Ok(()),
            Some(missing) => Err(no_user(&missing.to_string())),
        }
    }

    /// Makes the changes, one after the other. Where it fails, a part of them may be made: to send all of
    /// them again makes the rest.
    pub async fn change_members(
        &self,
        group: &Group,
        changes: &MemberChanges,
    ) -> Result<(), Problem> {
        // Nobody has an id that can't be read: so nobody with it is a member.
        let parsed = |ids: &Ids| ids.iter().filter_map(|id| id.parse().ok()).collect();
        let mut added: Vec<UserId> = parsed(&changes.added);
        let mut removed: Vec<UserId> = parsed(&changes.removed);
        if changes.removes_all {
            for (id, _) in self.read_members(group, MAX_READ).await? {
                match added.iter().position(|user| *user == id) {
                    // Who is a member already costs nothing.
                    Some(place) => {
                        added.remove(place);
                    }
                    None => removed.push(id),
                }
            }
        }
        let added = added.into_iter().map(|id| (id, Membership::Member));
        let removed = removed.into_iter().map(|id| (id, Membership::NoMember));
        let wanted: Vec<_> = added.chain(removed).collect();
        if wanted.len() > MAX_CHANGED {
            return Err(too_many_changes());
        }
        for (user, membership) in wanted {
            if self.is_late() {
                return Err(Problem::plain(TIME_LIMIT).retry_after(1));
            }
            let changed = self.directory.set_membership(group, user, membership).await;
            let (status, changed) = match changed {
                Ok(_) => (StatusCode::NO_CONTENT, Ok(())),
                Err(Error::NotFound) => (StatusCode::BAD_REQUEST, Err(no_user(&user.to_string()))),
                Err(error) => {
                    let problem = Problem::from(error);
                    (problem.status(), Err(problem))
                }
            };
            if let Some(trail) = &self.change {
                let action = match membership {
                    Membership::Member => "add-member",
                    Membership::NoMember => "remove-member",
                };
                trail.end_one(self.directory.platform, action, Some(user), status);
            }
            changed?;
        }
        Ok(())
    }
}

fn too_many_changes() -> Problem {
    let detail = format!(
        "A request changes at most {MAX_CHANGED} members of a group. Send several requests."
    );
    Problem::new(TOO_MANY, detail)
}
