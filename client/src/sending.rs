//! One batch of an import: the requests that it takes, and the look-ups of lines in doubt.
//!
//! A line is in doubt from the moment when it is sent until an answer tells its outcome. If
//! it has an email or a username it is sent again: the service takes either once, and refuses it the
//! second time. Whether the user that has it came from this line is then looked up. A line without
//! both would make a second user, so it is reported and not sent again. A group is sent again in any case.

use std::collections::VecDeque;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::{Again, Failure, Lines, Problem, value_of};
use crate::backoff::Backoff;
use crate::batch::{Batch, Unique};
use crate::import::{Counts, Import, numbers};
use crate::kind::Kind;

/// The characters that stand for themselves in a URL (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A line of the answer: the outcome of a line, or the last line.
#[derive(Deserialize)]
struct Line {
    line: Option<u64>,
    status: Option<u16>,
    problem: Option<Problem>,
    end: Option<String>,
    next: Option<String>,
    /// In seconds.
    retry_after: Option<u64>,
}

/// A line in doubt whose email or username a user has.
struct Taken {
    number: u64,
    /// The answer of the service.
    refusal: String,
}

/// The owner of the email or the username of a line.
enum Owner {
    /// The user that the line makes.
    Same,
    Other,
    Nobody,
}

/// How a request ended that was answered.
enum Ended {
    Complete,
    /// It was cut off at a limit.
    Early,
    /// Some lines could not be imported at the time.
    Failed {
        why: String,
        after: Option<Duration>,
    },
}

