//! A user that is changed if there is one with the same email, username or external id, and made
//! otherwise.

use std::cell::Cell;

use http::StatusCode;
use serde_json::Value;

use super::outcome::{Done, How};
use crate::directory::{Created, Directory, Error, Gather, Idempotency, Position, Unique};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Email, ExternalId, Profile, User, UserId, Username};

/// How often it is begun anew, at most, when other requests make, change or delete the user meanwhile.
pub(super) const ATTEMPTS: usize = 8;

/// How often it looks, at two store operations each, whether another create of the external id has ended.
const WAITS: usize = 256;

/// What an upsert makes of a user, or of none.
pub type Merge = Box<dyn Fn(Option<&Profile>) -> Result<Profile, Problem>>;

/// What makes or changes a user.
pub struct Upsert {
    pub key: Key,
    pub change: Merge,
    /// Whether nothing is written: the outcome is the one that there would be.
    pub is_dry_run: bool,
}

/// What a user is looked up by.
pub enum Key {
    Email(Email),
    Username(Username),
    ExternalId(ExternalId),
}

impl Key {
    fn is_of(&self, profile: &Profile) -> bool {
        match self {
            Key::Email(email) => profile.email.as_ref() == Some(email),
            Key::Username(username) => profile.username.as_ref() == Some(username),
            Key::ExternalId(id) => profile.external_id.as_ref() == Some(id),
        }
    }

    /// Whether a create fails so if another request has made the user since.
    fn is_taken(&self, error: &Error) -> bool {
        match self {
            Key::Email(_) => *error == Error::Taken(Unique::Email),
            Key::Username(_) => *error == Error::Taken(Unique::Username),
            // It is not unique.
            Key::ExternalId(_) => false,
        }
    }

    /// By which creates know that another makes the user, where the key is not unique. No client has
    /// such an idempotency key: it begins with a line break.
    fn idempotency(&self) -> Option<Idempotency> {
        match self {
            Key::Email(_) | Key::Username(_) => None,
            Key::ExternalId(id) => {
                let key = format!("\nexternal_id\n{}", id.as_str());
                Some(Idempotency::new(None, &key, &Value::Null))
            }
        }
    }

    /// The one user who has it. Fails if several have the external id.
    pub async fn find<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> Result<Option<User>, Problem> {
        let id = match self {
            Key::Email(email) => return Ok(directory.find_by_email(email).await?),
            Key::Username(username) => return Ok(directory.find_by_username(username).await?),
            Key::ExternalId(id) => id,
        };
        let mut two = Two::default();
        let mut from: Option<Position> = None;
        while !two.is_full() {
            let found = directory.find_by_external_id(id, from, &mut two).await?;
            // It may be the one.
            if let Some(unreadable) = found.unreadable.first() {
                let cause = format!("user {unreadable} can't be read");
                return Err(Problem::plain(types::UNREADABLE).with_cause(cause));
            }
            from = found.next;
            if from.is_none() {
                break;
            }
        }
        match two.is_full() {
            true => Err(Problem::plain(types::SEVERAL_MATCHES)),
            false => Ok(two.0.pop()),
        }
    }
}

/// Up to two users: there may be no more than one.
#[derive(Default)]
struct Two(Vec<User>);

impl Gather for Two {
    fn push(&mut self, user: User) -> bool {
        self.0.push(user);
        true
    }

    fn is_full(&self) -> bool {
        self.0.len() >= 2
    }
}

impl Upsert {
    /// Changes the user who has the key, or makes one. Answers also who was found, whatever became
    /// of the change. In a dry run there is no user where one would be made.
    ///
    /// - The user is changed only while it has the key. The change is made to the version that it
    ///   was compared with.
    /// - No two users get one email or one username. Of upserts with one external id that run at the
    ///   same time, one makes a user. Others may fail with [`Error::Contended`] while it does, for a
    ///   minute if it has died.
    pub async fn run<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> (Option<UserId>, Result<Done<Option<User>>, Problem>) {
        for _ in 0..ATTEMPTS {
            let found = match self.key.find(directory).await {
                Ok(found) => found,
                Err(problem) => return (None, Err(problem)),
            };
            let id = found.as_ref().map(|user| user.id);
            let done = match found {
                None => self.make(directory).await,
                Some(user) => self.update(directory, user).await,
            };
            if let Some(done) = done.transpose() {
                return (id, done);
            }
        }
        (None, Err(Error::Contended.into()))
    }

