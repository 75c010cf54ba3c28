//! Errors of the directory as problems.

use crate::directory::{Error, Unique};
use crate::message::problem::{Problem, types};

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let problem = match &error {
            Error::NotFound => {
                return Problem::new(types::USER_NOT_FOUND, "There is no user with this id.");
            }
            Error::NoGroup => {
                return Problem::new(types::GROUP_NOT_FOUND, "There is no group with this id.");
            }
            Error::TooManyGroups => return Problem::plain(types::TOO_MANY_GROUPS),
            Error::Taken(Unique::GroupName) => {
                return Problem::new(types::GROUP_NAME_TAKEN, "Another group has this name.");
            }
            Error::Taken(Unique::Email) => {
                return Problem::new(types::EMAIL_TAKEN, "Another user has this email.");
            }
            Error::Taken(Unique::Username) => {
                return Problem::new(types::USERNAME_TAKEN, "Another user has this username.");
            }
            Error::InProgress => {
                return Problem::plain(types::IDEMPOTENCY_IN_PROGRESS).retry_after(1);
            }
            Error::KeyReused => return Problem::plain(types::IDEMPOTENCY_KEY_REUSED),
            Error::Gone => return Problem::plain(types::USER_GONE),
            Error::Store(_) => Problem::plain(types::STORE_UNAVAILABLE).retry_after(1),
            Error::Contended => Problem::plain(types::CONTENDED).retry_after(1),
            Error::Indexing { done, of } => {
                let detail = format!("The index has the first {done} of {of} so far.");
                return Problem::new(types::INDEXING, detail).retry_after(1);
            }
            Error::Unreadable(_) => Problem::plain(types::UNREADABLE),
            Error::Exhausted => Problem::plain(types::EXHAUSTED),
        };
        problem.with_cause(error)
    }
}
