//! A group that arrives in an import: it is changed if there is one of its name, and made otherwise; then
//! users become its members.

use std::cell::Cell;
use std::collections::BTreeMap;

use http::StatusCode;

use super::End;
use super::outcome::{Done, How, Outcome};
use super::upsert::{ATTEMPTS, Key};
use super::work::{LINE, Site, Work};
use crate::directory::{Directory, Error, Membership, Unique};
use crate::group::{Group, GroupId, GroupName, GroupProfile};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::service::audit::ADD_MEMBER;
use crate::store::Store;
use crate::user::{Rule, UserId, Violation};

/// What is made of a group, or of none.
pub type Merge = Box<dyn Fn(Option<&GroupProfile>) -> Result<GroupProfile, Problem>>;

/// What is to be done with a group.
pub struct GroupWork {
    pub name: GroupName,
    pub change: Merge,
    /// Who becomes a member.
    pub members: Vec<Reference>,
    /// Whether nothing is written: the outcome is the one that there would be.
    pub is_dry_run: bool,
}

/// What names a user.
pub enum Reference {
    Id(UserId),
    Key(Key),
}

/// A group with new members.
pub struct Enrolled {
    /// `None` if the group would be made, and nothing is written.
    pub id: Option<GroupId>,
    /// How many became members.
    pub added: u64,
}

/// The group that there is then, if there is one, and how it came about.
type Kept = (Option<Group>, How);

impl Reference {
    async fn find<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> Result<Option<UserId>, Problem> {
        let user = match self {
            Reference::Key(key) => key.find(directory).await?,
            Reference::Id(id) => match directory.get(*id).await {
                Err(Error::NotFound) => None,
                user => Some(user?),
            },
        };
        Ok(user.map(|user| user.id))
    }
}

impl Work for GroupWork {
    type Made = Enrolled;
    type Id = GroupId;

    /// - A member that names no user, or several, refuses all of it.
    /// - A user who is in too many groups is not added; the others are.
    /// - To do it again, all of it or the rest, changes nothing that was done.
    async fn run<S: Store, P: Platform>(
        self,
        at: &Site<'_, S, P>,
    ) -> Result<Outcome<Enrolled, GroupId>, End> {
        let outcome = self.enrol(at).await;
        // What follows in the audit trail is not about this group.
        if let Some(change) = &at.change {
            change.group.set(None);
        }
        outcome
    }
}

impl GroupWork {
    async fn enrol<S: Store, P: Platform>(
        &self,
        at: &Site<'_, S, P>,
    ) -> Result<Outcome<Enrolled, GroupId>, End> {
        let (found, kept) = match self.users(at).await? {
            Err(problem) => (None, Err(problem)),
            Ok(users) => {
                let (found, kept) = self.keep(at.directory).await;
                (found, kept.map(|kept| (kept, users)))
            }
        };
        let (id, status) = match &kept {
            Ok(((group, how), _)) => (group.as_ref().map(|group| group.id), how.status()),
            Err(problem) => (found, problem.status()),
        };
        self.record(at, id, status);
        let refused = |problem| {
            let (found, result) = (id, Err(problem));
            Ok(Outcome { found, result })
        };
        let ((group, how), users) = match kept {
            Ok(kept) => kept,
            Err(problem) => return refused(problem),
        };
        let mut added = 0;
        let mut full = Vec::new();
        // That the client has reached its limit ends the import before the next user, if there is one.
        let mut over = None;
        for (user, index) in users {
            if let Some(end) = over.take() {
                return Err(end);
            }
            at.check_time()?;
            match self.add(at, group.as_ref(), user).await {
                Ok(true) if self.is_dry_run => added += 1,
                Ok(true) => {
                    added += 1;
                    over = at.count().await.err();
                }
                // A user who was deleted since is in no group.
                Ok(false) | Err(Error::NotFound) => {}
                Err(Error::TooManyGroups) => full.push(violation(index, "is in 1,000 groups")),
                Err(error) => return refused(error.into()),
            }
        }
        if !full.is_empty() {
            full.truncate(Violation::MAX);
            let detail = "Some users are in 1,000 groups; see errors. The others are members.";
            let problem = Problem::new(types::TOO_MANY_GROUPS, detail);
            return refused(problem.with_errors(full));
        }
        let how = match how {
            How::Unchanged if added > 0 => How::Updated,
            how => how,
        };
        let is = Enrolled { id, added };
        Ok(Outcome {
            found,
            result: Ok(Done { is, how }),
        })
    }

