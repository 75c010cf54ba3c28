//! The article's third figure, by its formula: uptime / total time. Under load, and
//! also while the host is restarted and while it is killed.
//!
//! One host has the store's file and the port for itself, so a rolling restart is to
//! stop it and to start it anew. The service is down from the last answer before to
//! the first one after. What a client notices of it is told beside: one that tries
//! again for a second, and one that doesn't.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::contestant::Contestant;
use crate::load::Load;
use crate::place::{Place, copy_directory};
use crate::plan::{BASE, CONNECTIONS};
use crate::seed;
use crate::service::{Service, Start};
use crate::work::Work;

/// How long the service is watched.
const WATCHED: Duration = Duration::from_secs(8);

/// When in that time something happens to it.
const INCIDENT: Duration = Duration::from_secs(3);

/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(2);

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(1);

/// After how long without an answer the service was down. Less is load.
const DOWN: Duration = Duration::from_millis(50);

/// The event that happens to the service under load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    None,
    Restart,
    Kill,
}

/// The result.
pub struct Availability {
    pub incident: Incident,
    /// How long it was watched.
    pub watched: Duration,
    /// The time of that in which it didn't answer.
    pub down: Duration,
    /// Requests that were sent once, and how many of them were answered.
    pub asked: u64,
    pub answered: u64,
    /// Requests that were not answered, however often they were sent within a second.
    pub lost: u64,
}

impl Availability {
    /// Uptime / total time.
    pub fn share(&self) -> f64 {
        1.0 - self.down.as_secs_f64() / self.watched.as_secs_f64()
    }
}

/// Watches the service through each incident.
pub async fn measure(place: &Place) -> Result<Vec<Availability>> {
    let mut all = Vec::new();
    for incident in [Incident::None, Incident::Restart, Incident::Kill] {
        let state = place.run().join("availability");
        let store = seed::directory(place, Contestant::EdgeUsers, BASE)?;
        copy_directory(&store.context("edge-users has a store")?, &state)?;
        let start = Start::new(Contestant::EdgeUsers, BASE, &state)?;
        let service = start.start(place).await?;
        let load = Load {
            address: start.address,
            work: Work::Get,
            connections: CONNECTIONS,
            seconds: WATCHED.as_secs(),
            users: BASE,
            seed: 0,
            first: BASE,
            authorization: None,
            tags: None,
        };
        let done = Arc::new(AtomicBool::new(false));
        let watch = tokio::spawn(watch(start.address, done.clone()));
        let (load, service) = tokio::join!(load.sample(place), async {
            sleep(INCIDENT).await;
            let service = happen(incident, service, &start, place).await?;
            sleep(WATCHED.saturating_sub(INCIDENT)).await;
            done.store(true, Ordering::Relaxed);
            anyhow::Ok(service)
        });
        load?;
        service?.stop().await?;
        let watched = watch.await?;
        all.push(Availability {
            incident,
            ..watched
        });
    }
    Ok(all)
}

async fn happen(
    incident: Incident,
    service: Service,
    start: &Start<'_>,
    place: &Place,
) -> Result<Service> {
    match incident {
        Incident::None => return Ok(service),
        Incident::Restart => service.stop().await?,
        Incident::Kill => service.kill().await?,
    }
    start.start(place).await
}

/// Asks for a user again and again, each time once; one that isn't answered counts for
/// a client that tries again, too.
async fn watch(address: SocketAddr, done: Arc<AtomicBool>) -> Availability {
    let begun = Instant::now();
    let mut watched = Availability {
        incident: Incident::None,
        watched: Duration::ZERO,
        down: Duration::ZERO,
        asked: 0,
        answered: 0,
        lost: 0,
    };
    let mut client = None;
    let mut last_answer = Instant::now();
    // Since when a client has been trying again with the same request.
    let mut trying_since: Option<Instant> = None;
    while !done.load(Ordering::Relaxed) {
        watched.asked += 1;
        let asked = Instant::now();
        if ask(&mut client, address).await {
            watched.answered += 1;
            let silence = last_answer.elapsed();
            if silence > DOWN {
                watched.down += silence;
            }
            last_answer = Instant::now();
            trying_since = None;
        } else {
            let since = *trying_since.get_or_insert(asked);
            if since.elapsed() > ANSWER {
                watched.lost += 1;
                trying_since = None;
            }
        }
        sleep(INTERVAL).await;
    }
    let silence = last_answer.elapsed();
    if silence > DOWN {
        watched.down += silence;
    }
    watched.watched = begun.elapsed();
    watched
}

/// Whether a request was answered, on the kept connection or, if there is none, on a
/// new one.
async fn ask(kept: &mut Option<Client>, address: SocketAddr) -> bool {
    let asked = timeout(ANSWER, async {
        let mut client = match kept.take() {
            Some(client) => client,
            None => Client::connect(address).await?,
        };
        let answer = client.get("/users/1", None).await?;
        anyhow::Ok((client, answer))
    });
    match asked.await {
        Ok(Ok((client, answer))) if answer.status == 200 => {
            *kept = Some(client);
            true
        }
        _ => false,
    }
}
