//! Users who are in the directory and not in the file.

use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::json;

use super::Sync;
use crate::answer::{Again, Failure, Lines, Problem, export_ended};
use crate::backoff::Backoff;
use crate::kind::counted;
use crate::options::SyncOptions;

/// How many users are ended by one request.
const BATCH: usize = 100;

/// The number of users that end in any directory, if the options do not limit it.
const FEW: u64 = 5;

/// How many users may be ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Count(u64),
    /// Of all users.
    Percent(u64),
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Limit, String> {
        let limit = match text.strip_suffix('%') {
            Some(percent) => percent
                .parse()
                .ok()
                .filter(|percent| *percent <= 100)
                .map(Limit::Percent),
            None => text.parse().ok().map(Limit::Count),
        };
        limit.ok_or_else(|| "it must be a number of users, or a part of all such as 10%".to_owned())
    }
}

/// A user who may be ended.
pub struct Leaver {
    id: u64,
    tag: Box<str>,
    /// The member by which users are matched.
    key: Box<str>,
}

impl Leaver {
    /// What becomes of such users.
    pub fn fate(options: &SyncOptions) -> &'static str {
        match options.delete {
            true => "deleted",
            false => "deactivated",
        }
    }
}

/// A line of an export: a user, or the last one.
#[derive(Deserialize)]
struct Line {
    id: Option<u64>,
    etag: Option<Box<str>>,
    email: Option<Box<str>>,
    username: Option<Box<str>>,
    external_id: Option<Box<str>>,
    active: Option<bool>,
    end: Option<String>,
    next: Option<String>,
    problem: Option<Problem>,
}

/// The answer to a delete of many users.
#[derive(Deserialize)]
struct Deleted {
    results: Vec<Outcome>,
    end: String,
    #[serde(default)]
    retry_after: Option<u64>,
}

#[derive(Deserialize)]
struct Outcome {
    id: u64,
    status: u16,
    problem: Option<Problem>,
}

impl Sync {
    /// All users who have the member by which users are matched.
    pub async fn all_users(&self) -> anyhow::Result<Vec<Leaver>> {
        let mut users = Vec::new();
        let mut after = "0".to_owned();
        let mut backoff = Backoff::new(self.options.service.retries);
        loop {
            let before = after.clone();
            let (why, again) = match self.export(&mut users, &mut after).await {
                Ok(None) => return Ok(users),
                Ok(Some(why)) => (why, Again::Later(None)),
                Err(Failure { why, again, .. }) => (why, again),
            };
            if after != before {
                backoff.reset();
                if why.is_empty() {
                    continue;
                }
            }
            if !backoff.wait(again).await {
                bail!("nothing was changed, as the users can't be read: {why}");
            }
        }
    }

    /// One request for users; `None` if they are complete, or else why they are not.
    async fn export(
        &self,
        users: &mut Vec<Leaver>,
        after: &mut String,
    ) -> Result<Option<String>, Failure> {
        let matching = self.options.matching.name();
        let path = format!("/users/export?after={after}&fields=id,active,etag,{matching}");
        let mut lines = Lines::of(self.service.get_lines(&path).await?);
        while let Some((_, line)) = lines.next::<Line>().await? {
            if let Some(end) = line.end {
                let next = line.next.as_deref();
                return Ok(export_ended(&end, next, line.problem, after));
            }
            let Some(id) = line.id else { continue };
            *after = id.to_string();
            let key = line.email.or(line.username).or(line.external_id);
            let may_end = self.options.delete || line.active != Some(false);
            if let (Some(key), Some(tag), true) = (key, line.etag, may_end) {
                users.push(Leaver { id, tag, key });
            }
        }
        Err(Failure::broken_off("the answer broke off".to_owned()))
    }

    /// Ends the users of `before` whom no row is. Answers whether all that was to be done is done.
    pub async fn end(&self, before: Vec<Leaver>) -> bool {
        let total = before.len() as u64;
        let leavers: Vec<Leaver> = {
            let state = self.state();
            before
                .into_iter()
                .filter(|user| !state.kept.contains(&user.id))
                .collect()
        };
        if leavers.is_empty() {
            return true;
        }
        let (count, fate) = (leavers.len() as u64, Leaver::fate(&self.options));
        let unknown = self.state().unknown;
        let rows = self.state().counts.rows;
        if unknown > 0 {
            let (lines, users) = (counted(unknown, "line"), counted(count, "user"));
            self.progress.tell(&format!(
                "Error: nobody is {fate}: {lines} can't be used, and may be about some of the {users} not \
                 in the other lines. Correct the file, and run the command again"
            ));
            return false;
        }
        let allowed = match self.options.end_at_most {
            Some(Limit::Count(count)) => count,
            Some(Limit::Percent(percent)) => total * percent / 100,
            None if rows == 0 => {
                let users = counted(count, "user");
                self.progress.tell(&format!(
                    "Error: nobody is {fate}: the file has no users. If {users} are to be {fate}, give \
                     --end-at-most {count}"
                ));
                return false;
            }
            None => FEW.max(total / 10),
        };
        if count > allowed {
            let users = counted(total, "user");
            self.progress.tell(&format!(
                "Error: nobody is {fate}: of {users}, {count} are not in the file, and at most {allowed} \
                 may be {fate}. Is the file complete? If so, give --end-at-most {count}"
            ));
            return false;
        }
        for some in leavers.chunks(BATCH) {
            let done = match (self.options.dry_run, self.options.delete) {
                (true, _) => self.would_end(some),
                (false, true) => self.delete(some).await,
                (false, false) => self.deactivate(some).await,
            };
            if let Err(error) = done {
                self.stop(&format!("not all users were {fate}: {error:#}"));
                return false;
            }
        }
        true
    }

