//! Whether the service can do its work.

use crate::configuration::{Configuration, Fault};
use crate::directory::{Directory, Error, NotReady};
use crate::message::problem::{Problem, types};
use crate::platform::Platform;
use crate::store::Store;

/// Fails if the configuration can't be read, if the store can't be read or written, or if it does
/// not what the service needs.
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
    let read = directory.created().await;
    read.map_err(|error| not_ready("The store does not answer as it should.", error))?;
    let written = directory.check_writes().await;
    written.map_err(|reason| match reason {
        NotReady::Failed(error) => not_ready(
            "The store can't be written: its disk may be full, or be there to read only.",
            error,
        ),
        NotReady::Unsound(what) => {
            let detail = format!("The store can't be trusted with users: {what}.");
            let problem = Problem::new(types::STORE_UNAVAILABLE, detail);
            problem.with_cause(what)
        }
    })
}

fn not_ready(detail: &str, error: Error) -> Problem {
    let problem = match &error {
        // No time mends that.
        Error::Unreadable(_) => {
            let detail =
                "The store holds a value that the service did not write. The log has its key.";
            Problem::new(types::STORE_UNAVAILABLE, detail)
        }
        _ => Problem::new(types::STORE_UNAVAILABLE, detail).retry_after(1),
    };
    problem.with_cause(error)
}
