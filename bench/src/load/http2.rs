//! Many requests over HTTP/2, by h2load.

use anyhow::{Context, Result, ensure};
use edge_users_proto::Message;
use edge_users_proto::edgeusers::v1::GetUserRequest;
use tokio::process::Command;

use super::{Load, Sample};
use crate::place::Place;
use crate::work::Work;

/// The length of what comes before a message of gRPC: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Runs a load: as many streams of one connection as it has connections, as clients of HTTP/2 do.
/// All requests are for the same user.
pub async fn sample(load: &Load<'_>, place: &Place) -> Result<Sample> {
    let h2load = place.h2load.as_ref().context("there is no h2load")?;
    let id = load.users / 2;
    let (log, body) = (place.run().join("h2load.log"), place.run().join("body"));
    std::fs::remove_file(&log).ok();
    let mut command = Command::new(h2load);
    command
        .args(["-t1", "-c1"])
        .args(["-m", &load.connections.to_string()])
        .arg(format!("-D{}s", load.seconds))
        .arg("--log-file")
        .arg(&log);
    if let Some(authorization) = load.authorization {
        command.arg(format!("-Hauthorization: {authorization}"));
    }
    let path = match load.work {
        Work::GetGrpc => {
            std::fs::write(&body, message(id)?)?;
            command.arg("-d").arg(&body);
            command.args(["-Hcontent-type: application/grpc", "-Hte: trailers"]);
            "edgeusers.v1.UserService/GetUser".to_owned()
        }
        _ => format!("users/{id}"),
    };
    command.arg(format!("http://{}/{path}", load.address));
    let output = command.kill_on_drop(true).output().await;
    let output = output.context("cannot run h2load")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "h2load failed: {printed}");
    // An error of gRPC has the status 200, and no message.
    let data = data(&printed).with_context(|| format!("h2load says otherwise: {printed}"))?;
    let sample = read(&std::fs::read_to_string(&log)?).context("h2load wrote no log")?;
    ensure!(
        data > sample.requests * PREFIX as u64,
        "the answers have no messages: {printed}"
    );
    Ok(sample)
}

/// `GetUserRequest`, framed.
fn message(id: u64) -> Result<Vec<u8>> {
    let message = GetUserRequest { id }.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len())?.to_be_bytes());
    framed.extend(message);
    Ok(framed)
}

/// How many bytes of content were received: `traffic: …, 12.21KB (12500) data`.
fn data(printed: &str) -> Option<u64> {
    let line = printed.lines().find(|line| line.starts_with("traffic:"))?;
    let (before, _) = line.rsplit_once(") data")?;
    before.rsplit_once('(')?.1.parse().ok()
}

/// Reads a log: for each request when it began, in µs, its status, and the time it took, in µs.
/// A request that was not answered has the status -1.
fn read(log: &str) -> Option<Sample> {
    let mut rows = Vec::new();
    for line in log.lines() {
        let mut columns = line.split('\t');
        let begun: u64 = columns.next()?.parse().ok()?;
        let status: i64 = columns.next()?.parse().ok()?;
        let time: u64 = columns.next()?.parse().ok()?;
        rows.push((begun, status, time));
    }
    let first = rows.iter().map(|(begun, ..)| begun).min()?;
    let last = rows.iter().map(|(begun, _, time)| begun + time).max()?;
    let mut times: Vec<u64> = rows.iter().map(|(.., time)| *time).collect();
    times.sort_unstable();
    let share = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize] as f64;
    let count = |is: fn(i64) -> bool| rows.iter().filter(|(_, status, _)| is(*status)).count();
    Some(Sample {
        requests: rows.len() as u64,
        microseconds: last - first,
        refused: count(|status| status >= 400) as u64,
        broken: count(|status| status < 0) as u64,
        mean: times.iter().sum::<u64>() as f64 / times.len() as f64,
        p50: share(0.5),
        p90: share(0.9),
        p99: share(0.99),
        p999: share(0.999),
        max: share(1.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_framed() {
        assert_eq!(message(5).expect("it fits"), b"\0\0\0\0\x02\x08\x05");
        assert_eq!(message(500).expect("it fits"), b"\0\0\0\0\x03\x08\xf4\x03");
    }

    #[test]
    fn the_content_is_counted() {
        let printed = "status codes: 9 2xx\n\
            traffic: 1.04MB (1093750) total, 2.1KB (2200) headers (space savings 7.5%), 1.2KB (1250) data\n";
        assert_eq!(data(printed), Some(1250));
        assert_eq!(data("finished in 1.00s"), None);
    }

    #[test]
    fn a_log_is_summed_up() {
        let sample = read("1000\t200\t500\n1100\t404\t100\n2000\t-1\t200\n").expect("it is a log");
        assert_eq!((sample.requests, sample.refused, sample.broken), (3, 1, 1));
        assert_eq!(
            (sample.microseconds, sample.p50, sample.max),
            (1200, 200.0, 500.0)
        );
        assert_eq!(read(""), None);
    }
}
