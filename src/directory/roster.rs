//! A walk over the groups by their ids, with the users in each.

use super::groups::LiveGroup;
use super::page::Gather;
use super::{Directory, Error, Found, Position};
use crate::group::{Group, GroupId};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// Where a walk over the groups is: behind a group, or among its users.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupPlace {
    /// The number of the group; 0 before the first one.
    pub group: u64,
    /// The position of the user who is next; `None` behind the last one.
    pub from: Option<Position>,
}

/// A step of the walk.
#[derive(Debug)]
pub enum GroupStep<G> {
    /// A group, and some of its users.
    Roster(Roster<G>),
    /// A record that can't be read.
    Unreadable(GroupId),
    /// An id that names no group.
    Gap,
}

/// A group, and some of its users. There may be none among them.
#[derive(Debug)]
pub struct Roster<G> {
    pub group: Group,
    /// Whether the users are the first ones.
    pub is_begin: bool,
    pub users: G,
    /// The position of the next user; `None` if these are the last ones.
    pub next: Option<Position>,
    /// Ids that were left out, as their records can't be read.
    pub unreadable: Vec<UserId>,
}

/// A walk over the groups whose ids were given when it began.
pub struct GroupWalk<'a, S, P> {
    directory: &'a Directory<'a, S, P>,
    created: u64,
    place: GroupPlace,
}

impl<'a, S: Store, P: Platform> GroupWalk<'a, S, P> {
    /// The place that was passed last: a walk from there goes on where this one is.
    pub fn passed(&self) -> &GroupPlace {
        &self.place
    }

    /// Takes a step; `None` at the end. `users` gathers some of the users of the group. After an error
    /// the walk is where it was.
    pub async fn next<G: Gather<User>>(
        &mut self,
        mut users: G,
    ) -> Result<Option<GroupStep<G>>, Error> {
        let GroupPlace { group, from } = self.place.clone();
        let is_begin = from.is_none();
        let number = group.saturating_add(u64::from(is_begin));
        if number > self.created {
            return Ok(None);
        }
        let id = GroupId::try_from(number).map_err(|_| Error::Exhausted)?;
        let group = self.directory.group(id).await;
        let (step, from) = match group {
            Ok(group) => {
                let found = self.directory.members(&group, from, &mut users);
                let Found { next, unreadable } = found.await?;
                let roster = Roster {
                    group,
                    is_begin,
                    users,
                    next: next.clone(),
                    unreadable,
                };
                (GroupStep::Roster(roster), next)
            }
            Err(Error::NoGroup) => (GroupStep::Gap, None),
            Err(Error::Unreadable(_)) => (GroupStep::Unreadable(id), None),
            Err(error) => return Err(error),
        };
        let group = number;
        self.place = GroupPlace { group, from };
        Ok(Some(step))
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// A walk over all groups, from a place on. Costs one store operation, and more for each step.
    pub async fn walk_groups(&self, place: GroupPlace) -> Result<GroupWalk<'_, S, P>, Error> {
        let created = self.created_of::<LiveGroup>().await?;
        Ok(GroupWalk {
            directory: self,
            created,
            place,
        })
    }
}
