//! Finding users by the id that another system has for them.
//!
//! Several users may have one external id, so each external id has a [list](super::lists). A
//! request that gives a user an external id writes the list before the record.

use super::lists::{Found, List, Position};
use super::page::Gather;
use super::record::Live;
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::ExternalId;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Gathers the users with an external id, ascending by id, from a position on, until `gathered`
    /// is full. There may be fewer, or none, while there is a `next` position, as in a
    /// [search](Directory::search).
    pub async fn find_by_external_id(
        &self,
        external_id: &ExternalId,
        from: Option<Position>,
        gathered: &mut dyn Gather,
    ) -> Result<Found, Error> {
        let list = List::ExternalId(external_id.clone());
        self.gather_shortest::<Live>(vec![list], from, gathered)
            .await
    }
}
