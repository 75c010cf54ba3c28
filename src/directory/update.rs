//! Changing a user.

use super::claim::Claimed;
use super::idempotency;
use super::lists::{Led, List};
use super::record::{Live, Record, State};
use super::versioned::Written;
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Profile, User, UserId};

/// How often a change is tried. Of changes that 8 clients make to one user without a pause, 16 times are too
/// few for one in 250, and 32 for one in 2,000.
const ATTEMPTS: usize = 64;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Changes the user of that id to what `change` makes of it, if it does not object.
    ///
    /// - A change that changes nothing is not written: the answer is the version that is there.
    /// - The change is made to the user that `change` saw: of changes that meet, each sees the
    ///   one before it.
    /// - No two users have one email or one username, at any moment: [`Error::Taken`].
    /// - A search finds the user by its old name or by its new one.
    /// - After [`Error::Store`] and [`Error::Contended`] the change may have been made or not,
    ///   after any other error it was not.
    /// - A change that dies may leave claims on the new email and username. Others can use these
    ///   at once, and change the user at once.
    pub async fn update<E: From<Error>>(
        &self,
        id: UserId,
        change: &dyn Fn(&User) -> Result<Profile, E>,
    ) -> Result<User, E> {
        // 1. The record is read.
        let mut loaded = self.load_for_update(id).await?;
        let mut led = Led::default();
        for _ in 0..ATTEMPTS {
            let State::Live(before) = loaded.value.state.clone() else {
                return Err(Error::NotFound.into());
            };
            led.renew(&before);
            let profile = change(&before.clone().user(id))?;
            if profile.is_represented_as(&before.profile) {
                return Ok(before.user(id));
            }
            let now = self.platform.now();
            let claims = loaded.value.claims;
            let mut after = Box::new(Live {
                claim: None,
                username_claim: None,
                version: self.draw(),
                created_at: before.created_at,
                // A clock that was set back must not make a user look older than it is.
                updated_at: now.max(before.updated_at),
                profile,
                first: before
                    .first
                    .filter(|_| !idempotency::is_forgotten(before.created_at, now)),
                groups: before.groups.clone(),
                gives_bound: before.gives_bound,
                bounds: before.bounds.clone(),
                indexed: before.indexed.clone(),
                in_updates: before.in_updates,
                unmarked: before.unmarked,
            });
            // 2. A new email and a new username are claimed, by claims that the record does not
            // count yet.
            if after.profile.email == before.profile.email {
                after.claim = before.claim;
            } else if let Some(email) = &after.profile.email {
                let claim = self
                    .claim::<Live>(id, claims, Claimed::Email(email), None)
                    .await?;
                after.claim = Some(claim);
            }
            if after.profile.username == before.profile.username {
                after.username_claim = before.username_claim;
            } else if let Some(username) = &after.profile.username {
                let claim = self.claim::<Live>(id, claims, Claimed::Username(username), None);
                after.username_claim = Some(claim.await?);
            }
            // 3. The lists of the new external id, of names, of words, of attributes and of changes lead to the
            // user, too.
            let known = led.places.lists().len();
            if let Some(external_id) = &after.profile.external_id
                && before.profile.external_id.as_ref() != Some(external_id)
                && led.external_id.as_ref() != Some(external_id)
            {
                let list = List::ExternalId(external_id.clone());
                self.lead_to(list, id).await?;
                led.external_id = Some(external_id.clone());
            }
            let left = self.index_change(id, &*before, &mut *after, &mut led);
            let left = left.await?;
            // Many lists take long, for each start of each word has one. If shorter changes of the user were
            // faster, this one begins again with lists that lead to the user: then it is as short as they are.
            if led.places.lists().len() > known + 1 {
                let now = self.load_for_update(id).await?;
                if !now.is_as(&loaded) {
                    loaded = now;
                    continue;
                }
            }
            // 4. The record is replaced, unless another request has written it since.
            let record = Record::of(claims, after.clone());
            match loaded.write(self.store, after.version, record).await? {
                Written::Done(_) => {
                    // 5. The lists forget the old name. If this fails, a later search does it. The list
                    // of changes forgets where the user was.
                    self.release::<Live>(left).await;
                    self.leave_update(id, before.updated_at, &after).await;
                    return Ok(after.user(id));
                }
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
        }
        Err(Error::Contended.into())
    }
}
