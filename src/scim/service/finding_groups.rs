//! The groups that a filter asks for: from an index if there is one, or else by reading them.
//!
//! A group's members are no part of its record. A filter may compare them with users by `eq`, alone or in
//! an `and`, as Entra ID does: what the users' records say of the groups decides then.

use serde_json::json;

use super::asked::{Asked, read_cursor, write_cursor};
use super::finding::{MAX_TURNS, Page};
use super::group::{put_members, shows_members};
use super::mapping::Resource;
use super::members::MAX_READ as MAX_MEMBERS;
use super::refusal::{INVALID_FILTER, TOO_MANY};
use super::scene::Scene;
use super::window::{MAX_READ, Window};
use crate::directory::{Error, Gather, GroupsOf};
use crate::group::{Group, GroupId, GroupName};
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::scim::Filter;
use crate::scim::filter::{Comparison, Operator};
use crate::service::omissions::log_unreadable_groups;
use crate::store::Store;

/// The most users whose groups a filter asks for.
const MAX_USERS: usize = 10;

/// Where the groups come from, all of those that a filter may match.
enum Source {
    /// From an index that has one group at most.
    One(Option<Box<Group>>),
    /// The groups of a user.
    Of(Box<GroupsOf>),
    All,
}

impl<S: Store, P: Platform> Scene<'_, S, P> {
    /// The groups of a list.
    pub async fn groups(&self, asked: &Asked) -> Result<Page<Group>, Problem> {
        let conditions = asked
            .filter
            .as_ref()
            .map(Filter::conjuncts)
            .unwrap_or_default();
        if asked
            .filter
            .as_ref()
            .is_some_and(|filter| !asks_for_members(filter))
        {
            let detail =
                "A filter compares members with the id of a user by eq, alone or in an and.";
            return Err(Problem::new(INVALID_FILTER, detail));
        }
        let mut users = Vec::new();
        for condition in conditions.iter().filter(|condition| is_member(condition)) {
            if users.len() == MAX_USERS {
                let detail = format!("A filter compares members with at most {MAX_USERS} users.");
                return Err(Problem::new(TOO_MANY, detail));
            }
            let id = condition.value.as_str().and_then(|id| id.parse().ok());
            let groups = match id {
                Some(id) => self.directory.groups_of(id).await,
                None => Err(Error::NotFound),
            };
            match groups {
                Ok(groups) => users.push(groups),
                // Nobody who is there is meant, so no group has such a member.
                Err(Error::NotFound) => return Ok(Page::empty()),
                Err(error) => return Err(error.into()),
            }
        }
        let source = match self.group_by_unique(&conditions).await? {
            Some(one) => one,
            None => match users.pop() {
                Some(of) => {
                    users.push(GroupsOf::clone(&of));
                    Source::Of(Box::new(of))
                }
                None => Source::All,
            },
        };
        let is_whole = asked.sort.is_some_and(|(path, is_descending)| {
            is_descending || !(path.is("id") || path.is("meta.created"))
        });
        let is_whole = is_whole || asked.filter.is_some() && !matches!(source, Source::One(_));
        // The filter sees the members that the users' records tell of.
        let complete = |resource: &mut Resource| add_members(&users, resource);
        let window = Window::new(asked, self.configuration, is_whole);
        let mut window = window.completed(&complete);
        let mut after = 0;
        match is_whole {
            true => window.skip_to(asked)?,
            false => after = read_cursor(asked.cursor.as_deref())?.unwrap_or(0),
        }
        let mut turns = 0;
        let next = loop {
            match self.gather_groups(&source, after, &mut window).await? {
                None => break None,
                Some(next) if window.is_full() || turns == MAX_TURNS => break Some(next),
                Some(next) => after = next.get(),
            }
            turns += 1;
        };
        if next.is_some() && (is_whole || window.matched() <= window.skip) {
            let detail = format!(
                "This list would read more than {MAX_READ} groups. Compare displayName, id or members by \
                 eq, alone or in an and, or page with the parameter cursor."
            );
            return Err(Problem::new(TOO_MANY, detail));
        }
        let (matched, skipped) = (window.matched(), window.skip);
        let mut rows = window.into_rows(asked);
        let is_cut = match shows_members(&asked.shown) {
            true => self.add_all_members(&mut rows).await?,
            false => false,
        };
        let total = match next {
            None => matched,
            // Not all are counted: one more, at least.
            Some(_) => asked.start + rows.len() as u64,
        };
        let shown = skipped.saturating_add(rows.len() as u64);
        let next = match rows.last() {
            Some(_) if is_whole => (shown < matched).then_some(shown),
            Some((last, _)) if is_cut => Some(last.id.get()),
            _ => next.filter(|_| !is_whole).map(GroupId::get),
        };
        let next_cursor = next.filter(|_| asked.cursor.is_some());
        Ok(Page {
            rows,
            total,
            next_cursor: next_cursor.map(|next| write_cursor(&next)),
        })
    }

    /// Gives groups their members, as many as one request reads. Leaves out the groups at the end for which
    /// that is too few, and answers whether there are any; fails if it is the first one.
    async fn add_all_members(&self, rows: &mut Vec<(Group, Resource)>) -> Result<bool, Problem> {
        let mut room = MAX_MEMBERS;
        let mut done = 0;
        for (group, resource) in rows.iter_mut() {
            match self.members(group, room).await {
                Ok(members) => {
                    room -= members.len();
                    put_members(resource, members);
                }
                Err(problem) if done > 0 && problem.is(TOO_MANY) => break,
                Err(problem) => return Err(problem),
            }
            done += 1;
        }
        let is_cut = done < rows.len();
        rows.truncate(done);
        Ok(is_cut)
    }

    /// The group that alone can meet a condition.
    async fn group_by_unique(&self, conditions: &[Comparison]) -> Result<Option<Source>, Problem> {
        for condition in conditions {
            let (Operator::Eq, Some(value)) = (condition.operator, condition.value.as_str()) else {
                continue;
            };
            // A value that breaks the rule is no group's.
            let group = if condition.path.is("id") {
                match value.parse::<GroupId>() {
                    Ok(id) => match self.directory.group(id).await {
                        Err(Error::NoGroup) => None,
                        group => Some(group?),
                    },
                    Err(_) => None,
                }
            } else if condition.path.is("displayName") {
                match GroupName::try_from(value.to_owned()) {
                    Ok(name) => self.directory.find_group(&name).await?,
                    Err(_) => None,
                }
            } else {
                continue;
            };
            return Ok(Some(Source::One(group.map(Box::new))));
        }
        Ok(None)
    }

    /// Gathers groups from a source. Answers where it goes on, if it has not ended.
    async fn gather_groups(
        &self,
        source: &Source,
        after: u64,
        window: &mut Window<'_, Group>,
    ) -> Result<Option<GroupId>, Problem> {
        let page = match source {
            Source::One(group) => {
                if let Some(group) = group {
                    window.push((**group).clone());
                }
                return Ok(None);
            }
            Source::Of(groups) => self.directory.list_groups_of(groups, after, window).await?,
            Source::All => self.directory.list_groups(after, window).await?,
        };
        let platform = self.directory.platform;
        log_unreadable_groups(platform, &self.trace, &self.place, &page.unreadable);
        Ok(page.next)
    }
}

/// Gives a group those of the users as members who are in it.
fn add_members(users: &[GroupsOf], resource: &mut Resource) {
    let id = resource["id"].as_str().and_then(|id| id.parse().ok());
    let is_in = |of: &&GroupsOf| id.is_some_and(|id| of.has(id));
    let members = users
        .iter()
        .filter(is_in)
        .map(|of| json!({ "value": of.user.id.to_string(), "type": "User" }));
    resource.insert("members".to_owned(), members.collect());
}

/// Whether a condition asks for a member.
fn is_member(condition: &Comparison) -> bool {
    condition.operator == Operator::Eq && condition.path.is("members.value")
}

/// Whether a filter asks for members only in a way that the users' records can answer.
fn asks_for_members(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(asks_for_members),
        Filter::Compare(_) | Filter::Values(..) if filter.mentions("members") => {
            filter.conjuncts().iter().any(is_member)
        }
        _ => !filter.mentions("members"),
    }
}
