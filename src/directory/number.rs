//! Numbers in the store that can be counted up and swapped.
//!
//! A swap needs a key that exists, and no plain write may bring the key into
//! being, as it might come late and undo a swap. An increment by 0 does it
//! safely: it creates the number 0 where there was nothing and changes nothing
//! otherwise, however late it comes. The price is that the value must always be
//! one that the backend can count up: 8 bytes, little-endian, on Spin's SQLite
//! store; decimal text on Redis and DynamoDB. A swap keeps the form it finds.

use super::{ATTEMPTS, Error};
use crate::store::{Report, Store};
use crate::user::UserId;

/// Numbers are below this, so that no number's 8 bytes are decimal text.
pub(super) const LIMIT: i64 = 1 << 61;

/// What a number has room for beside the id of a user is below this.
pub(super) const BESIDE_USER: u32 = 1 << 27;

const _: () = assert!((UserId::MAX_NUMBER + 1) * BESIDE_USER as u64 == LIMIT as u64);

/// A user and a number below [`BESIDE_USER`] as one number, which is not 0.
pub(super) fn naming(user: UserId, beside: u32) -> i64 {
    (user.get() * u64::from(BESIDE_USER) + u64::from(beside)) as i64
}

/// The user that a number names, and what stands beside it; `None` if it names none.
pub(super) fn named(number: i64) -> Option<(UserId, u32)> {
    let number = number as u64;
    let user = UserId::try_from(number / u64::from(BESIDE_USER)).ok()?;
    Some((user, (number % u64::from(BESIDE_USER)) as u32))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Binary,
    Decimal,
}

fn decode(key: &str, bytes: &[u8]) -> Result<(i64, Form), Error> {
    let unreadable = || Error::Unreadable(key.to_owned());
    let (number, form) = match <[u8; 8]>::try_from(bytes) {
        // The highest byte of a number below LIMIT is below 0x20, and no digit is.
        Ok(binary) if binary[7] < 0x20 => (i64::from_le_bytes(binary), Form::Binary),
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
            (text.parse().map_err(|_| unreadable())?, Form::Decimal)
        }
    };
    match number {
        0..LIMIT => Ok((number, form)),
        _ => Err(unreadable()),
    }
}

fn encode(number: i64, form: Form) -> Vec<u8> {
    match form {
        Form::Binary => number.to_le_bytes().to_vec(),
        Form::Decimal => number.to_string().into_bytes(),
    }
}

/// The number under `key`, 0 if there is none.
pub(super) async fn get<S: Store>(store: &S, key: &str) -> Result<i64, Error> {
    match store.get(key).await? {
        None => Ok(0),
        Some(bytes) => Ok(decode(key, &bytes)?.0),
    }
}

/// The number under `key` now, 0 if there is none, also where `get` is late.
pub(super) async fn current<S: Store>(store: &S, key: &str) -> Result<i64, Error> {
    match store.current(key).await? {
        (None, _) => Ok(0),
        (Some(bytes), _) => Ok(decode(key, &bytes)?.0),
    }
}

/// Adds to the number under `key`, which is 0 if there is none, and answers the sum.
///
/// A store fails at a value that is no number as it does when it is out of order. So the value
/// is then looked at: to wait and try again would help in one case only.
pub(super) async fn add<S: Store>(store: &S, key: &str, delta: i64) -> Result<i64, Error> {
    match store.increment(key, delta).await {
        Ok(sum @ 0..LIMIT) => Ok(sum),
        Ok(_) => Err(Error::Unreadable(key.to_owned())),
        Err(failed) => match get(store, key).await {
            Err(Error::Unreadable(key)) => Err(Error::Unreadable(key)),
            _ => Err(failed.into()),
        },
    }
}

/// A number, read in order to swap it.
pub(super) struct Number<W> {
    key: String,
    bytes: Vec<u8>,
    form: Form,
    watch: W,
    pub value: i64,
}

impl<W> Number<W> {
    /// Reads the number under `key`, which becomes 0 if there is none.
    pub async fn read<S: Store<Watch = W>>(store: &S, key: String) -> Result<Self, Error> {
        for _ in 0..ATTEMPTS {
            let (bytes, watch) = store.current(&key).await?;
            if let Some(bytes) = bytes {
                return Self::from_parts(key, bytes, watch);
            }
            store.increment(&key, 0).await?;
        }
        Err(Error::Contended)
    }

    fn from_parts(key: String, bytes: Vec<u8>, watch: W) -> Result<Self, Error> {
        let (value, form) = decode(&key, &bytes)?;
        Ok(Number {
            key,
            bytes,
            form,
            watch,
            value,
        })
    }

    /// Swaps the number for `new`. Answers `None` if the key holds `new` now, by this swap or by
    /// an equal one, and otherwise the number as it is.
    pub async fn swap<S: Store<Watch = W>>(
        mut self,
        store: &S,
        new: i64,
    ) -> Result<Option<Self>, Error> {
        let value = encode(new, self.form);
        for _ in 0..ATTEMPTS {
            if store.swap(self.watch, &value).await? == Report::Swapped {
                return Ok(None);
            }
            let (bytes, watch) = store.current(&self.key).await?;
            let bytes = bytes.ok_or_else(|| Error::Unreadable(self.key.clone()))?;
            if bytes == value {
                return Ok(None);
            }
            if bytes != self.bytes {
                return Self::from_parts(self.key, bytes, watch).map(Some);
            }
            self.watch = watch;
        }
        Err(Error::Contended)
    }

    /// Swaps the number for `new`, or not: whatever the store says of it is not asked for.
    pub async fn swap_once<S: Store<Watch = W>>(self, store: &S, new: i64) -> Result<(), Error> {
        store.swap(self.watch, &encode(new, self.form)).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_a_user_and_has_room_for_more() {
        for user in [1, 2, UserId::MAX_NUMBER] {
            for beside in [0, 1, BESIDE_USER - 1] {
                let user = user.try_into().unwrap();
                assert!((1..LIMIT).contains(&naming(user, beside)));
                assert_eq!(named(naming(user, beside)), Some((user, beside)));
            }
        }
        assert_eq!(named(0), None);
    }

    #[test]
    fn both_forms_are_told_apart() {
        for number in [0, 1, 7, 99_999_999, 12_345_678, LIMIT - 1] {
            for form in [Form::Binary, Form::Decimal] {
                let bytes = encode(number, form);
                assert_eq!(decode("k", &bytes), Ok((number, form)), "{number} {form:?}");
            }
        }
    }

    #[test]
    fn foreign_values_are_unreadable() {
        for bytes in [&b"{}"[..], b"", b"-1", &i64::MAX.to_le_bytes(), b"\xff"] {
            assert!(decode("k", bytes).is_err(), "{bytes:?}");
        }
    }
}
