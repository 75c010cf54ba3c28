//! Creates that may be repeated: a key that the client chose stands for one user.
//!
//! The keys of the last day are found through the records of the users that were
//! created with them. Each key belongs to one of a fixed number of *slots*. A slot
//! is a [cell](super::number) that names the newest user with a key of the slot, and
//! each record has links to older ones: for every bit of its key's hash, the newest
//! user whose hash is the same before that bit, and differs in it. Who looks for a
//! key starts at the slot and follows in each record the link at the first bit that
//! differs, so that of n keys in a slot about log₂ n records are read. Nothing has
//! to be cleared away: links say how old they are, and old ones are not followed.
//!
//! A create first writes a pending record that has the links, then swaps the slot
//! to itself, and only then becomes a user, by a swap of its record. If the slot
//! changed since the create looked, the swap fails, and it looks again. So of all
//! creates with one key, each sees those that came before it; it goes on only if
//! they will never become users, which it makes sure of by a swap if they died.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::claim;
use super::number::Number;
use super::record::{self, Record, State};
use super::versioned::Written;
use super::{ATTEMPTS, Directory, Error, LEASE};
use crate::platform::Platform;
use crate::store::Store;
use crate::timestamp::Timestamp;
use crate::user::{Profile, User, UserId};

const MINUTE: i64 = 60_000;

/// For how long a key is remembered, in milliseconds: a day, and a minute more for
/// each of these: times in links are in whole minutes, and users may come to be
/// linked in another order than they began in.
const REMEMBERED: i64 = 24 * 60 * MINUTE + MINUTE + LEASE;

/// Minutes since the Unix epoch are below this until the year 2225.
const MINUTES: u64 = 1 << 27;

const _: () = assert!((UserId::MAX_NUMBER + 1) * MINUTES == super::number::LIMIT as u64);

/// Whether what began then is no longer remembered.
pub(super) fn is_forgotten(began: Timestamp, now: Timestamp) -> bool {
    began.0 + REMEMBERED < now.0
}

/// What a repeat of a request is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idempotency {
    key: Hash,
    fingerprint: Hash,
}

impl Idempotency {
    /// The key that a client chose, which is visible ASCII, and what it sent.
    /// White space between the tokens of the JSON text makes no difference.
    /// Each caller has keys of its own.
    pub fn new(caller: Option<&str>, key: &str, payload: &Value) -> Idempotency {
        // A key has no line break.
        let key = match caller {
            Some(caller) => format!("{key}\n{caller}"),
            None => key.to_owned(),
        };
        Idempotency {
            key: Hash::of(&key),
            // With the key, which is not kept: the hash alone tells nothing of a user who is gone.
            fingerprint: Hash::of(&format!("{key}\n{payload}")),
        }
    }
}

/// A user, and whether an earlier request created it.
#[derive(Debug)]
pub struct Created {
    pub user: User,
    pub replayed: bool,
}

/// The first half of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Hash(u128);

impl Hash {
    const BITS: usize = u128::BITS as usize;

    fn of(text: &str) -> Hash {
        let digest = Sha256::digest(text);
        let half = digest.first_chunk().expect("a SHA-256 has 32 bytes");
        Hash(u128::from_be_bytes(*half))
    }

    /// How many bits are the same before the first that differs.
    fn common_bits(self, other: Hash) -> usize {
        (self.0 ^ other.0).leading_zeros() as usize
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        format!("{:032x}", hash.0)
    }
}

impl TryFrom<String> for Hash {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Hash)
    }
}

/// A user who was created with a key, and the minute in which that began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
struct Link {
    user: UserId,
    minute: u64,
}

impl Link {
    fn new(user: UserId, now: Timestamp) -> Link {
        let minute = (now.0 / MINUTE) as u64 % MINUTES;
        Link { user, minute }
    }

    fn is_forgotten(self, now: Timestamp) -> bool {
        is_forgotten(Timestamp(self.minute as i64 * MINUTE), now)
    }
}

impl From<Link> for i64 {
    fn from(link: Link) -> i64 {
        (link.user.get() * MINUTES + link.minute) as i64
    }
}

impl TryFrom<i64> for Link {
    type Error = &'static str;

    fn try_from(number: i64) -> Result<Self, Self::Error> {
        let number = number as u64;
        Ok(Link {
            user: UserId::try_from(number / MINUTES)?,
            minute: number % MINUTES,
        })
    }
}

