//! Creating a user.

use std::time::Duration;

use super::claim::{self, Claim, Claimant, Claimed};
use super::fingerprint::Fingerprint;
use super::idempotency::Idempotency;
use super::lists::List;
use super::number;
use super::record::{FirstAnswer, Live, Record, State};
use super::versioned::{self, Written};
use super::{ATTEMPTS, CREATED, Directory, Error, LEASE};
use crate::platform::Platform;
use crate::store::Store;
use crate::user::{Profile, User, UserId};

/// The highest age of an id at which a create still makes a user of it. Other requests take the id
/// for void, if it has no record, after [`LEASE`]: that leaves room for clocks that differ, and for
/// the write of a record that is a user at once.
const STALE_ID: Duration = Duration::from_millis(LEASE as u64 / 3);

/// An id that was just given.
#[derive(Clone, Copy)]
pub(super) struct NewId {
    pub id: UserId,
    /// When it was asked for, by the monotonic clock.
    asked: Duration,
}

/// Claims of others on the email and the username of a new user that are known never to hold.
#[derive(Clone, Copy, Default)]
struct Dead {
    email: Option<Claim>,
    username: Option<Claim>,
}

/// A user, and whether an earlier request created it.
#[derive(Debug)]
pub struct Created {
    pub user: User,
    pub replayed: bool,
}

impl Created {
    fn now(user: User) -> Created {
        let replayed = false;
        Created { user, replayed }
    }

