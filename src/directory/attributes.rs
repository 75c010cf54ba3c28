//! Finding users by values in their attributes: by the lists of an [index](super::index) for each path.
//!
//! The first search by a path makes its index. From the moment at which a user is merged its record
//! names the path, and each change of the user writes the lists of new values, whatever the
//! instance that makes the change knows of paths. So instances may differ in their variables, and a
//! path that the operator names again later has all changes since.

use super::index::Rule;
use super::lists::{Found, List, Position};
use super::page::Gather;
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::AttributePath;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users who have a value at a path of their attributes, ascending by id, from a
    /// position on, until `gathered` is full. There may be fewer, or none, while there is a `next`
    /// position, as in a [search](Directory::search). [`Error::Indexing`] while the index is being made,
    /// as in a [search by words](Directory::search_words).
    pub async fn find_by_attribute(
        &self,
        path: &AttributePath,
        value: &str,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        if !self.merge_everybody(Rule::Attribute(path)).await? {
            return Ok(Found::default());
        }
        let list = List::Attribute(path.clone(), value.to_owned());
        self.gather_list(list, from, gathered).await
    }
}
