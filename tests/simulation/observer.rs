//! The users that any reader would observe at any moment: read from the store after every write,
//! by the service's own code.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::Poll;

use edge_users::directory::{Directory, Error, Sizes};
use edge_users::user::UserId;

use crate::client::{Port, SimPlatform, poll};
use crate::operation::{Answer, Operation};
use crate::store::SimStore;
use crate::violation::Violation;

/// The users that were observed so far.
#[derive(Clone, Debug, Default)]
pub struct Observer {
    /// The present users, with their emails and their usernames.
    live: BTreeMap<u64, [Option<String>; 2]>,
    gone: BTreeSet<u64>,
}

impl Observer {
    /// Looks at the user whose record an operation may have written. Fails if two users have one
    /// email or one username, or if a user is back.
    pub fn look(&mut self, store: &SimStore, operation: &Operation) -> Result<(), Violation> {
        if let Some(ruined) = &store.ruined {
            return Err(Violation(ruined.clone()));
        }
        let id = operation.key().strip_prefix("user/");
        let id = id.filter(|_| operation.writes());
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            return Ok(());
        };
        let number = UserId::get(id);
        let held = match read(store, id) {
            Ok(held) => held,
            Err(Error::NotFound) => {
                if self.live.remove(&number).is_some() {
                    self.gone.insert(number);
                }
                return Ok(());
            }
            Err(error) => return Err(Violation(format!("user {number} can't be read: {error}"))),
        };
        if self.gone.contains(&number) {
            return Err(Violation(format!("user {number} was gone and is back")));
        }
        for (member, value) in held.iter().enumerate() {
            let Some(value) = value else {
                continue;
            };
            let mut others = self.live.iter().filter(|(id, _)| **id != number);
            if let Some((other, _)) = others.find(|(_, held)| held[member].as_ref() == Some(value))
            {
                let both = format!("users {other} and {number} both have {value}");
                return Err(Violation(both));
            }
        }
        self.live.insert(number, held);
        Ok(())
    }
}

/// The email and the username of a user, as any reader of the store would observe them now; `Err` if
/// there is no such user.
fn read(store: &SimStore, id: UserId) -> Result<[Option<String>; 2], Error> {
    let port = Port::default();
    let platform = SimPlatform::new(0, 0);
    let directory = Directory {
        store: &port,
        platform: &*platform,
        sizes: Sizes::SERVICE,
    };
    let mut read = pin!(directory.get(id));
    loop {
        if let Poll::Ready(user) = poll(read.as_mut()) {
            let profile = user?.profile;
            return Ok([
                profile.email.map(|email| email.folded()),
                profile.username.map(|username| username.folded()),
            ]);
        }
        match port.operation() {
            Some(Operation::Get(key)) => port.answer(Answer::Value(store.value(&key))),
            operation => panic!("{operation:?} in order to read a user"),
        }
    }
}
