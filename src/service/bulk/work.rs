//! What is to be done with one of those that arrive in an import.

use super::End;
use super::outcome::Outcome;
use crate::directory::Directory;
use crate::platform::Platform;
use crate::service::audit::Change;
use crate::service::quota::Client;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::AttributePath;

/// The action of one that arrived, in the audit trail.
pub const LINE: &str = "import-line";

/// What is to be done with one that arrived.
#[allow(async_fn_in_trait)]
pub trait Work {
    /// What there is when it is done.
    type Made;
    /// The id of what it makes or changes.
    type Id;

    /// Does it, and leaves lines in the audit trail if it could write. Fails if the import ends before
    /// it is done: then it is done again by another request.
    async fn run<S: Store, P: Platform>(
        self,
        at: &Site<'_, S, P>,
    ) -> Result<Outcome<Self::Made, Self::Id>, End>;
}

/// What becomes of such work.
pub type OutcomeOf<W> = Outcome<<W as Work>::Made, <W as Work>::Id>;

/// Where the work of an import is done, and within which limits.
pub struct Site<'a, S, P> {
    pub directory: &'a Directory<'a, S, P>,
    /// The paths by which users are found.
    pub attributes: &'a [AttributePath],
    pub deadline: Timestamp,
    /// The client, whose work is counted if there is a limit.
    pub client: Option<Client>,
    pub change: Option<Change>,
}

impl<S: Store, P: Platform> Site<'_, S, P> {
    /// Fails when the time is up; answers what time it is.
    pub fn check_time(&self) -> Result<Timestamp, End> {
        let now = self.directory.platform.now();
        match now >= self.deadline {
            true => Err(End::TimeLimit(now)),
            false => Ok(now),
        }
    }

    /// Counts what is about to be done, or was done. Fails if the client has reached its limit of
    /// requests.
    pub async fn count(&self) -> Result<(), End> {
        if let Some(client) = &self.client
            && let Some(quota) = client.count(self.directory).await
            && quota.is_exceeded()
        {
            return Err(End::RateLimit(quota.reset));
        }
        Ok(())
    }
}
