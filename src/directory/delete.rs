//! Deleting a user.

use super::ledger::AnnouncedDelete;
use super::listed::Listed;
use super::lists::Places;
use super::record::{Live, Record, State};
use super::versioned::Written;
use super::{ATTEMPTS, Directory, Error};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{User, UserId};

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Deletes the user of that id, if `check` does not object.
    ///
    /// - A deleted user never comes back, and its id is never given again.
    /// - The total counts one user less at once, also where the delete dies.
    /// - After [`Error::Store`] and [`Error::Contended`] the user may be deleted or not, after
    ///   any other error it is not.
    pub async fn delete<E: From<Error>>(
        &self,
        id: UserId,
        check: &dyn Fn(&User) -> Result<(), E>,
    ) -> Result<(), E> {
        // 1. The record is read.
        let mut loaded = self.load_for_update(id).await?;
        let mut announced: Option<AnnouncedDelete<S::Watch>> = None;
        for _ in 0..ATTEMPTS {
            let claims = loaded.value.claims;
            let mut left = Places::default();
            let allowed = match loaded.value.state.clone() {
                State::Live(before) => {
                    left = before.bounds(id);
                    check(&before.user(id))
                }
                _ => Err(Error::NotFound.into()),
            };
            if let Err(refused) = allowed {
                if let Some(announced) = announced {
                    self.cancel_delete(announced).await;
                }
                return Err(refused);
            }
            // 2. The ledger lists the delete, by the number that the record will have.
            let by = self.draw();
            let listed = self.announce_delete(id, by, announced).await?;
            // 3. The record is replaced, unless another request has written it since.
            let state = State::Deleted { by };
            match loaded
                .write(self.store, by, Record { claims, state })
                .await?
            {
                Written::Done(_) => {
                    // 4. The ledger counts the delete. If this fails, readers of the ledger do it.
                    self.count_delete(listed).await;
                    // 5. The lists forget the name. If this fails, a later search does it.
                    self.release::<Live>(left).await;
                    return Ok(());
                }
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => return Err(Error::Contended.into()),
            }
            announced = Some(listed);
        }
        Err(Error::Contended.into())
    }
}
