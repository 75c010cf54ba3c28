//! A user that arrives in an import.

use super::End;
use super::outcome::{Done, How, Outcome};
use super::upsert::{Upsert, check_free};
use super::work::{LINE, Site, Work};
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Profile, User, UserId};

/// What is to be done with it.
pub enum UserWork {
    Create(Profile),
    /// As a create, but nothing is written: the outcome is the one that there would be.
    TryCreate(Profile),
    Upsert(Upsert),
}

impl Work for UserWork {
    type Made = Option<User>;
    type Id = UserId;

    async fn run<S: Store, P: Platform>(
        self,
        at: &Site<'_, S, P>,
    ) -> Result<Outcome<Option<User>, UserId>, End> {
        let directory = at.directory;
        let is_dry_run = match &self {
            UserWork::Create(_) => false,
            UserWork::TryCreate(_) => true,
            UserWork::Upsert(upsert) => upsert.is_dry_run,
        };
        let (found, result) = match self {
            UserWork::Create(profile) => {
                let created = directory.create(profile, None).await;
                let done = created.map(|created| Done {
                    is: Some(created.user),
                    how: How::Created,
                });
                (None, done.map_err(Problem::from))
            }
            UserWork::TryCreate(profile) => {
                let free = check_free(directory, &profile, None).await;
                let done = free.map(|()| Done {
                    is: None,
                    how: How::Created,
                });
                (None, done)
            }
            UserWork::Upsert(upsert) => upsert.run(directory).await,
        };
        if let Some(change) = &at.change
            && !is_dry_run
        {
            let (user, status) = match &result {
                Ok(Done { is, how }) => (is.as_ref().map(|user| user.id), how.status()),
                Err(problem) => (found, problem.status()),
            };
            change.end_one(directory.platform, LINE, user, status);
        }
        if let Ok(Done {
            is: Some(user),
            how: How::Created,
        }) = &result
        {
            directory.merge_after(user.id, at.attributes).await;
        }
        Ok(Outcome { found, result })
    }
}
