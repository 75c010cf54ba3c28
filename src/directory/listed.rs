//! What lists lead to: users and groups, as their records say.

use super::claim::Claimant;
use super::index::{Rule, starts};
use super::lists::{List, Places, Position};
use super::record::Live;
use crate::user::{User, UserId};
use crate::words::Words;

/// A user or a group, as its record says. The ids of groups stand in lists as if they were users'.
pub(super) trait Listed: Claimant {
    /// The user or the group, as readers get it.
    type Item;

    /// The key of the number of ids that were given so far.
    const CREATED: &'static str;

    /// This version of it.
    fn item(self, id: UserId) -> Self::Item;

    /// Where it is in a list; `None` if it is not in the list.
    fn position(&self, list: &List, id: UserId) -> Option<Position>;

    /// The rules of the indexes that a change may have to write, in the order in which it does.
    fn rules(&self) -> impl Iterator<Item = Rule<'_>>;

    /// Whether a rule may put `after` into other lists or places.
    fn moves(&self, after: &Self, rule: Rule<'_>) -> bool;

    /// Whether `after` gets into lists of words for certain where it was not, for a reason that does
    /// not show in the list of names.
    fn has_new_words(&self, after: &Self) -> bool;

    /// Adds its places by a rule.
    fn place(&self, rule: Rule<'_>, id: UserId, places: &mut Places);

    /// The places at which it gives the bound of a node.
    fn bounds(&self, id: UserId) -> Places;

    /// Whether nodes of a list may begin with the start of its name.
    fn gives_bound(&self, list: &List) -> bool;

    /// Notes whether nodes of a list may begin with the start of its name.
    fn set_gives_bound(&mut self, list: &List, gives_bound: bool);

    /// Notes that it is in an index, if the record tells of that one. Answers whether it was noted
    /// before.
    fn note(&mut self, rule: Rule<'_>) -> bool;

    /// Counts that a mark on it was removed from a leaf, if changes rely on that, see
    /// [`Led`](super::lists::Led).
    fn count_unmarked(&mut self) {}
}

impl Listed for Live {
    type Item = User;

    const CREATED: &'static str = super::CREATED;

    fn item(self, id: UserId) -> User {
        self.user(id)
    }

    fn position(&self, list: &List, id: UserId) -> Option<Position> {
        let profile = &self.profile;
        let (is_here, is_by_name) = match list {
            List::Updates => return Some(Position::by_time(self.updated_at, id)),
            List::Names => (true, true),
            List::Word(prefix) => (Words::of(profile).has(prefix), true),
            List::ExternalId(wanted) => (profile.external_id.as_ref() == Some(wanted), false),
            List::Group(group) => (self.groups.binary_search(group).is_ok(), false),
            List::Attribute(path, value) => {
                let values = path.values(profile.attributes.as_ref());
                (values.contains(value), false)
            }
            List::GroupWord(_) => (false, false),
        };
        is_here.then(|| match is_by_name {
            true => Position::by_name(profile.name.as_str(), id),
            false => Position::by_id(id),
        })
    }

    fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        let attributes = self.indexed.iter().map(Rule::Attribute);
        Rule::ALL.into_iter().chain(attributes)
    }

    fn moves(&self, after: &Live, rule: Rule<'_>) -> bool {
        let (one, other) = (&self.profile, &after.profile);
        match rule {
            Rule::Names => one.name != other.name,
            Rule::Words => one.name != other.name || !one.signs_in_as(other),
            Rule::Attribute(_) => one.attributes != other.attributes,
            // Of this index, too, the record tells.
            Rule::Updates => self.in_updates && self.updated_at != after.updated_at,
            Rule::GroupWords => false,
        }
    }

    fn has_new_words(&self, after: &Live) -> bool {
        after.profile.signs_in_anew(&self.profile)
    }

    fn place(&self, rule: Rule<'_>, id: UserId, places: &mut Places) {
        let profile = &self.profile;
        match rule {
            Rule::Names => {
                places.add(List::Names, Position::by_name(profile.name.as_str(), id));
            }
            Rule::Words => {
                let position = Position::by_name(profile.name.as_str(), id);
                for word in Words::of(profile).iter() {
                    for start in starts(word) {
                        places.add(List::Word(start.to_owned()), position.clone());
                    }
                }
            }
            Rule::Updates => places.add(List::Updates, Position::by_time(self.updated_at, id)),
            Rule::Attribute(path) => {
                for value in path.values(profile.attributes.as_ref()) {
                    places.add(List::Attribute(path.clone(), value), Position::by_id(id));
                }
            }
            Rule::GroupWords => {}
        }
    }

    fn bounds(&self, id: UserId) -> Places {
        let mut places = Places::default();
        if self.gives_bound {
            self.place(Rule::Names, id, &mut places);
        }
        if !self.bounds.is_empty() {
            self.place(Rule::Words, id, &mut places);
            places.retain_lists(|list| self.gives_bound(list));
        }
        places
    }

    fn gives_bound(&self, list: &List) -> bool {
        match list.tag() {
            None => self.gives_bound,
            Some(tag) => self.bounds.contains(&tag),
        }
    }

    fn set_gives_bound(&mut self, list: &List, gives_bound: bool) {
        match list.tag() {
            None => self.gives_bound = gives_bound,
            Some(tag) => set_tag(&mut self.bounds, tag, gives_bound),
        }
    }

    fn note(&mut self, rule: Rule<'_>) -> bool {
        match rule {
            Rule::Attribute(path) if self.indexed.contains(path) => true,
            Rule::Attribute(path) => {
                self.indexed.push(path.clone());
                false
            }
            Rule::Updates => std::mem::replace(&mut self.in_updates, true),
            Rule::Names | Rule::Words | Rule::GroupWords => false,
        }
    }

    fn count_unmarked(&mut self) {
        self.unmarked = self.unmarked.wrapping_add(1);
    }
}

/// Adds a [tag](List::tag), or removes it.
pub(super) fn set_tag(tags: &mut Vec<u32>, tag: u32, is_set: bool) {
    tags.retain(|other| *other != tag);
    if is_set {
        tags.push(tag);
    }
}
