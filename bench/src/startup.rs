//! How long it takes from the start of the process to its first answer.

use std::time::Duration;

use anyhow::Result;

use crate::contestant::Contestant;
use crate::place::{Place, copy_directory};
use crate::plan::BASE;
use crate::seed;
use crate::service::Start;
use crate::statistics::median;

/// The start with a compilation cache that knows the component.
pub const WARM: &str = "edge-users, compiled before";

/// One way to start, and how long that takes.
pub struct Startup {
    pub what: &'static str,
    pub time: Duration,
    /// The physical memory of the process then, in bytes.
    pub resident: f64,
}

/// The ways to start, each as often as that.
pub async fn measure(place: &Place, times: u64) -> Result<Vec<Startup>> {
    let ways: [(&str, Contestant, &[&str]); 4] = [
        (
            "edge-users, compiled anew",
            Contestant::EdgeUsers,
            &["--disable-cache"],
        ),
        (WARM, Contestant::EdgeUsers, &[]),
        ("native, axum + SQLite", Contestant::NativeSqlite, &[]),
        ("article, Go + slice", Contestant::Article, &[]),
    ];
    let mut startups = Vec::new();
    for (what, contestant, arguments) in ways {
        if !contestant.is_here(place) {
            continue;
        }
        let state = place.run().join("startup");
        if let Some(store) = seed::directory(place, contestant, BASE)? {
            copy_directory(&store, &state)?;
        }
        let mut start = Start::new(contestant, BASE, &state)?;
        start.arguments = arguments;
        let (mut times_taken, mut residents) = (Vec::new(), Vec::new());
        // The first fills the caches, also those of the operating system.
        for number in 0..=times {
            let service = start.start(place).await?;
            if number > 0 {
                times_taken.push(service.answered_after.as_secs_f64());
                residents.push(service.resident_bytes()? as f64);
            }
            service.stop().await?;
        }
        startups.push(Startup {
            what,
            time: Duration::from_secs_f64(median(times_taken).unwrap_or_default()),
            resident: median(residents).unwrap_or_default(),
        });
    }
    Ok(startups)
}
