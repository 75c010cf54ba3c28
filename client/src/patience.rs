//! How long to go on where nothing succeeds.

use std::time::Duration;

/// The first pause, which doubles each time.
const FIRST: Duration = Duration::from_millis(200);

/// The longest pause, whatever the service asks for.
const LONGEST: Duration = Duration::from_secs(60);

/// Attempts that are left until something succeeds.
pub struct Patience {
    retries: u32,
    failures: u32,
}

impl Patience {
    pub fn new(retries: u32) -> Self {
        Self {
            retries,
            failures: 0,
        }
    }

    /// Something succeeded.
    pub fn restore(&mut self) {
        self.failures = 0;
    }

    /// How long to wait before trying again, at least as long as the service asks for;
    /// `None` to give up.
    pub fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        if self.failures >= self.retries {
            return None;
        }
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures += 1;
        Some(doubled.max(asked.unwrap_or_default()).min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_until_something_succeeds_or_patience_ends() {
        let mut patience = Patience::new(3);
        let seconds = Duration::from_secs;
        assert_eq!(patience.pause(None), Some(FIRST));
        assert_eq!(patience.pause(None), Some(2 * FIRST));
        patience.restore();
        assert_eq!(patience.pause(Some(seconds(5))), Some(seconds(5)));
        assert_eq!(patience.pause(Some(seconds(3600))), Some(LONGEST));
        assert_eq!(patience.pause(None), Some(4 * FIRST));
        assert_eq!(patience.pause(None), None);
    }
}
