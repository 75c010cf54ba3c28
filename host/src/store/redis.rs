//! Spin's Redis backend: one store in a database of a server, which hosts and Spins can share.
//!
//! * [`failure`] puts the server's errors in words.
//! * [`link`] is the connection, which is kept up.
//! * [`safety`] tells the operator of a server that may lose values.
//! * [`server`] is an address.
//!
//! Keys and values are those of Spin: a key as it is, its value as a string of bytes, a counter
//! in decimal digits. The label of the store is no part of its keys.

mod failure;
mod link;
mod safety;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Value, from_redis_value};

pub use server::Server;

use super::{Entry, MAX_RESULT_BYTES, StoreError};
use crate::log::Log;
use link::Link;

/// How long an operation may take. It is longer than the wait for a slow disk, and short enough
/// for a client to try again.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// How many keys the server looks at for each part of a list, so that it answers others in
/// between.
const SCAN_COUNT: u32 = 1000;

/// Replaces a value if it is the expected one. A script runs by itself, so nothing can come
/// between its commands.
const SWAP: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
    redis.call('SET', KEYS[1], ARGV[2]) return 1 end return 0";

/// Reads many values at one moment. Unlike `MGET` it fails at a key that holds no string.
const GET_MANY: &str = "local values = {} for i, key in ipairs(KEYS) do \
    values[i] = redis.call('GET', key) end return values";

/// A store in a Redis server.
#[derive(Debug)]
pub struct Redis {
    link: Link,
}

impl Redis {
    /// The store in the database of `server`. If it is away, operations fail until it is there.
    pub async fn open(server: &Server, log: &Log) -> Self {
        Self {
            link: Link::open(server, log).await,
        }
    }

    /// Ends the connection. Later operations fail.
    pub fn close(&self) {
        self.link.close();
    }

    /// The value under `key`.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value: Option<Vec<u8>> = self.read(redis::cmd("GET").arg(key)).await?;
        match value {
            Some(value) if value.len() > MAX_RESULT_BYTES => Err(StoreError::ResultTooLarge),
            value => Ok(value),
        }
    }

    /// Whether there is a value under `key`.
    pub async fn exists(&self, key: &str) -> Result<bool, StoreError> {
        self.read(redis::cmd("EXISTS").arg(key)).await
    }

    /// All keys, in the order of their bytes.
    pub async fn list_keys(&self) -> Result<Vec<String>, StoreError> {
        let mut cursor = "0".to_owned();
        // The server may tell a key twice.
        let mut keys = BTreeSet::new();
        let mut size = 0;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("COUNT").arg(SCAN_COUNT);
            let (next, part): (String, Vec<String>) = self.read(&scan).await?;
            for key in part {
                size += size_of::<String>() + key.len();
                keys.insert(key);
            }
            if size > MAX_RESULT_BYTES {
                return Err(StoreError::ResultTooLarge);
            }
            if next == "0" {
                return Ok(keys.into_iter().collect());
            }
            cursor = next;
        }
    }

    /// The values under `keys`, in the order of the keys' bytes and each key once;
    /// keys without a value are left out.
    pub async fn get_many(&self, mut keys: Vec<String>) -> Result<Vec<Entry>, StoreError> {
        keys.sort_unstable();
        keys.dedup();
        let values: Vec<Option<Vec<u8>>> = self.read(&script(GET_MANY, &keys)).await?;
        let entries = keys.into_iter().zip(values);
        let entries = entries.filter_map(|(key, value)| Some((key, value?)));
        let entries: Vec<Entry> = entries.collect();
        let sizes = entries
            .iter()
            .map(|(key, value)| size_of::<Entry>() + key.len() + value.len());
        match sizes.sum::<usize>() > MAX_RESULT_BYTES {
            true => Err(StoreError::ResultTooLarge),
            false => Ok(entries),
        }
    }

    /// Puts `value` under `key`.
    pub async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.write(redis::cmd("SET").arg(key).arg(value)).await
    }

    /// Puts every value under its key, all or none.
    pub async fn set_many(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut command = redis::cmd("MSET");
        for (key, value) in entries {
            command.arg(key).arg(value.as_slice());
        }
        self.write(&command).await
    }

    /// Removes all of `keys` that are there, all or none.
    pub async fn delete(&self, keys: &[String]) -> Result<(), StoreError> {
        self.write(redis::cmd("DEL").arg(keys)).await
    }

    /// Adds `delta` to the counter under `key`, which is 0 while it is absent.
    pub async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        self.write(redis::cmd("INCRBY").arg(key).arg(delta)).await
    }

    /// Puts `value` under `key` if the value there is `expected`, or if nothing is there and
    /// nothing is expected, and returns whether it did.
    pub async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
    ) -> Result<bool, StoreError> {
        match expected {
            Some(expected) => {
                let mut command = script(SWAP, &[key]);
                self.write(command.arg(expected).arg(value)).await
            }
            None => {
                let mut command = redis::cmd("SET");
                self.write(command.arg(key).arg(value).arg("NX")).await
            }
        }
    }

    async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        understand(self.link.read(command).await?)
    }

    async fn write<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        understand(self.link.write(command).await?)
    }
}

/// The command for a script on `keys`. The server keeps scripts that it has seen compiled.
fn script(source: &str, keys: &[impl AsRef<str>]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(source).arg(keys.len());
    for key in keys {
        command.arg(key.as_ref());
    }
    command
}

fn understand<T: FromRedisValue>(reply: Value) -> Result<T, StoreError> {
    // Without the reply, which may have a user in it.
    from_redis_value(reply)
        .map_err(|_| StoreError::Backend("the reply is not of the form it should have".to_owned()))
}