    fn would_end(&self, users: &[Leaver]) -> anyhow::Result<()> {
        let verb = if self.options.delete {
            "delete"
        } else {
            "deactivate"
        };
        for Leaver { id, key, .. } in users {
            self.state().counts.ended += 1;
            self.would(&format!("{verb} user {id} {key}"));
        }
        Ok(())
    }

    /// Deletes users, each in the version that was read.
    async fn delete(&self, users: &[Leaver]) -> anyhow::Result<()> {
        let mut left: Vec<&Leaver> = users.iter().collect();
        let mut backoff = Backoff::new(self.options.service.retries);
        while !left.is_empty() {
            let element = |user: &&Leaver| json!({ "id": user.id, "etag": user.tag });
            let body = json!({ "users": left.iter().map(element).collect::<Vec<_>>() });
            let before = left.len();
            let (why, again) = match self
                .service
                .post_json::<Deleted>("/users/delete", &body)
                .await
            {
                Ok(deleted) => {
                    for outcome in deleted.results {
                        let Some(place) = left.iter().position(|user| user.id == outcome.id) else {
                            continue;
                        };
                        let detail = outcome
                            .problem
                            .map_or(String::new(), |problem| problem.detail);
                        if self.is_ended(left[place], outcome.status, &detail).await {
                            left.remove(place);
                        }
                    }
                    let after = deleted.retry_after.map(std::time::Duration::from_secs);
                    (
                        format!("the service ended the request: {}", deleted.end),
                        Again::Later(after),
                    )
                }
                Err(Failure { why, again, .. }) => (why, again),
            };
            if left.len() < before {
                backoff.reset();
            }
            if !left.is_empty() && !backoff.wait(again).await {
                bail!(why);
            }
        }
        Ok(())
    }

    /// Switches users off, each in the version that was read.
    async fn deactivate(&self, users: &[Leaver]) -> anyhow::Result<()> {
        for user in users {
            let mut backoff = Backoff::new(self.options.service.retries);
            let path = format!("/users/{}", user.id);
            let change = json!({ "active": false });
            loop {
                let patched = self.service.patch_json(&path, &user.tag, &change).await;
                let (status, why, again) = match patched {
                    Ok(()) => (200, String::new(), Again::Never),
                    Err(Failure {
                        status, why, again, ..
                    }) => (status.unwrap_or(503), why, again),
                };
                if self.is_ended(user, status, &why).await {
                    break;
                }
                if !backoff.wait(again).await {
                    return Err(anyhow::anyhow!(why)).context("a user was not deactivated");
                }
            }
        }
        Ok(())
    }

    /// Notes the outcome for a user; false if it may be another one another time.
    async fn is_ended(&self, user: &Leaver, status: u16, detail: &str) -> bool {
        match status {
            200..=299 => self.state().counts.ended += 1,
            // A repeat of a request whose answer was lost, or somebody else was faster. What the user
            // is like now tells.
            404 | 412 => match self.is_gone(user.id).await {
                Ok(true) => self.state().counts.ended += 1,
                Ok(false) => {
                    let Leaver { id, key, .. } = user;
                    self.state().counts.refused += 1;
                    self.progress.tell(&format!(
                        "user {id} {key}: not {}, as somebody has changed it meanwhile; run the \
                         command again",
                        Leaver::fate(&self.options)
                    ));
                }
                Err(_) => return false,
            },
            429 | 501.. => return false,
            _ => {
                let Leaver { id, key, .. } = user;
                self.state().counts.refused += 1;
                self.progress
                    .tell(&format!("user {id} {key}: {status} {detail}"));
            }
        }
        true
    }

    /// Whether there is nothing more to do for a user: it is gone, or switched off.
    async fn is_gone(&self, id: u64) -> Result<bool, Failure> {
        let path = format!("/users?id={id}&fields=id,active");
        let users: Vec<Line> = self.service.get_json(&path).await?;
        Ok(users
            .iter()
            .all(|user| !self.options.delete && user.active == Some(false)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_a_part_of_all() {
        assert_eq!("7".parse(), Ok(Limit::Count(7)));
        assert_eq!("25%".parse(), Ok(Limit::Percent(25)));
        for text in ["", "x", "101%", "-1", "1.5"] {
            assert!(text.parse::<Limit>().is_err(), "{text}");
        }
    }
}
