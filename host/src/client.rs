//! The other end: `edge-host import` and `edge-host export`, clients of a running edge-users
//! service, wherever it runs.
//!
//! * `options`: what they can be told.
//! * `import`, `export`: what they do.
//! * `batch`: lines on their way, and what is known of each.
//! * `service`: requests, and lines in answers.
//! * `patience`: how long to go on where nothing succeeds.
//! * `progress`: what they tell meanwhile.

mod batch;
mod export;
mod import;
mod options;
mod patience;
mod progress;
mod service;

pub use export::export;
pub use import::import;
pub use options::{ExportOptions, ImportOptions};

/// What became of it, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything was done.
    Complete = 0,
    /// Everything was tried, and the service refused some lines.
    Refused = 1,
    /// Something was left undone, or it is not known whether it was done.
    Incomplete = 2,
}