/// What a record keeps of the key with which its user was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    key: Hash,
    fingerprint: Hash,
    /// At each bit, the newest of those whose keys are the same before it, and differ in it.
    links: Vec<Option<Link>>,
}

impl Entry {
    fn new(idempotency: &Idempotency, links: Vec<Option<Link>>) -> Entry {
        let &Idempotency { key, fingerprint } = idempotency;
        Entry {
            key,
            fingerprint,
            links,
        }
    }
}

/// What is found where a key belongs.
struct Found {
    /// The newest create with the key, if it is remembered.
    create: Option<(UserId, Record)>,
    /// The links of who comes next.
    links: Vec<Option<Link>>,
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Makes a new user, or answers the one that was made with this key in the last
    /// 24 hours, as it was then.
    ///
    /// Fails with [`Error::InProgress`] while another create with the key runs, or
    /// may run, for it died less than a minute ago; with [`Error::KeyReused`] if the
    /// key was used for something else, and with [`Error::Gone`] if its user was
    /// deleted. No failure is remembered: a repeat tries again, or answers the user if
    /// the store made it all the same.
    pub async fn create_once(
        &self,
        profile: Profile,
        idempotency: &Idempotency,
    ) -> Result<Created, Error> {
        let slot = self.slot(idempotency).await?;
        let Found { create, links } = self.seek(idempotency, &slot).await?;
        if let Some(user) = self.answer_of(idempotency, create).await? {
            return Ok(replayed(user));
        }
        let checked = match &profile.email {
            Some(email) => claim::prepare(self.store, email).await,
            None => Ok(None),
        };
        let dead = match checked {
            Err(Error::EmailTaken) => return self.answer_taken(idempotency).await,
            dead => dead?,
        };
        let given = self.next_id().await?;
        let pending = self.pending(Some(Entry::new(idempotency, links)));
        let id = self.write_first(given, pending).await?;
        let instead = match self.enter(id, idempotency, slot).await {
            Ok(None) => match self.complete(id, profile, dead).await {
                Ok(user) => {
                    let replayed = false;
                    return Ok(Created { user, replayed });
                }
                Err(error) => Err(error),
            },
            Ok(Some(user)) => Ok(replayed(user)),
            Err(error) => Err(error),
        };
        // It came to nothing. A repeat need not wait until it is taken for dead.
        self.give_up(id).await?;
        match instead {
            Err(Error::EmailTaken) => self.answer_taken(idempotency).await,
            instead => instead,
        }
    }

    /// What is answered when the email is taken: perhaps by the user of this very key, whom
    /// another request made since.
    async fn answer_taken(&self, idempotency: &Idempotency) -> Result<Created, Error> {
        let slot = self.slot(idempotency).await?;
        let Found { create, .. } = self.seek(idempotency, &slot).await?;
        let user = self.answer_of(idempotency, create).await?;
        user.map(replayed).ok_or(Error::EmailTaken)
    }

    /// The slot of a key, in order to swap it.
    async fn slot(&self, idempotency: &Idempotency) -> Result<Number<S::Watch>, Error> {
        // The links begin with the first bits: these are others.
        let slot = idempotency.key.0 as u64 % self.sizes.idempotency_slots;
        Number::read(self.store, format!("idempotency/{slot}")).await
    }

    /// Looks for a key in its slot.
    async fn seek(
        &self,
        idempotency: &Idempotency,
        slot: &Number<S::Watch>,
    ) -> Result<Found, Error> {
        let now = self.platform.now();
        let mut links = Vec::new();
        let mut next = Link::try_from(slot.number).ok();
        while let Some(link) = next.filter(|link| !link.is_forgotten(now)) {
            let id = link.user;
            let unreadable = || Error::Unreadable(record::key(id));
            let record = self.record(id).await?.ok_or_else(unreadable)?;
            // Forgotten, by who wrote the record.
            let Some(entry) = &record.idempotency else {
                break;
            };
            let common = entry.key.common_bits(idempotency.key);
            if common < links.len() {
                return Err(unreadable());
            }
            let inherited = entry.links.iter().take(common).skip(links.len());
            links.extend(inherited.map(|link| link.filter(|link| !link.is_forgotten(now))));
            if common == Hash::BITS {
                let create = Some((id, record));
                return Ok(Found { create, links });
            }
            links.resize(common, None);
            links.push(Some(link));
            next = entry.links.get(common).copied().flatten();
        }
        let create = None;
        Ok(Found { create, links })
    }

