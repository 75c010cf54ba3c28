//! Whether the store can be written, and does what the service needs.

use super::number::{self, Number};
use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;

/// When the store was last found to be ready: milliseconds since the Unix epoch, in decimal.
const KEY: &str = "readiness";

/// The number that is swapped to find out.
const SWAPPED: &str = "readiness/swapped";

/// The number that is counted up to find out. Not the same one: where it was swapped before,
/// DynamoDB does not notice that it was added to.
const COUNTED: &str = "readiness/counted";

/// For how long the answer is taken to stay the same, in milliseconds. A write costs much more
/// than a read, and everybody may ask.
const INTERVAL: i64 = 5_000;

/// Why the store is not ready.
#[derive(Debug)]
pub enum NotReady {
    /// It can't be read or written.
    Failed(Error),
    /// It answers, but does not what [`Store`] promises.
    Unsound(&'static str),
}

impl<E: Into<Error>> From<E> for NotReady {
    fn from(error: E) -> NotReady {
        NotReady::Failed(error.into())
    }
}

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Fails if the store can't be written, as when its disk is full, or does not add and swap as
    /// it should. One store operation, and some ten others if the last check that succeeded was
    /// more than five seconds ago, whoever asked.
    pub async fn check_writes(&self) -> Result<(), NotReady> {
        let now = self.platform.now().0;
        let written = self.store.get(KEY).await?;
        let written = written.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        // The clock may have been set back.
        if written.is_none_or(|written: i64| now.abs_diff(written) >= INTERVAL as u64) {
            // A swap on DynamoDB that could not be sent is reported as one that was lost.
            match self.check_atomics().await {
                Err(NotReady::Unsound(_)) => self.check_atomics().await?,
                checked => checked?,
            }
            self.store.set(KEY, now.to_string().as_bytes()).await?;
        }
        Ok(())
    }

    /// Fails if the store does not swap or add as it should. One request can't tell whether two
    /// operations at the same instant get into each other's way.
    async fn check_atomics(&self) -> Result<(), NotReady> {
        self.check_swaps().await?;
        let before = number::current(self.store, COUNTED).await?;
        let sum = number::add(self.store, COUNTED, 1).await?;
        let after = number::current(self.store, COUNTED).await?;
        // Others that check at the same time only add, too.
        match before < sum && sum <= after {
            true => Ok(()),
            false => Err(NotReady::Unsound("it did not add to a number")),
        }
    }

    /// Others may check at the same time: all numbers are drawn by chance, so that one that is read
    /// again was not changed meanwhile.
    async fn check_swaps(&self) -> Result<(), NotReady> {
        let draw = || self.platform.random() as i64 & (number::LIMIT - 1);
        let number = Number::read(self.store, SWAPPED.to_owned()).await?;
        let stale = Number::read(self.store, SWAPPED.to_owned()).await?;
        let (before, before_stale) = (number.value, stale.value);

        number.swap_once(self.store, draw()).await?;
        let swapped = number::current(self.store, SWAPPED).await?;
        if swapped == before {
            let what = "it did not swap a value that nobody had changed";
            return Err(NotReady::Unsound(what));
        }
        if swapped == before_stale {
            // Another one came between the two reads, so that `stale` is none.
            return Ok(());
        }
        let overwriting = draw();
        stale.swap_once(self.store, overwriting).await?;
        if number::current(self.store, SWAPPED).await? == overwriting {
            return Err(NotReady::Unsound(
                "it swapped a value that had been changed",
            ));
        }
        Ok(())
    }
}
