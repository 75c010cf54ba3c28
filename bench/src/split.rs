//! The article's second figure, latency, by its formula: send + process + receive.

use anyhow::Result;

use crate::client::Client;
use crate::contestant::Contestant;
use crate::place::{Place, copy_directory};
use crate::plan::BASE;
use crate::seed;
use crate::service::Start;
use crate::statistics::median;

/// How many requests, one after the other.
const REQUESTS: u64 = 3000;

/// Medians of one contestant's requests on one connection, in microseconds.
pub struct Split {
    pub contestant: Contestant,
    pub send: f64,
    /// From when the request is sent until the answer begins.
    pub process: f64,
    /// Of that, within the component, by its `Server-Timing`, without the store.
    pub component: Option<f64>,
    /// Of that, in the store, likewise.
    pub store: Option<f64>,
    pub receive: f64,
}

/// Gets users by id from each of some contestants.
pub async fn measure(place: &Place) -> Result<Vec<Split>> {
    let mut splits = Vec::new();
    for contestant in [
        Contestant::Fixed,
        Contestant::OneRead,
        Contestant::EdgeUsers,
        Contestant::NativeSqlite,
        Contestant::Article,
    ] {
        if !contestant.is_here(place) {
            continue;
        }
        let state = place.run().join("split");
        if let Some(store) = seed::directory(place, contestant, BASE)? {
            copy_directory(&store, &state)?;
        }
        let service = Start::new(contestant, BASE, &state)?.start(place).await?;
        let mut client = Client::connect(service.address).await?;
        let mut answers = Vec::new();
        for number in 0..REQUESTS {
            let path = format!("/users/{}", 1 + number % BASE);
            answers.push(client.get(&path, None).await?);
        }
        service.stop().await?;
        // The first tenth warms up.
        let answers = &answers[answers.len() / 10..];
        let microseconds = |time: std::time::Duration| time.as_secs_f64() * 1e6;
        let timing = |metric| {
            median(answers.iter().filter_map(|answer| {
                let header = answer.header("server-timing")?;
                Some(duration(header, metric)? * 1e3)
            }))
        };
        let middle = |time: fn(&crate::client::Answer) -> std::time::Duration| {
            median(answers.iter().map(|answer| microseconds(time(answer)))).unwrap_or_default()
        };
        splits.push(Split {
            contestant,
            send: middle(|answer| answer.sending),
            process: middle(|answer| answer.waiting),
            component: timing("component"),
            store: timing("store"),
            receive: middle(|answer| answer.receiving),
        });
    }
    Ok(splits)
}

/// The duration of a metric in a `Server-Timing` header, in milliseconds (W3C
/// Server Timing, section 2).
fn duration(header: &str, metric: &str) -> Option<f64> {
    let entries = header.split(',').map(str::trim);
    let mut parameters = entries
        .map(|entry| entry.split(';').map(str::trim))
        .find_map(|mut entry| (entry.next() == Some(metric)).then_some(entry))?;
    parameters.find_map(|parameter| parameter.strip_prefix("dur=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_has_a_duration() {
        let header = "component;dur=0.125, store;desc=\"x\";dur=0.05";
        assert_eq!(duration(header, "component"), Some(0.125));
        assert_eq!(duration(header, "store"), Some(0.05));
        assert_eq!(duration(header, "dur"), None);
    }
}
