//! Finding users by values in their attributes: by the lists of an [index](super::index) for each path.
//!
//! The first search by a path makes its index. From the moment at which a user is merged its record
//! names the path, and each change of the user writes the lists of new values, whatever the
//! instance that makes the change knows of paths. So instances may differ in their variables, and a
//! path that the operator names again later has all changes since.

use super::index::Rule;
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::Live;
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::AttributePath;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users who have a value at a path of their attributes, ascending by id, from a
    /// position on, until `gathered` is full. Of several `wanted` values it goes by the one that the
    /// fewest users have, and leaves it to `gathered` not to take users who lack another. There may be
    /// fewer users, or none, while there is a `next` position, as in a [search](Directory::search).
    /// [`Error::Indexing`] while an index is being made, as in a [search by
    /// words](Directory::search_words).
    pub async fn find_by_attributes(
        &self,
        wanted: &[(AttributePath, String)],
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        for (path, _) in wanted {
            let index = self.merge_everybody::<Live>(Rule::Attribute(path)).await?;
            if index.is_none() {
                return Ok(Found::default());
            }
        }
        let lists = wanted.iter().cloned();
        let lists = lists.map(|(path, value)| List::Attribute(path, value));
        self.gather_shortest::<Live>(lists.collect(), from, gathered)
            .await
    }
}
