//! The answer to an import: a line on each line, and a last one on all of them.

use http::StatusCode;
use serde::Serialize;

use crate::message::problem::{Details, Problem};
use crate::message::trace::Trace;
use crate::user::{User, UserId};

/// What became of the lines.
#[derive(Clone, Copy, Default, Serialize)]
pub(super) struct Results {
    created: u64,
    /// Through no fault of the service.
    refused: u64,
    /// Through a fault of the service. These may or may not have been made.
    failed: u64,
    #[serde(skip)]
    pub failed_in_a_row: u32,
}

impl Results {
    /// Counts the result of a line.
    pub fn count(&mut self, result: Result<(), &Problem>) {
        let failed = result.is_err_and(|problem| problem.status().is_server_error());
        match result {
            Ok(()) => self.created += 1,
            Err(_) if failed => self.failed += 1,
            Err(_) => self.refused += 1,
        }
        self.failed_in_a_row = if failed { self.failed_in_a_row + 1 } else { 0 };
    }
}

/// The result of one line.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    line: u64,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Details<'a>>,
}

/// The last line. By it a client knows that all lines have their results, or where to go on.
#[derive(Serialize)]
pub(super) struct Closing {
    /// `complete`, or why it ends here.
    pub end: &'static str,
    #[serde(flatten)]
    pub results: Results,
    /// The path of the request that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// After how many seconds the client may go on, if it has to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<i64>,
}

impl<'a> Outcome<'a> {
    pub fn new(line: u64, created: &'a Result<User, Problem>, trace: &Trace) -> Outcome<'a> {
        match created {
            Ok(user) => Outcome {
                line,
                status: StatusCode::CREATED.as_u16(),
                id: Some(user.id),
                problem: None,
            },
            Err(problem) => Outcome {
                line,
                status: problem.status().as_u16(),
                id: None,
                problem: Some(problem.details(trace)),
            },
        }
    }
}
