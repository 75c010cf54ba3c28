//! Who is in which group.
//!
//! A user's record lists the groups that the user is in, and nothing else decides: so one swap
//! makes a user a member, and a deleted user is in no group. The [list](super::lists) of a group
//! leads from the group to its users; a request that adds a user writes the list before the
//! record. A group that was deleted stays in the records of its users, and readers leave it out.

use super::groups::GroupPage;
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::{Live, Record, State};
use super::versioned::Written;
use super::{ATTEMPTS, Directory, Error, versioned};
use crate::group::{Group, GroupId};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

/// The most groups that a user is in.
pub const MAX_GROUPS: usize = 1000;

/// What becomes of a user in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Membership {
    Member,
    NoMember,
}

/// The groups that a user is in, as its record lists them.
#[derive(Clone, Debug)]
pub struct GroupsOf {
    pub user: User,
    /// Ascending. Deleted ones may be among them.
    groups: Vec<GroupId>,
}

impl GroupsOf {
    /// Whether the user is in a group, which the caller has read.
    pub fn has(&self, group: GroupId) -> bool {
        self.groups.binary_search(&group).is_ok()
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Makes a user a member of a group, or no longer one. Answers whether that changed anything. The
    /// caller has read the `group`.
    ///
    /// - The version of the user stays what it is: who changes the user on the condition that it has
    ///   this version is not kept from it.
    /// - It fails with [`Error::NotFound`] for a user that is to become a member and does not exist,
    ///   and with [`Error::TooManyGroups`] for one that is in [`MAX_GROUPS`] others.
    /// - After [`Error::Store`] and [`Error::Contended`] it may have been done or not, and can be
    ///   repeated. After any other error it was not.
    pub async fn set_membership(
        &self,
        group: &Group,
        id: UserId,
        membership: Membership,
    ) -> Result<bool, Error> {
        let group = group.id;
        // 1. The record is read.
        let mut loaded = match self.load_for_update(id).await {
            Err(Error::NotFound) if membership == Membership::NoMember => return Ok(false),
            loaded => loaded?,
        };
        // When the list of the group was written, by what the record said of marks then.
        let mut led = None;
        for _ in 0..ATTEMPTS {
            let State::Live(mut live) = loaded.value.state.clone() else {
                return match membership {
                    Membership::Member => Err(Error::NotFound),
                    Membership::NoMember => Ok(false),
                };
            };
            match (membership, live.groups.binary_search(&group)) {
                (Membership::Member, Ok(_)) | (Membership::NoMember, Err(_)) => return Ok(false),
                (Membership::NoMember, Ok(place)) => {
                    live.groups.remove(place);
                }
                (Membership::Member, Err(_)) => {
                    self.make_room(&mut live).await?;
                    // 2. The list of the group leads to the user, unless an attempt before wrote it and
                    // no mark was removed since.
                    if led != Some(live.unmarked) {
                        self.lead_to(List::Group(group), id).await?;
                        led = Some(live.unmarked);
                    }
                    let place = live.groups.partition_point(|other| *other < group);
                    live.groups.insert(place, group);
                }
            }
            // 3. The record is replaced, unless another request has written it since.
            let claims = loaded.value.claims;
            let state = State::Live(live);
            let record = Record { claims, state };
            match loaded.write(self.store, self.draw(), record).await? {
                Written::Done(_) => return Ok(true),
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended),
            }
        }
        Err(Error::Contended)
    }

    /// Whether a user would become a member of a group that there is, or of a new one. Fails as
    /// [`set_membership`](Self::set_membership) would.
    pub async fn would_join(&self, id: UserId, group: Option<GroupId>) -> Result<bool, Error> {
        let record: Option<Record> = versioned::get(self.store, &super::record::key(id)).await?;
        let Some(State::Live(mut live)) = record.map(|record| record.state) else {
            return Err(Error::NotFound);
        };
        if group.is_some_and(|group| live.groups.binary_search(&group).is_ok()) {
            return Ok(false);
        }
        self.make_room(&mut live).await?;
        Ok(true)
    }

    /// Takes the deleted groups out of a record that has no room for another group.
    async fn make_room(&self, live: &mut Live) -> Result<(), Error> {
        if live.groups.len() < MAX_GROUPS {
            return Ok(());
        }
        let mut left = Vec::new();
        for group in live.groups.drain(..) {
            match self.group(group).await {
                Err(Error::NoGroup) => {}
                Ok(_) | Err(Error::Unreadable(_)) => left.push(group),
                Err(error) => return Err(error),
            }
        }
        live.groups = left;
        match live.groups.len() < MAX_GROUPS {
            true => Ok(()),
            false => Err(Error::TooManyGroups),
        }
    }

    /// Gathers the users in a group, ascending by id, from a position on, until `gathered` is full.
    /// There may be fewer, or none, while there is a `next` position, as in a
    /// [search](Directory::search). The caller has read the `group`.
    pub async fn members(
        &self,
        group: &Group,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        self.gather_shortest::<Live>(vec![List::Group(group.id)], from, gathered)
            .await
    }

    /// A user, and the groups that it is in.
    pub async fn groups_of(&self, id: UserId) -> Result<GroupsOf, Error> {
        let record: Option<Record> = versioned::get(self.store, &super::record::key(id)).await?;
        let Some(State::Live(live)) = record.map(|record| record.state) else {
            return Err(Error::NotFound);
        };
        let groups = live.groups.clone();
        let user = live.user(id);
        Ok(GroupsOf { user, groups })
    }

    /// Gathers the groups of a user that come after the id `after`, ascending by id, until
    /// `gathered` is full. One store operation each, deleted groups included.
    pub async fn list_groups_of(
        &self,
        of: &GroupsOf,
        after: u64,
        gathered: &mut dyn Gather<Group>,
    ) -> Result<GroupPage, Error> {
        let groups = of.groups.iter().copied();
        let groups = groups.filter(|group| group.get() > after);
        self.gather_groups(groups, gathered).await
    }
}