    /// Makes a user; `None` if another request has made it since.
    async fn make<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
    ) -> Result<Option<Done<Option<User>>>, Problem> {
        let profile = (self.change)(None)?;
        if self.is_dry_run {
            check_free(directory, &profile, None).await?;
            return Ok(Some(Done {
                is: None,
                how: How::Created,
            }));
        }
        let mut idempotency = self.key.idempotency();
        for _ in 0..WAITS {
            let created = directory
                .create(profile.clone(), idempotency.as_ref())
                .await;
            return match created {
                Ok(Created {
                    user,
                    replayed: false,
                }) => Ok(Some(Done {
                    is: Some(user),
                    how: How::Created,
                })),
                Err(Error::InProgress) => continue,
                Err(error) if self.key.is_taken(&error) => Ok(None),
                // The user who was made since may have the other member, too.
                Ok(_) | Err(Error::Gone | Error::Taken(_))
                    if self.key.find(directory).await?.is_some() =>
                {
                    Ok(None)
                }
                // The user whom another upsert made does not have the external id any more.
                Ok(_) | Err(Error::Gone) => {
                    idempotency = None;
                    continue;
                }
                Err(error) => Err(error.into()),
            };
        }
        Err(Error::Contended.into())
    }

    /// Changes the user; `None` if the user is gone since, or has another key.
    async fn update<S: Store, P: Platform>(
        &self,
        directory: &Directory<'_, S, P>,
        user: User,
    ) -> Result<Option<Done<Option<User>>>, Problem> {
        let change = &self.change;
        let profile = change(Some(&user.profile))?;
        let done = |user, is_changed| {
            let how = match is_changed {
                true => How::Updated,
                false => How::Unchanged,
            };
            let is = Some(user);
            Ok(Some(Done { is, how }))
        };
        if profile.is_represented_as(&user.profile) {
            return done(user, false);
        }
        if self.is_dry_run {
            check_free(directory, &profile, Some(user.id)).await?;
            return done(user, true);
        }
        let before = Cell::new(user.version);
        let change = |now: &User| {
            before.set(now.version);
            match self.key.is_of(&now.profile) {
                true => change(Some(&now.profile)),
                false => Err(Error::NotFound.into()),
            }
        };
        match directory.update(user.id, &change).await {
            Err(problem) if problem.is(types::USER_NOT_FOUND) => Ok(None),
            // The user who has the other member may have the key by now, too.
            Err(problem) if problem.status() == StatusCode::CONFLICT => {
                let now = self.key.find(directory).await?;
                match now.is_some_and(|now| now.id == user.id) {
                    true => Err(problem),
                    false => Ok(None),
                }
            }
            Err(problem) => Err(problem),
            Ok(after) => {
                let is_changed = after.version != before.get();
                done(after, is_changed)
            }
        }
    }
}

/// Fails if a user other than `own` has the email or the username of a profile.
pub(super) async fn check_free<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    profile: &Profile,
    own: Option<UserId>,
) -> Result<(), Problem> {
    let is_other = |user: Option<User>| user.is_some_and(|user| Some(user.id) != own);
    if let Some(email) = &profile.email
        && is_other(directory.find_by_email(email).await?)
    {
        return Err(Error::Taken(Unique::Email).into());
    }
    if let Some(username) = &profile.username
        && is_other(directory.find_by_username(username).await?)
    {
        return Err(Error::Taken(Unique::Username).into());
    }
    Ok(())
}
