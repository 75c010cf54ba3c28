//! Pauses between attempts, and how many attempts there are.

use std::time::Duration;

use crate::answer::Again;

/// The first pause, which doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause, whatever the service asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Counts the attempts that failed since something last succeeded.
pub struct Backoff {
    retries: u32,
    failures: u32,
}

impl Backoff {
    /// `retries` is how many times in a row something may be tried again.
    pub fn new(retries: u32) -> Self {
        Self {
            retries,
            failures: 0,
        }
    }

    /// Something succeeded.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Waits until the same may be tried again; false if it may not, or not any more.
    pub async fn wait(&mut self, again: Again) -> bool {
        let pause = match again {
            Again::Later(after) => self.pause(after),
            Again::Never => None,
        };
        match pause {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return false,
        }
        true
    }

    /// How long to wait before trying again, at least as long as the service asks for;
    /// `None` to give up.
    fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.failures >= self.retries {
            return None;
        }
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        Some(doubled.max(asked.unwrap_or_default()).min(LONGEST_PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_something_succeeds_or_the_attempts_end() {
        let mut backoff = Backoff::new(3);
        let seconds = Duration::from_secs;
        assert_eq!(backoff.pause(None), Some(FIRST_PAUSE));
        assert_eq!(backoff.pause(None), Some(2 * FIRST_PAUSE));
        backoff.reset();
        assert_eq!(backoff.pause(Some(seconds(5))), Some(seconds(5)));
        assert_eq!(backoff.pause(Some(seconds(3600))), Some(LONGEST_PAUSE));
        assert_eq!(backoff.pause(None), Some(4 * FIRST_PAUSE));
        assert_eq!(backoff.pause(None), None);
    }
}