impl Import {
    /// Sends the lines of a batch until all are settled. Fails, and says why, where there is no
    /// use in going on.
    pub async fn send(&self, batch: &mut Batch) -> Result<(), String> {
        let mut backoff = Backoff::new(self.retries);
        loop {
            let before = batch.unsettled();
            let Some((first, body)) = batch.send() else {
                break;
            };
            let mut taken = VecDeque::new();
            let ended = self.request(batch, first, body, &mut taken).await;
            let is_early = matches!(ended, Ok(Ended::Early));
            self.look_up(batch, taken, &mut backoff).await;
            let unsure = match self.kind {
                Kind::Users => batch.give_up_unrepeatable(),
                // Its name makes a group once, and a member is added once.
                Kind::Groups => Vec::new(),
            };
            let progressed = batch.unsettled() < before;
            if progressed {
                backoff.reset();
            }
            let (why, again) = match ended {
                Ok(Ended::Complete) => ("no result came".to_owned(), Again::Later(None)),
                Ok(Ended::Early) => ("the service's time was up".to_owned(), Again::Later(None)),
                Ok(Ended::Failed { why, after }) => (why, Again::Later(after)),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if !unsure.is_empty() {
                self.counts().unsure += unsure.len() as u64;
                let (numbers, why) = (numbers(&unsure), why.trim_end_matches('.'));
                self.progress.tell(&format!(
                    "{numbers} may have been imported: {why}; without an email or a username they are not \
                     sent again, as that could make users twice"
                ));
            }
            match again {
                Again::Later(_) if batch.unsettled() == 0 => break,
                Again::Later(_) if is_early && progressed => {}
                again if backoff.wait(again).await => {}
                _ => return Err(why),
            }
        }
        self.progress.advance(batch.bytes, self.counts().summary());
        Ok(())
    }

    /// Sends lines, and notes the outcome of each.
    async fn request(
        &self,
        batch: &mut Batch,
        first: u64,
        body: Vec<u8>,
        taken: &mut VecDeque<Taken>,
    ) -> Result<Ended, Failure> {
        let ended = self.results(batch, first, body, taken).await;
        if ended.as_ref().is_err_and(|failure| !failure.may_be_done) {
            batch.not_reached_from(first);
        }
        batch.end_request();
        ended
    }

    async fn results(
        &self,
        batch: &mut Batch,
        first: u64,
        body: Vec<u8>,
        taken: &mut VecDeque<Taken>,
    ) -> Result<Ended, Failure> {
        let path = format!("{}/import?line={first}", self.kind.path());
        let mut lines = Lines::of(self.service.post_lines(&path, body).await?);
        // The first line of which nothing is known.
        let mut next = first;
        let mut failed = None;
        while let Some((_, line)) = lines.next::<Line>().await? {
            if let Some(end) = line.end {
                if let Some(path) = line.next {
                    let told = value_of(&path, "line").and_then(|line| line.parse().ok());
                    let told = told.unwrap_or(next);
                    batch.not_reached_from(told.max(next));
                }
                return Ok(match (failed, &end[..]) {
                    (None, "complete") => Ended::Complete,
                    (None, "time-limit") => Ended::Early,
                    (failed, _) => Ended::Failed {
                        why: failed.unwrap_or(format!("the service ended the import: {end}")),
                        after: line.retry_after.map(Duration::from_secs),
                    },
                });
            }
            let (Some(number), Some(status)) = (line.line, line.status) else {
                continue;
            };
            next = next.max(number.saturating_add(1));
            let detail = line
                .problem
                .map_or(String::new(), |problem| problem.to_string());
            match status {
                200..=299 => self.settle(batch, number, |counts| &mut counts.imported),
                // It stays in doubt.
                500.. => failed = Some(detail),
                429 => {
                    batch.not_reached(number);
                    failed = Some(detail);
                }
                409 if self.kind == Kind::Users && batch.in_doubt(number).is_some() => taken
                    .push_back(Taken {
                        number,
                        refusal: format!("{status} {detail}"),
                    }),
                _ => self.refuse(batch, number, &format!("{status} {detail}")),
            }
        }
        Err(Failure::broken_off("the answer broke off".to_owned()))
    }

    /// Finds out which lines made the users that have their emails or usernames. A line whose email
    /// or username nobody has stays in doubt.
    async fn look_up(&self, batch: &mut Batch, mut taken: VecDeque<Taken>, backoff: &mut Backoff) {
        while let Some(Taken { number, refusal }) = taken.front() {
            let number = *number;
            match self.owner(batch, number).await {
                Ok(Owner::Same) => self.settle(batch, number, |counts| &mut counts.imported),
                Ok(Owner::Other) => self.refuse(batch, number, refusal),
                Ok(Owner::Nobody) => {}
                Err(Failure { why, again, .. }) => {
                    if backoff.wait(again).await {
                        continue;
                    }
                    let unique = batch.in_doubt(number).and_then(Unique::of);
                    let member = unique.map_or("email", |unique| unique.name());
                    self.settle(batch, number, |counts| &mut counts.unsure);
                    self.progress.tell(&format!(
                        "line {number} may have been imported: a user has its {member}, and looking \
                         the user up fails: {why}"
                    ));
                }
            }
            taken.pop_front();
        }
    }

    /// Looks up each line in doubt once, as long as the service answers.
    pub async fn look_up_all(&self, batch: &mut Batch) {
        for number in batch.all_in_doubt() {
            match self.owner(batch, number).await {
                Ok(Owner::Same) => self.settle(batch, number, |counts| &mut counts.imported),
                // It may be on its way still.
                Ok(Owner::Other | Owner::Nobody) => {}
                Err(_) => break,
            }
        }
    }

    /// The owner of the email or the username of a line in doubt.
    async fn owner(&self, batch: &mut Batch, number: u64) -> Result<Owner, Failure> {
        let text = batch.in_doubt(number).unwrap_or_default();
        let Some(unique) = Unique::of(text) else {
            return Ok(Owner::Other);
        };
        let line: Value = serde_json::from_slice(text).unwrap_or_default();
        let users: Vec<Value> = self.service.get_json(&query(&unique)).await?;
        Ok(match users.first() {
            None => Owner::Nobody,
            Some(user) if is_made_of(user, &line) => Owner::Same,
            Some(_) => Owner::Other,
        })
    }

    fn refuse(&self, batch: &mut Batch, number: u64, why: &str) {
        self.progress.tell(&format!("line {number}: {why}"));
        self.settle(batch, number, |counts| &mut counts.refused);
    }

    fn settle(&self, batch: &mut Batch, number: u64, which: impl Fn(&mut Counts) -> &mut u64) {
        if batch.settle(number) {
            *which(&mut self.counts()) += 1;
        }
    }
}

/// Whether a user is what the service makes of a line with the same email or username.
fn is_made_of(user: &Value, line: &Value) -> bool {
    let trimmed =
        |value: &Value, member: &str| value[member].as_str().map(|text| text.trim().to_owned());
    let is_active = |value: &Value| value["active"].as_bool().unwrap_or(true);
    let is_same = |member: &str| trimmed(user, member) == trimmed(line, member);
    is_same("name")
        && is_same("username")
        && user["external_id"] == line["external_id"]
        && is_active(user) == is_active(line)
        && user["attributes"] == line["attributes"]
}

/// The user with an email or a username, as a path.
fn query(unique: &Unique) -> String {
    let (Unique::Email(value) | Unique::Username(value)) = unique;
    let value = utf8_percent_encode(value, RESERVED);
    format!("/users?{}={value}", unique.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_keeps_its_characters() {
        assert_eq!(
            query(&Unique::Email("a+b&ü@c.example".to_owned())),
            "/users?email=a%2Bb%26%C3%BC%40c.example"
        );
        assert_eq!(
            query(&Unique::Username("+44".to_owned())),
            "/users?username=%2B44"
        );
    }

    #[test]
    fn a_user_is_what_a_line_makes_by_all_members() {
        let line = serde_json::json!({ "name": " Ada ", "username": "ada ", "external_id": "1" });
        let user = |member: &str, value: Value| {
            let mut user = serde_json::json!({
                "name": "Ada", "username": "ada", "external_id": "1", "active": true,
            });
            user[member] = value;
            user
        };
        assert!(is_made_of(&user("id", 7.into()), &line));
        for (member, value) in [
            ("name", "Bob".into()),
            ("username", "bob".into()),
            ("external_id", "2".into()),
            ("active", false.into()),
            ("attributes", serde_json::json!({})),
        ] {
            assert!(!is_made_of(&user(member, value), &line), "{member}");
        }
    }
}
