//! Finding groups by the words of their names, and all groups in the order of their names: by the lists
//! of one [index](super::index), as users are found.
//!
//! A group is in a list for each start of each word of its name, and in that of the empty start, which
//! has all groups. The first search makes the index; before that, changes of groups write no list.

use super::groups::{self, LiveGroup};
use super::index::{Rule, starts};
use super::listed::{Listed, set_tag};
use super::lists::{Found, List, Places, Position};
use super::page::Gather;
use super::words::{Matching, longest_start};
use super::{Directory, Error, Order};
use crate::folded_name::{FoldedName, NamePrefix};
use crate::group::Group;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::UserId;
use crate::words::{Asked, Words};

impl LiveGroup {
    fn name(&self) -> &str {
        self.profile.name.as_str()
    }
}

impl Listed for LiveGroup {
    type Item = Group;

    const CREATED: &'static str = groups::CREATED;

    fn item(self, id: UserId) -> Group {
        self.group(id.into())
    }

    fn position(&self, list: &List, id: UserId) -> Option<Position> {
        let List::GroupWord(prefix) = list else {
            return None;
        };
        let is_here = prefix.is_empty() || Words::of_name(self.name()).has(prefix);
        is_here.then(|| Position::by_name(self.name(), id))
    }

    fn rules(&self) -> impl Iterator<Item = Rule<'_>> {
        std::iter::once(Rule::GroupWords)
    }

    fn moves(&self, after: &LiveGroup, _: Rule<'_>) -> bool {
        self.name() != after.name()
    }

    fn has_new_words(&self, after: &LiveGroup) -> bool {
        FoldedName::of(self.name()) != FoldedName::of(after.name())
    }

    fn place(&self, _: Rule<'_>, id: UserId, places: &mut Places) {
        let position = Position::by_name(self.name(), id);
        places.add(List::GroupWord(String::new()), position.clone());
        for word in Words::of_name(self.name()).iter() {
            for start in starts(word) {
                places.add(List::GroupWord(start.to_owned()), position.clone());
            }
        }
    }

    fn bounds(&self, id: UserId) -> Places {
        let mut places = Places::default();
        if !self.bounds.is_empty() {
            self.place(Rule::GroupWords, id, &mut places);
            places.retain_lists(|list| self.gives_bound(list));
        }
        places
    }

    fn gives_bound(&self, list: &List) -> bool {
        list.tag().is_some_and(|tag| self.bounds.contains(&tag))
    }

    fn set_gives_bound(&mut self, list: &List, gives_bound: bool) {
        if let Some(tag) = list.tag() {
            set_tag(&mut self.bounds, tag, gives_bound);
        }
    }

    fn note(&mut self, _: Rule<'_>) -> bool {
        false
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the groups that have words that begin as `asked`, in the order of their names, from a
    /// position on, until `gathered` is full. There may be fewer, or none, while there is a `next`
    /// position; [`Error::Indexing`] while the index is being made. Both as in a [search for
    /// users](Directory::search_words).
    pub async fn search_groups(
        &self,
        asked: &Asked,
        from: Option<Position>,
        gathered: &mut dyn Gather<Group>,
    ) -> Result<Found, Error> {
        if !self.merge_groups().await? {
            return Ok(Found::default());
        }
        let starts = asked.words().iter().filter_map(|word| longest_start(word));
        let lists = starts.map(|start| List::GroupWord(start.to_owned()));
        let gathered = &mut Matching {
            asked,
            words: |group: &Group| Words::of_name(group.profile.name.as_str()),
            gathered,
        };
        self.gather_shortest::<LiveGroup>(lists.collect(), from, gathered)
            .await
    }

    /// Gathers groups in the order of their names, or in the reverse of that order: all of them, or, in
    /// ascending order, those whose names begin with `prefix`. Otherwise likewise.
    pub async fn list_groups_by_name(
        &self,
        prefix: Option<&NamePrefix>,
        order: Order,
        from: Option<Position>,
        gathered: &mut dyn Gather<Group>,
    ) -> Result<Found, Error> {
        let all = List::GroupWord(String::new());
        if !self.merge_groups().await? {
            return Ok(Found::default());
        }
        match (order, self.list_if_any(all).await?) {
            // There was never a group, though ids were given.
            (_, None) => Ok(Found::default()),
            (Order::Ascending, Some(all)) => {
                let first = prefix.map(Position::first).unwrap_or_default();
                let prefix = prefix.map_or("", NamePrefix::as_str);
                let from = from.unwrap_or(first);
                all.gather::<LiveGroup>(prefix, &from, gathered).await
            }
            (Order::Descending, Some(all)) => {
                let (end, first) = (from.unwrap_or_else(Position::end), Position::default());
                all.gather_backwards::<LiveGroup>(end, &first, gathered)
                    .await
            }
        }
    }

    /// Answers whether there was ever a group.
    async fn merge_groups(&self) -> Result<bool, Error> {
        let index = self.merge_everybody::<LiveGroup>(Rule::GroupWords).await?;
        Ok(index.is_some())
    }
}
