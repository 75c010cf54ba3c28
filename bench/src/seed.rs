//! Stores with users in them, made once and kept under `target/bench/stores`.
//!
//! The component's are made by the service's own code, natively, on SQLite without
//! its waits for the disk: the same requests that would come over HTTP, `POST /users`
//! for each user, and as many pages as settle what creates leave open. Stores with indexes
//! then get groups with members, and searches until the indexes are made.

mod native;

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use edge_users::configuration::Configuration;
use edge_users::directory::{Directory, Sizes};
use edge_users::rest::Rest;
use edge_users::rest::groups::Groups;
use edge_users::service::respond;
use http::Request;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use native::{Native, Sqlite};

use crate::contestant::Contestant;
use crate::place::Place;
use crate::plan::Group;
use crate::service::Start;

/// How many creates a page settles (`ARCHITECTURE.md`, the total).
const SETTLED_BY_ONE_PAGE: u64 = 16;

/// How many users have the same word in their names, and the same team.
const FOUND: u64 = 5;

/// The groups, by the ids 1 to this.
const GROUPS: u64 = 100;

/// How many users are in groups.
const USERS_IN_GROUPS: u64 = 1_000;

/// In how many groups each of them is. So each group has 100 members.
const MEMBERSHIPS: u64 = 10;

/// Makes the stores that the groups need and that aren't there.
pub async fn prepare(place: &Place, groups: &[Group]) -> Result<()> {
    for group in groups {
        let Some(directory) = directory(place, group.contestant, group.users)? else {
            continue;
        };
        if directory.exists() {
            continue;
        }
        let unfinished = directory.with_extension("unfinished");
        fs::remove_dir_all(&unfinished).ok();
        fs::create_dir_all(&unfinished)?;
        let users = group.users;
        eprintln!("making {}", directory.display());
        if group.contestant.has_component_store() {
            let file = unfinished.join("sqlite_key_value.db");
            let has_indexes = group.contestant.has_indexes();
            tokio::task::spawn_blocking(move || fill(&file, users, has_indexes)).await??;
        } else {
            let start = Start::new(group.contestant, users, &unfinished)?;
            start.start(place).await?.stop().await?;
        }
        fs::rename(unfinished, directory)?;
    }
    Ok(())
}

/// The path of the store with that many users; none for services without a store.
pub fn directory(place: &Place, contestant: Contestant, users: u64) -> Result<Option<PathBuf>> {
    let name = if contestant.has_component_store() {
        let indexed = if contestant.has_indexes() {
            "indexed-"
        } else {
            ""
        };
        let format = format_of_records(place)? as u32;
        format!("component-{indexed}{users}-{format:08x}")
    } else if contestant == Contestant::NativeSqlite {
        format!("native-{users}")
    } else {
        return Ok(None);
    };
    Ok(Some(place.work().join("stores").join(name)))
}

/// Tells stores apart that other versions of the service, or of this, have made.
fn format_of_records(place: &Place) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    let sources = [
        "src/group.rs",
        "src/user.rs",
        "src/words.rs",
        "bench/src/seed.rs",
        "bench/src/seed/native.rs",
    ];
    let mut files = sources.map(|file| place.root.join(file)).to_vec();
    for directory in [
        "src/directory",
        "src/directory/index",
        "src/directory/lists",
    ] {
        for entry in fs::read_dir(place.root.join(directory))? {
            files.push(entry?.path());
        }
    }
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// Creates users in a new file. Blocks.
fn fill(file: &Path, users: u64, has_indexes: bool) -> Result<()> {
    const PROGRESS: u64 = 100_000;
    let begun = Instant::now();
    let store = Sqlite::create(file)?;
    let platform = Native::new(has_indexes);
    let service = Service {
        directory: Directory {
            store: &store,
            platform: &platform,
            sizes: Sizes::SERVICE,
        },
        configuration: Configuration::read(&platform, None),
    };
    for number in 1..=users {
        let body = if has_indexes {
            // One word alone, for a user gets into four lists by each: the email's part before
            // the @ counts as well.
            let shared = number % (users / FOUND);
            let (name, team) = (word(shared), team(shared));
            let email = format!("{name}@host{number:07}.example.com");
            json!({ "name": name, "email": email, "attributes": { "team": team } })
        } else {
            let email = format!("user{number:07}@example.com");
            json!({ "name": format!("User {number:07}"), "email": email })
        };
        service.expect(post("/users", &body)?, 201)?;
        if number % PROGRESS == 0 {
            eprintln!("  {number} users, {:.0?}", begun.elapsed());
        }
    }
    for _ in 0..=users / SETTLED_BY_ONE_PAGE {
        service.expect(get("/users?limit=1")?, 200)?;
    }
    if has_indexes {
        service.fill_groups(users)?;
        for search in [
            format!("/users?q={}", word(1)),
            format!("/users?attributes.team={}", team(1)),
        ] {
            service.make_index(&search)?;
            eprintln!("  index for {search}, {:.0?}", begun.elapsed());
        }
    }
    drop(service);
    store.finish()
}

