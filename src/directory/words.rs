//! Finding users by words: by the lists of an [index](super::index).

use super::index::{Rule, starts};
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::Live;
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::User;
use crate::words::{Asked, Words};

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users who have words that begin as `asked`, in the order of their names, from a
    /// position on, until `gathered` is full. There may be fewer, or none, while there is a `next`
    /// position, as in a [search](Directory::search).
    ///
    /// The first search makes the index of words. While that goes on, each search merges users for up to
    /// a second, and then answers [`Error::Indexing`].
    pub async fn search_words(
        &self,
        asked: &Asked,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        if self.merge_everybody::<Live>(Rule::Words).await?.is_none() {
            return Ok(Found::default());
        }
        // Each of their lists is in the same order, and has all who match.
        let starts = asked.words().iter().filter_map(|word| longest_start(word));
        let lists = starts.map(|start| List::Word(start.to_owned())).collect();
        let gathered = &mut Matching {
            asked,
            words: |user: &User| Words::of(&user.profile),
            gathered,
        };
        self.gather_shortest::<Live>(lists, from, gathered).await
    }
}

/// The longest start of a word that has a list: fewer users have it than a shorter one.
pub(super) fn longest_start(word: &str) -> Option<&str> {
    starts(word).last()
}

/// Passes on users, or groups, whose words begin as asked.
pub(super) struct Matching<'g, T> {
    pub asked: &'g Asked,
    /// The words by which one is found.
    pub words: fn(&T) -> Words,
    pub gathered: &'g mut dyn Gather<T>,
}

impl<T> Gather<T> for Matching<'_, T> {
    fn push(&mut self, next: T) -> bool {
        self.asked.matches(&(self.words)(&next)) && self.gathered.push(next)
    }

    fn is_full(&self) -> bool {
        self.gathered.is_full()
    }
}
