//! Whether the service can do its work.

use crate::configuration::{Configuration, Fault};
use crate::directory::Directory;
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::store::Store;

/// Fails if the configuration can't be read, or if the store does not answer or does not hold
/// what it should. What it says tells nothing of the users, not even their number.
pub async fn check<S: Store, P: Platform>(
    directory: &Directory<'_, S, P>,
    configuration: &Configuration,
) -> Result<(), Problem> {
    let faults = &configuration.faults;
    if !faults.is_empty() {
        let faults: Vec<_> = faults.iter().map(Fault::to_string).collect();
        let detail = format!("The configuration can't be read: {}.", faults.join("; "));
        return Err(Problem::new(types::MISCONFIGURED, detail));
    }
    directory.created().await.map(|_| ()).map_err(|error| {
        let detail = "The store does not answer as it should.";
        let problem = Problem::new(types::STORE_UNAVAILABLE, detail);
        problem.retry_after(1).with_cause(error)
    })
}