/// The service's own code on a new store. Blocks.
struct Service<'a> {
    directory: Directory<'a, Sqlite, Native>,
    configuration: Configuration,
}

impl Service<'_> {
    /// The status and the content of the answer.
    fn answer(&self, request: Request<Vec<u8>>) -> (u16, Vec<u8>) {
        let (directory, configuration) = (&self.directory, &self.configuration);
        let runtime = Handle::current();
        // Every operation is done when it returns, so that nothing is waited for.
        let is_of_groups = request.uri().path().starts_with("/groups");
        let request = Box::new(request);
        let answer = match is_of_groups {
            true => runtime.block_on(respond::<Groups, _, _, _>(
                directory,
                configuration,
                request,
            )),
            false => runtime.block_on(respond::<Rest, _, _, _>(directory, configuration, request)),
        };
        let (head, content) = answer.response.into_parts();
        (head.status.as_u16(), content.whole().unwrap_or_default())
    }

    fn expect(&self, request: Request<Vec<u8>>, status: u16) -> Result<()> {
        let (answered, _) = self.answer(request);
        ensure!(answered == status, "not {status}: {answered}");
        Ok(())
    }

    /// Makes groups, and users into their members.
    fn fill_groups(&self, users: u64) -> Result<()> {
        for number in 1..=GROUPS {
            let body = json!({ "name": format!("Group {number:03}") });
            self.expect(post("/groups", &body)?, 201)?;
        }
        for (group, user) in memberships(users) {
            let path = format!("/groups/{group}/members/{user}");
            self.expect(Request::put(path).body(Vec::new())?, 204)?;
        }
        Ok(())
    }

    /// Searches until the index is made, and fails unless as many users are found as there are.
    fn make_index(&self, search: &str) -> Result<()> {
        loop {
            // Each search goes on with the index for a second, and is told to come again.
            let (status, content) = self.answer(get(search)?);
            if status == 503 {
                continue;
            }
            ensure!(status == 200, "{search}: {status}");
            let page: Value = serde_json::from_slice(&content)?;
            let found = page.as_array().map_or(0, Vec::len);
            ensure!(found as u64 == FOUND, "{search}: {found} users");
            return Ok(());
        }
    }
}

/// A word that few users have, and no other word begins with: six letters.
fn word(number: u64) -> String {
    let letter = |digit: u8| char::from(digit - b'0' + b'a');
    format!("{number:06}").bytes().map(letter).collect()
}

fn team(number: u64) -> String {
    format!("t{number}")
}

/// Who is in which group, as ids of a group and a user. `wrk/requests.lua` adds others.
fn memberships(users: u64) -> impl Iterator<Item = (u64, u64)> {
    // No divisor of the number of groups, so that users are spread over them.
    let step = (users / USERS_IN_GROUPS - 1).max(1);
    let users = (0..USERS_IN_GROUPS).map(move |number| number * step);
    users.flat_map(|user| (0..MEMBERSHIPS).map(move |turn| ((user + turn) % GROUPS + 1, user + 1)))
}

fn get(path: &str) -> Result<Request<Vec<u8>>> {
    Ok(Request::get(path).body(Vec::new())?)
}

fn post(path: &str, body: &Value) -> Result<Request<Vec<u8>>> {
    let request = Request::post(path).header(CONTENT_TYPE, "application/json");
    Ok(request.body(body.to_string().into_bytes())?)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::plan::SIZES;

    #[test]
    fn words_are_told_apart_by_the_lists_of_the_index() {
        assert_eq!((word(0), word(123_456)), ("aaaaaa".into(), "bcdefg".into()));
        let words: BTreeSet<String> = (0..SIZES[2] / FOUND).map(word).collect();
        assert_eq!(words.len() as u64, SIZES[2] / FOUND);
        assert!(words.iter().all(|word| word.len() == 6));
    }

    #[test]
    fn each_group_has_as_many_members() {
        for users in SIZES {
            let mut groups = BTreeMap::<u64, BTreeSet<u64>>::new();
            for (group, user) in memberships(users) {
                assert!(user <= users);
                groups.entry(group).or_default().insert(user);
            }
            let members = USERS_IN_GROUPS * MEMBERSHIPS / GROUPS;
            assert!(groups.keys().copied().eq(1..=GROUPS), "{users}");
            assert!(groups.values().all(|users| users.len() as u64 == members));
        }
    }

    #[test]
    fn a_store_with_indexes_is_made() {
        let directory = std::env::temp_dir().join(format!("bench-seed-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("there is room");
        let runtime = tokio::runtime::Runtime::new().expect("the system has a thread left");
        let made = runtime.block_on(async {
            let file = directory.join("store.db");
            tokio::task::spawn_blocking(move || fill(&file, SIZES[0], true)).await
        });
        fs::remove_dir_all(&directory).ok();
        made.expect("it ends").expect("it is made");
    }
}