    /// What is answered for the sake of an earlier create with the key; `None` if it made no user
    /// and never will.
    async fn answer_of(
        &self,
        idempotency: &Idempotency,
        create: Option<(UserId, Record)>,
    ) -> Result<Option<User>, Error> {
        let Some((id, mut record)) = create else {
            return Ok(None);
        };
        if record.is_dead(self.platform.now()) {
            record = self.give_up(id).await?;
        }
        let entry = record.idempotency.as_ref();
        let same = entry.is_some_and(|entry| entry.fingerprint == idempotency.fingerprint);
        match record.state {
            State::Void => Ok(None),
            State::Pending { .. } => Err(Error::InProgress),
            _ if !same => Err(Error::KeyReused),
            State::Live(live) => Ok(Some(live.into_first().user(id))),
            State::Deleted { .. } => Err(Error::Gone),
        }
    }

    /// Makes a pending create the newest of its slot, with links to all the others. Answers the
    /// user of another create if that one was first with the key.
    async fn enter(
        &self,
        id: UserId,
        idempotency: &Idempotency,
        mut slot: Number<S::Watch>,
    ) -> Result<Option<User>, Error> {
        for _ in 0..ATTEMPTS {
            let link = Link::new(id, self.platform.now());
            match slot.swap(self.store, link.into()).await? {
                None => return Ok(None),
                Some(changed) => slot = changed,
            }
            let Found { create, links } = self.seek(idempotency, &slot).await?;
            if create.as_ref().is_some_and(|(found, _)| *found == id) {
                // The swap took effect after all, and others followed.
                return Ok(None);
            }
            if let Some(user) = self.answer_of(idempotency, create).await? {
                return Ok(Some(user));
            }
            let loaded = self.load_for_update(id).await?;
            let State::Pending { .. } = loaded.value.state else {
                break;
            };
            let linked = self.pending(Some(Entry::new(idempotency, links)));
            let Written::Done(_) = loaded.write(self.store, self.draw(), linked).await? else {
                break;
            };
        }
        Err(Error::Contended)
    }
}

fn replayed(user: User) -> Created {
    Created {
        user,
        replayed: true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_link_is_a_number_and_back() {
        for user in [1, UserId::MAX_NUMBER] {
            for minute in [0, MINUTES - 1] {
                let user = UserId::try_from(user).unwrap();
                let number = i64::from(Link { user, minute });
                assert!((1..super::super::number::LIMIT).contains(&number));
                assert_eq!(Link::try_from(number), Ok(Link { user, minute }));
            }
        }
        assert!(Link::try_from(0).is_err());
    }

    #[test]
    fn a_link_is_followed_for_a_day_and_at_most_two_minutes_more() {
        let user = UserId::try_from(1).unwrap();
        for began in [1_800_000_000_000, 1_800_000_059_999] {
            let link = Link::new(user, Timestamp(began));
            let day = 24 * 60 * MINUTE;
            assert!(!link.is_forgotten(Timestamp(began + day + LEASE)));
            assert!(link.is_forgotten(Timestamp(began + day + 2 * MINUTE + 1)));
        }
    }

    #[test]
    fn a_fingerprint_tells_values_and_keys_apart_but_not_their_spelling() {
        let of = |key: &str, payload: &str| {
            Idempotency::new(None, key, &serde_json::from_str(payload).unwrap()).fingerprint
        };
        assert_eq!(
            of("k", r#"{ "name" : "\u0041" }"#),
            of("k", r#"{"name":"A"}"#)
        );
        assert_ne!(of("k", r#"{"name":"B"}"#), of("k", r#"{"name":"A"}"#));
        assert_ne!(of("l", r#"{"name":"A"}"#), of("k", r#"{"name":"A"}"#));
    }

    #[test]
    fn a_hash_is_kept_as_text() {
        let entry = Entry::new(&Idempotency::new(None, "k0", &json!({})), vec![None]);
        let text = serde_json::to_value(&entry).unwrap();
        assert_eq!(text["key"].as_str().map(str::len), Some(32));
        assert_eq!(serde_json::from_value::<Entry>(text).unwrap(), entry);
        // SHA-256 of k0 begins with 1101, that of k2 with 0000, that of k6 with 0001.
        let [a, b, c] = ["k0", "k2", "k6"].map(Hash::of);
        assert_eq!((a.common_bits(b), b.common_bits(c)), (0, 3));
        assert_eq!(a.common_bits(a), Hash::BITS);
    }
}
