//! The cost of an instance of the component: the time to make it, the memory while it is idle.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::time::sleep;

use crate::client::Client;
use crate::contestant::Contestant;
use crate::load::Load;
use crate::place::{Place, copy_directory};
use crate::plan::BASE;
use crate::seed;
use crate::service::{Service, Start};
use crate::statistics::median;
use crate::work::Work;

/// How many instances are held at the same time to weigh one.
const HELD: u64 = 64;

/// The cost of instances on the embedded host.
pub struct InstanceCost {
    /// How much longer a request takes that needs a new one.
    pub making: Duration,
    /// Physical memory of the host before it has made any but the first, in bytes.
    pub host: f64,
    /// And for each instance that waits for a request, with its connection.
    pub idle: f64,
}

/// Measures both.
pub async fn measure(place: &Place, rounds: u64, seconds: u64) -> Result<InstanceCost> {
    let state = place.run().join("instance");
    if let Some(store) = seed::directory(place, Contestant::EdgeUsers, BASE)? {
        copy_directory(&store, &state)?;
    }
    let mut differences = Vec::new();
    for round in 0..rounds {
        let mut means = Vec::new();
        for reuse in ["1", "1000000000"] {
            let mut start = Start::new(Contestant::EdgeUsers, BASE, &state)?;
            let arguments = ["--max-instance-reuse-count", reuse];
            start.arguments = &arguments;
            let service = start.start(place).await?;
            let load = Load {
                address: service.address,
                work: Work::Health,
                connections: 1,
                seconds,
                users: BASE,
                seed: round,
                first: BASE,
                authorization: None,
                tags: None,
            };
            means.push(load.run(place).await?.p50);
            service.stop().await?;
        }
        differences.push(means[0] - means[1]);
    }
    let mut start = Start::new(Contestant::EdgeUsers, BASE, &state)?;
    start.arguments = &["--idle-instance-timeout", "60s"];
    let (mut hosts, mut idles) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let service = start.start(place).await?;
        let (host, idle) = weigh(&service).await?;
        hosts.push(host);
        idles.push(idle);
        service.stop().await?;
    }
    let microseconds = median(differences).unwrap_or_default().max(0.0);
    Ok(InstanceCost {
        making: Duration::from_secs_f64(microseconds / 1e6),
        host: median(hosts).unwrap_or_default(),
        idle: median(idles).unwrap_or_default(),
    })
}

/// Physical memory of a host, and the addition of each of many idle instances.
///
/// A request whose body doesn't come holds an instance. So many of them, begun
/// before any is ended, have as many instances made, whatever the timing.
async fn weigh(service: &Service) -> Result<(f64, f64)> {
    const BODY: &str = r#"{"name":""}"#;
    let before = service.resident_bytes()?;
    let mut clients = Vec::new();
    for _ in 0..HELD {
        let mut client = Client::connect(service.address).await?;
        let head = format!(
            "POST /users HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            service.address,
            BODY.len()
        );
        client.send(head.as_bytes()).await?;
        clients.push(client);
    }
    // Until each has reached its instance.
    sleep(Duration::from_millis(500)).await;
    for client in &mut clients {
        let begun = Instant::now();
        client.send(BODY.as_bytes()).await?;
        let answer = client.answer(begun, Instant::now()).await?;
        // A name must have a character: nothing is created.
        ensure!(answer.status == 422, "not refused: {}", answer.status);
    }
    let after = service.resident_bytes()?;
    let idle = after.saturating_sub(before) as f64 / HELD as f64;
    Ok((before as f64, idle))
}