    fn earlier(user: User) -> Created {
        let replayed = true;
        Created { user, replayed }
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Makes a new user. If a create with the same idempotency key made one in the last 24
    /// hours, answers that user as it was then.
    ///
    /// - No two users have one email or one username, at any moment: [`Error::Taken`].
    /// - Of all creates with one key, one makes a user, also where some die:
    ///   [`Error::InProgress`], [`Error::KeyReused`], [`Error::Gone`].
    /// - After [`Error::Store`] and [`Error::Contended`] there may be a user or not; a repeat
    ///   with the same key tells. After any other error there is none.
    /// - A create that dies leaves an id without a user. Its email and its username can be used at
    ///   once, its key after [`LEASE`].
    pub async fn create(
        &self,
        profile: Profile,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created, Error> {
        match (self.make(&profile, idempotency).await, idempotency) {
            // The owner may be this key's own user, made meanwhile by another request.
            (Err(Error::Taken(member)), Some(idempotency)) => {
                let number = self.prepare_key(idempotency).await?;
                let earlier = self.earlier_user(idempotency, &profile, number).await?;
                earlier.map(Created::earlier).ok_or(Error::Taken(member))
            }
            (created, _) => created,
        }
    }

    /// The steps of a create, as they are numbered in `ARCHITECTURE.md`.
    async fn make(
        &self,
        profile: &Profile,
        idempotency: Option<&Idempotency>,
    ) -> Result<Created, Error> {
        // 1. The number of the key tells of an earlier create.
        let mut key = None;
        if let Some(idempotency) = idempotency {
            let number = self.prepare_key(idempotency).await?;
            if let Some(user) = self.earlier_user(idempotency, profile, number).await? {
                return Ok(Created::earlier(user));
            }
            key = Some((idempotency, number));
        }
        // 2. A taken email or username is refused before an id is given.
        let mut dead = Dead::default();
        if let Some(email) = &profile.email {
            dead.email = claim::prepare::<Live, S>(self.store, Claimed::Email(email)).await?;
        }
        if let Some(username) = &profile.username {
            dead.username =
                claim::prepare::<Live, S>(self.store, Claimed::Username(username)).await?;
        }
        // 3. The id.
        let new = self.next_id(CREATED).await?;
        // 4. The first record. With nothing to claim and no list to write, it is the user at once.
        if profile.email.is_none()
            && profile.username.is_none()
            && profile.external_id.is_none()
            && key.is_none()
        {
            let live = self.first_version(profile, None);
            let id = self.write_first(new, State::Live(live.clone())).await?;
            return Ok(Created::now(live.user(id)));
        }
        let created_at = self.platform.now();
        let id = self
            .write_first::<Live>(new, State::Pending { created_at })
            .await?;
        // If that took long, the id may be taken for void.
        let created = match self.check_age(new) {
            Ok(()) => self.claim_and_commit(id, profile, key, dead).await,
            Err(stale) => Err(stale),
        };
        if !matches!(
            created,
            Ok(Created {
                replayed: false,
                ..
            })
        ) {
            // The create failed. Its record says so at once, so that no request waits for the
            // lease.
            self.give_up::<Live>(id).await?;
        }
        created
    }

    /// The steps of a create whose record is pending. The claims `dead` are known never to hold, and
    /// its key was free when it had that number.
    async fn claim_and_commit(
        &self,
        id: UserId,
        profile: &Profile,
        key: Option<(&Idempotency, i64)>,
        dead: Dead,
    ) -> Result<Created, Error> {
        // 5. The key is claimed, unless another create was first.
        if let Some((idempotency, free)) = key
            && let Some(user) = self.claim_key(id, idempotency, profile, free).await?
        {
            return Ok(Created::earlier(user));
        }
        let request = key.map(|(idempotency, _)| idempotency.request());
        let mut loaded = self.load_for_update(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Pending { .. } = loaded.value.state else {
                break;
            };
            // 6. The email and the username are claimed, by claims that the record does not count
            // yet.
            let claims = loaded.value.claims;
            let (mut email_claim, mut username_claim) = (None, None);
            if let Some(email) = &profile.email {
                let claim = self.claim::<Live>(id, claims, Claimed::Email(email), dead.email);
                email_claim = Some(claim.await?);
            }
            if let Some(username) = &profile.username {
                let claim =
                    self.claim::<Live>(id, claims, Claimed::Username(username), dead.username);
                username_claim = Some(claim.await?);
            }
            // The list of the external id leads to the user, too.
            if let Some(external_id) = &profile.external_id {
                let list = List::ExternalId(external_id.clone());
                self.lead_to(list, id).await?;
            }
            // 7. The record becomes the user, unless another request has written it since.
            let mut live = self.first_version(profile, request);
            live.claim = email_claim;
            live.username_claim = username_claim;
            let record = Record::of(claims, live.clone());
            match loaded.write(self.store, live.version, record).await? {
                Written::Done(_) => return Ok(Created::now(live.user(id))),
                Written::Overtaken(now) => loaded = now,
                Written::Unknown(_) => break,
            }
        }
        Err(Error::Contended)
    }

    /// Ends a create that failed or died, so that it never makes a user. Answers the record as it
    /// is then: void, unless the create had ended by itself.
    pub(super) async fn give_up<L: Claimant>(&self, id: UserId) -> Result<Record<L>, Error> {
        let mut loaded = self.load_of::<L>(id).await?;
        for _ in 0..ATTEMPTS {
            let State::Pending { .. } = loaded.value.state else {
                return Ok(loaded.value);
            };
            let void = Record {
                state: State::Void,
                ..loaded.value.clone()
            };
            match loaded.write(self.store, self.draw(), void.clone()).await? {
                Written::Done(_) => return Ok(void),
                Written::Overtaken(now) | Written::Unknown(now) => loaded = now,
            }
        }
        Err(Error::Contended)
    }

    /// Gives the next id, of those whose number has this key.
    pub(super) async fn next_id(&self, key: &str) -> Result<NewId, Error> {
        let asked = self.platform.monotonic();
        let number = number::add(self.store, key, 1).await?;
        let id = UserId::try_from(number as u64).map_err(|_| Error::Exhausted)?;
        Ok(NewId { id, asked })
    }

    /// Fails if the id may soon be taken for void.
    pub(super) fn check_age(&self, new: NewId) -> Result<(), Error> {
        match self.platform.monotonic().saturating_sub(new.asked) > STALE_ID {
            true => Err(Error::Contended),
            false => Ok(()),
        }
    }

    /// Writes the first record of an id.
    pub(super) async fn write_first<L: Claimant>(
        &self,
        new: NewId,
        state: State<L>,
    ) -> Result<UserId, Error> {
        self.check_age(new)?;
        let id = new.id;
        let record = Record { claims: 0, state };
        versioned::create(self.store, &L::key(id), self.draw(), record).await?;
        Ok(id)
    }

    fn first_version(&self, profile: &Profile, request: Option<Fingerprint>) -> Box<Live> {
        let now = self.platform.now();
        let version = self.draw();
        Box::new(Live {
            claim: None,
            username_claim: None,
            version,
            profile: profile.clone(),
            created_at: now,
            updated_at: now,
            first: request.map(|request| FirstAnswer { request, version }),
            groups: Vec::new(),
            gives_bound: false,
            bounds: Vec::new(),
            indexed: Vec::new(),
            in_updates: false,
            unmarked: 0,
        })
    }
}