    /// The users who are to be members, each once, and where in the list it is named first.
    async fn users<S: Store, P: Platform>(
        &self,
        at: &Site<'_, S, P>,
    ) -> Result<Result<BTreeMap<UserId, usize>, Problem>, End> {
        let mut users = BTreeMap::new();
        let mut violations = Vec::new();
        for (index, member) in self.members.iter().enumerate() {
            at.check_time()?;
            match member.find(at.directory).await {
                Ok(Some(user)) => {
                    users.entry(user).or_insert(index);
                }
                Ok(None) => violations.push(violation(index, "names no user")),
                Err(problem) if problem.is(types::SEVERAL_MATCHES) => {
                    violations.push(violation(index, "names several users"));
                }
                Err(problem) => return Ok(Err(problem)),
            }
        }
        if violations.is_empty() {
            return Ok(Ok(users));
        }
        violations.truncate(Violation::MAX);
        Ok(Err(Problem::invalid_group(violations)))
    }

    /// Changes the group that has the name, or makes one. Answers also which one was found.
    async fn keep<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> (Option<GroupId>, Result<Kept, Problem>) {
        for _ in 0..ATTEMPTS {
            let found = match directory.find_group(&self.name).await {
                Ok(found) => found,
                Err(error) => return (None, Err(error.into())),
            };
            let id = found.as_ref().map(|group| group.id);
            let kept = match found {
                None => self.make(directory).await,
                Some(group) => self.update(directory, group).await,
            };
            if let Some(kept) = kept.transpose() {
                return (id, kept);
            }
        }
        (None, Err(Error::Contended.into()))
    }

    /// Makes a group; `None` if another request has made it since.
    async fn make<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> Result<Option<Kept>, Problem> {
        let profile = (self.change)(None)?;
        if self.is_dry_run {
            return Ok(Some((None, How::Created)));
        }
        match directory.create_group(profile).await {
            Err(Error::Taken(Unique::GroupName)) => Ok(None),
            group => Ok(Some((Some(group?), How::Created))),
        }
    }

    /// Changes a group; `None` if it is gone since, or has another name.
    async fn update<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
        group: Group,
    ) -> Result<Option<Kept>, Problem> {
        let profile = (self.change)(Some(&group.profile))?;
        if self.is_dry_run || profile.is_represented_as(&group.profile) {
            let how = match profile.is_represented_as(&group.profile) {
                true => How::Unchanged,
                false => How::Updated,
            };
            return Ok(Some((Some(group), how)));
        }
        let before = Cell::new(group.version);
        let change = |now: &Group| {
            before.set(now.version);
            match now.profile.name == self.name {
                true => (self.change)(Some(&now.profile)),
                false => Err(Error::NoGroup.into()),
            }
        };
        match directory.update_group(group.id, change).await {
            Err(problem) if problem.is(types::GROUP_NOT_FOUND) => Ok(None),
            Err(problem) => Err(problem),
            Ok(after) => {
                let how = match after.version == before.get() {
                    true => How::Unchanged,
                    false => How::Updated,
                };
                Ok(Some((Some(after), how)))
            }
        }
    }

    /// Makes a user a member, unless this is a dry run. Answers whether it was none.
    async fn add<S: Store, P: Platform>(
        &self,
        at: &Site<'_, S, P>,
        group: Option<&Group>,
        user: UserId,
    ) -> Result<bool, Error> {
        let directory = at.directory;
        let group = match group {
            Some(group) if !self.is_dry_run => group,
            _ => {
                return directory
                    .would_join(user, group.map(|group| group.id))
                    .await;
            }
        };
        let added = directory
            .set_membership(group, user, Membership::Member)
            .await;
        if let Some(change) = &at.change
            && added != Ok(false)
        {
            let status = match added.clone().map_err(Problem::from) {
                Ok(_) => StatusCode::NO_CONTENT,
                Err(problem) => problem.status(),
            };
            change.end_one(directory.platform, ADD_MEMBER, Some(user), status);
        }
        added
    }

    /// Writes what became of the group into the audit trail, where the users who follow name it, too.
    fn record<S, P: Platform>(&self, at: &Site<'_, S, P>, id: Option<GroupId>, status: StatusCode) {
        if let Some(change) = &at.change
            && !self.is_dry_run
        {
            change.group.set(id);
            change.end_one(at.directory.platform, LINE, None, status);
        }
    }
}

/// A member that is not added.
fn violation(index: usize, rule: impl Into<Rule>) -> Violation {
    Violation {
        pointer: format!("/members/{index}"),
        detail: rule.into(),
    }
}
