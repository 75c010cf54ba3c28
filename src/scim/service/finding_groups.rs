//! The groups that a filter asks for: from an index if there is one, or else by reading them.
//!
//! A group's members are no part of its record. A filter may compare them with users by `eq`, alone or in
//! an `and`, as Entra ID does: what the users' records say of the groups decides then.

use serde_json::json;

use super::asked::{Asked, read_cursor, write_cursor};
use super::finding::{MAX_TURNS, Page, Place, direction};
use super::group::{put_members, shows_members};
use super::mapping::Resource;
use super::members::MAX_READ as MAX_MEMBERS;
use super::refusal::{INVALID_CURSOR, INVALID_FILTER, TOO_MANY};
use super::scene::Scene;
use super::window::{MAX_READ, Window};
use crate::directory::{Error, Gather, GroupsOf, Order, Position};
use crate::folded_name::NamePrefix;
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
    /// In the order of their names: those whose names begin so, or all of them.
    ByName(Option<NamePrefix>, Order),
    ById,
}

impl Source {
    /// Where a page begins, by the cursor of the page before.
    fn read_cursor(&self, cursor: Option<&str>) -> Result<Option<Place>, Problem> {
        let Source::ByName(prefix, _) = self else {
            return Ok(read_cursor(cursor)?.map(Place::After));
        };
        let position: Option<Position> = read_cursor(cursor)?;
        match (prefix, &position) {
            (Some(prefix), Some(position)) if !position.is_within(prefix) => {
                Err(Problem::plain(INVALID_CURSOR))
            }
            _ => Ok(position.map(Place::At)),
        }
    }

    /// The place behind a group of the list.
    fn behind(&self, group: &Group) -> Place {
        let (name, id) = (group.profile.name.as_str(), group.id.get());
        match self {
            Source::ByName(_, order) => Place::At(Position::behind(name, id, *order)),
            _ => Place::After(id),
        }
    }
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
                None => by_name(&conditions, asked).unwrap_or(Source::ById),
            },
        };
        let is_whole = match &source {
            Source::One(_) | Source::ByName(Some(_), _) => asked.sort.is_some(),
            Source::ByName(None, _) => false,
            Source::Of(_) => true,
            Source::ById => {
                let is_sorted = asked.sort.is_some_and(|(path, is_descending)| {
                    is_descending || !(path.is("id") || path.is("meta.created"))
                });
                is_sorted || asked.filter.is_some()
            }
        };
        // The filter sees the members that the users' records tell of.
        let complete = |resource: &mut Resource| add_members(&users, resource);
        let window = Window::new(asked, self.configuration, is_whole);
        let mut window = window.completed(&complete);
        let mut place = match is_whole {
            true => {
                window.skip_to(asked)?;
                None
            }
            false => source.read_cursor(asked.cursor.as_deref())?,
        };
        let mut turns = 0;
        let next = loop {
            match self.gather_groups(&source, place, &mut window).await? {
                None => break None,
                Some(next) if window.is_full() || turns == MAX_TURNS => break Some(next),
                Some(next) => place = Some(next),
            }
            turns += 1;
        };
        // With a cursor, a page without any group leads on.
        let has_cursor = asked.cursor.is_some();
        let is_stuck = !has_cursor && window.matched() <= window.skip;
        if next.is_some() && (is_whole || is_stuck) {
            let detail = format!(
                "This list would read more than {MAX_READ} groups. Compare id or members by eq, or displayName by \
                 eq or sw, alone or in an and, or page with the parameter cursor."
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
            Some(_) if is_whole => (shown < matched).then(|| write_cursor(&shown)),
            Some((last, _)) if is_cut => Some(source.behind(last).write()),
            _ => next.filter(|_| !is_whole).map(Place::write),
        };
        Ok(Page {
            rows,
            total,
            next_cursor: next.filter(|_| has_cursor),
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
        from: Option<Place>,
        window: &mut Window<'_, Group>,
    ) -> Result<Option<Place>, Problem> {
        let directory = self.directory;
        let (after, at) = match from {
            None => (0, None),
            Some(Place::After(after)) => (after, None),
            Some(Place::At(position)) => (0, Some(position)),
        };
        let page = match source {
            Source::One(group) => {
                if let Some(group) = group {
                    window.push((**group).clone());
                }
                return Ok(None);
            }
            Source::ByName(prefix, order) => {
                let found = directory.list_groups_by_name(prefix.as_ref(), *order, at, window);
                let found = found.await?;
                let unreadable = found.unreadable.into_iter().map(GroupId::from);
                self.log_unreadable_groups(&unreadable.collect::<Vec<_>>());
                return Ok(found.next.map(Place::At));
            }
            Source::Of(groups) => directory.list_groups_of(groups, after, window).await?,
            Source::ById => directory.list_groups(after, window).await?,
        };
        self.log_unreadable_groups(&page.unreadable);
        Ok(page.next.map(|next| Place::After(next.get())))
    }

    fn log_unreadable_groups(&self, ids: &[GroupId]) {
        log_unreadable_groups(self.directory.platform, &self.trace, &self.place, ids);
    }
}

/// The list in the order of names that has all groups who can meet the conditions, or that is asked for.
fn by_name(conditions: &[Comparison], asked: &Asked) -> Option<Source> {
    let prefix = |condition: &Comparison| -> Option<NamePrefix> {
        let is_start = condition.operator == Operator::Sw && condition.path.is("displayName");
        condition
            .value
            .as_str()
            .filter(|_| is_start)?
            .try_into()
            .ok()
    };
    if let Some(prefix) = conditions.iter().find_map(prefix) {
        return Some(Source::ByName(Some(prefix), Order::Ascending));
    }
    match asked.sort {
        Some((path, _)) if asked.filter.is_none() && path.is("displayName") => {
            Some(Source::ByName(None, direction(asked)))
        }
        _ => None,
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
