//! What becomes of users or groups that arrive one by one.

use http::StatusCode;

use crate::message::problem::Problem;

/// What became of one that arrived.
pub struct Outcome<T, I> {
    /// The one that it is about, as far as that is known.
    pub found: Option<I>,
    pub result: Result<Done<T>, Problem>,
}

/// What was done.
pub struct Done<T> {
    /// What there is then.
    pub is: T,
    pub how: How,
}

/// How a user or a group came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Created,
    Updated,
    Unchanged,
}

impl How {
    /// Its name, for clients.
    pub fn name(self) -> &'static str {
        match self {
            How::Created => "created",
            How::Updated => "updated",
            How::Unchanged => "unchanged",
        }
    }

    /// The status that a request for it alone would have.
    pub fn status(self) -> StatusCode {
        match self {
            How::Created => StatusCode::CREATED,
            How::Updated | How::Unchanged => StatusCode::OK,
        }
    }
}

/// What became of all.
#[derive(Clone, Copy, Default)]
pub struct Results {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Through no fault of the service.
    pub refused: u64,
    /// Through a fault of the service. These may or may not have been made.
    pub failed: u64,
    pub(super) failed_in_a_row: u32,
}

impl Results {
    /// Counts a result.
    pub(super) fn count(&mut self, result: Result<How, &Problem>) {
        let failed = result.is_err_and(|problem| problem.status().is_server_error());
        match result {
            Ok(How::Created) => self.created += 1,
            Ok(How::Updated) => self.updated += 1,
            Ok(How::Unchanged) => self.unchanged += 1,
            Err(_) if failed => self.failed += 1,
            Err(_) => self.refused += 1,
        }
        self.failed_in_a_row = if failed { self.failed_in_a_row + 1 } else { 0 };
    }
}
