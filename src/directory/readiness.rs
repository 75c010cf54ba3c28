//! Whether the store can be written.

use super::{Directory, Error};
use crate::platform::Platform;
use crate::store::Store;

/// When the store was last written to find out: milliseconds since the Unix epoch, in decimal.
const KEY: &str = "readiness";

/// For how long the answer is taken to stay the same, in milliseconds. A write costs much more
/// than a read, and everybody may ask.
const INTERVAL: i64 = 5_000;

impl<S: Store, P: Platform> Directory<'_, S, P> {
    /// Fails if the store can't be written, as when its disk is full. One store operation, and
    /// another one if the last was more than five seconds ago, whoever asked.
    pub async fn check_writes(&self) -> Result<(), Error> {
        let now = self.platform.now().0;
        let written = self.store.get(KEY).await?;
        let written = written.and_then(|text| String::from_utf8(text).ok()?.parse().ok());
        // The clock may have been set back.
        if written.is_none_or(|written: i64| now.abs_diff(written) >= INTERVAL as u64) {
            self.store.set(KEY, now.to_string().as_bytes()).await?;
        }
        Ok(())
    }
}
