//! Users in memory, gone with the process.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use crate::Refusal;
use crate::user::{NewUser, User};

#[derive(Default)]
struct Maps {
    users: HashMap<u64, User>,
    emails: HashSet<String>,
    last_id: u64,
}

/// Users in two maps behind one lock.
#[derive(Default)]
pub struct Memory(RwLock<Maps>);

impl Memory {
    /// That many users.
    pub fn with_users(count: u64) -> Memory {
        let memory = Memory::default();
        for number in 1..=count {
            memory.create(NewUser::of_benchmark(number)).ok();
        }
        memory
    }

    pub fn get(&self, id: u64) -> Option<User> {
        let maps = self.0.read().unwrap_or_else(PoisonError::into_inner);
        maps.users.get(&id).cloned()
    }

    pub fn create(&self, new: NewUser) -> Result<User, Refusal> {
        let mut maps: RwLockWriteGuard<'_, Maps> =
            self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(email) = &new.email
            && !maps.emails.insert(email.to_lowercase())
        {
            return Err(Refusal::EmailTaken);
        }
        maps.last_id += 1;
        let user = new.with_id(maps.last_id);
        maps.users.insert(user.id, user.clone());
        Ok(user)
    }
}
