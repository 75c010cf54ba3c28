//! Changes of one thing that may have preconditions, as `PUT`, `PATCH` and `DELETE` make them.

use std::future::Future;

use super::resource::Call;
use crate::message::precondition::Preconditions;
use crate::message::problem::Problem;
use crate::message::query::Query;
use crate::user::Version;

/// The preconditions of a change, which has no query.
pub fn preconditions<S, P, B>(call: &Call<'_, S, P, B>) -> Result<Preconditions, Problem> {
    Query::parse(call.request.uri().query(), &[])?;
    let required = call.configuration.require_preconditions;
    Preconditions::of_change(call.request.headers(), required)
}

/// What a change is to make of a version that meets the preconditions. These come before the content
/// (RFC 9110, section 13.2.1): they may refuse what could not be read.
pub struct Conditional<C> {
    preconditions: Preconditions,
    content: Result<C, Problem>,
}

impl<C> Conditional<C> {
    /// Reads the content of a change of what has that `id`. Answers the id, too.
    pub async fn read<I>(
        preconditions: Preconditions,
        id: Result<I, Problem>,
        content: impl Future<Output = Result<C, Problem>>,
    ) -> Result<(I, Self), Problem> {
        let content = content.await;
        let id = id.map_err(|problem| preconditions.of_missing(problem))?;
        match content {
            Err(unreadable) if preconditions.are_none() => Err(unreadable),
            content => Ok((
                id,
                Conditional {
                    preconditions,
                    content,
                },
            )),
        }
    }

    /// The content, if the version that is there meets the preconditions.
    pub fn content(&self, version: Version) -> Result<&C, Problem> {
        self.preconditions.check_change(&version.entity_tag())?;
        self.content.as_ref().map_err(Problem::clone)
    }

    /// The problem of a change that failed, where there may be nothing to be changed.
    pub fn of_missing(&self, problem: Problem) -> Problem {
        self.preconditions.of_missing(problem)
    }
}
