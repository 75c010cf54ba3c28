//! Everything once, in turn: each contestant is started, asked for all that it is to
//! be asked for, and stopped, before the next one's turn comes.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::authorization::Authorization;
use crate::client::Client;
use crate::load::Load;
use crate::place::{Place, copy_directory, read_directory};
use crate::plan::{BASE, CONNECTIONS, Group};
use crate::seed;
use crate::service::Start;
use crate::statistics::{Case, Measurements};
use crate::work::Work;

/// How many users the load generator knows the entity tags of: many more than there
/// are connections.
const TAGS: u64 = 512;

/// Stores of at most this size are new in every round; the others grow by so small a
/// part that it isn't worth the copying.
const MAX_COPIED_EACH_ROUND: u64 = 100_000;

/// Measures each case of each group once.
pub async fn run(
    place: &Place,
    groups: &[Group],
    round: u64,
    seconds: u64,
    measurements: &mut Measurements,
) -> Result<()> {
    // There and back, so that no service always comes after the same one.
    let mut order: Vec<&Group> = groups.iter().collect();
    if round % 2 == 1 {
        order.reverse();
    }
    for group in order {
        let what = format!("{}, {} users", group.contestant.name(), group.users);
        eprintln!("  {what}");
        measure(place, group, round, seconds, measurements)
            .await
            .with_context(|| what)?;
    }
    Ok(())
}

async fn measure(
    place: &Place,
    group: &Group,
    round: u64,
    seconds: u64,
    measurements: &mut Measurements,
) -> Result<()> {
    let Group {
        contestant,
        users,
        with_token,
        ref cases,
    } = *group;
    let authorization = match with_token {
        true => Some(Authorization::new(place)?),
        false => None,
    };
    let header = authorization.as_ref().map(|a| a.header.as_str());
    let state = state(place, group, round)?;
    let mut start = Start::new(contestant, users, &state)?;
    start.authorization = authorization.as_ref();
    let service = start.start(place).await?;
    let mut load = Load {
        address: service.address,
        work: cases[0].0,
        connections: CONNECTIONS,
        seconds: 1,
        users,
        seed: round,
        first: users,
        authorization: header,
        tags: None,
    };
    // No service is measured cold. Work that changes users isn't done before its turn.
    let warm_up = Load {
        work: Work::Get,
        ..load.clone()
    };
    warm_up.run(place).await?;
    let tags = place.run().join("tags");
    for &(work, connections) in cases {
        load.tags = None;
        if work.needs_tags() {
            let text = entity_tags(&load).await?;
            fs::write(&tags, text)?;
            load.tags = Some(&tags);
        }
        load.work = work;
        load.connections = connections;
        load.seconds = seconds;
        // Other requests in each round and for each number of connections, the same
        // ones for each contestant.
        load.seed = round * 1000 + connections;
        let sample = load.run(place).await?;
        if work.consumes_users() {
            // With room for refused requests.
            load.first -= (2 * sample.requests + 1000).min(load.first - 1);
        }
        let case = Case {
            contestant,
            users,
            with_token,
            work,
            connections,
        };
        measurements.add(case, sample);
    }
    service.stop().await
}

/// A copy of the store with those users for the group to work on.
fn state(place: &Place, group: &Group, round: u64) -> Result<PathBuf> {
    let token = if group.with_token { "-token" } else { "" };
    let name = format!("{:?}-{}{token}", group.contestant, group.users);
    let state = place.run().join(name);
    let is_kept = round > 0 && group.users > MAX_COPIED_EACH_ROUND;
    if !is_kept && let Some(store) = seed::directory(place, group.contestant, group.users)? {
        copy_directory(&store, &state)?;
    }
    read_directory(&state)?;
    Ok(state)
}

/// The entity tags of some users, as `requests.lua` reads them.
async fn entity_tags(load: &Load<'_>) -> Result<String> {
    let mut client = Client::connect(load.address).await?;
    let mut lines = String::new();
    let step = (load.users / TAGS).max(1);
    for id in (1..=load.users).step_by(step as usize) {
        let path = format!("/users/{id}");
        let answer = client.get(&path, load.authorization).await?;
        if let Some(tag) = answer.header("etag") {
            writeln!(lines, "{id} {tag}")?;
        }
    }
    Ok(lines)
}

const _: () = assert!(BASE >= TAGS, "every store has that many users");
