//! Whether a Redis server keeps what it answered.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError};
use tokio::time::timeout;

/// How long the server may take to tell.
const LIMIT: Duration = Duration::from_secs(1);

/// What the operator should change in the server's configuration. Nothing if all is well, or if
/// the server doesn't tell its configuration.
pub async fn advice(redis: &mut MultiplexedConnection) -> Vec<String> {
    let mut settings = HashMap::new();
    for pattern in ["append*", "maxmemory*"] {
        match timeout(LIMIT, config(redis, pattern)).await {
            Ok(Ok(more)) => settings.extend(more),
            Ok(Err(_)) | Err(_) => return Vec::new(),
        }
    }
    let setting = |name: &str| settings.get(name).map_or("", String::as_str);
    advice_on(setting)
}

async fn config(
    redis: &mut MultiplexedConnection,
    pattern: &str,
) -> Result<HashMap<String, String>, RedisError> {
    let mut command = Cmd::new();
    command.arg("CONFIG").arg("GET").arg(pattern);
    command.query_async(redis).await
}

fn advice_on<'a>(setting: impl Fn(&str) -> &'a str) -> Vec<String> {
    let mut advice = Vec::new();
    let fsync = setting("appendfsync");
    if setting("appendonly") == "no" {
        advice.push(
            "a crash of the server loses what was written since its last snapshot; \
             set appendonly yes and appendfsync always"
                .to_owned(),
        );
    } else if !matches!(fsync, "always" | "") {
        advice.push(format!(
            "a crash of the server may lose what was answered last, as appendfsync is {fsync}; \
             set appendfsync always"
        ));
    }
    let policy = setting("maxmemory-policy");
    if !matches!(setting("maxmemory"), "0" | "") && !matches!(policy, "noeviction" | "") {
        advice.push(format!(
            "values are dropped when the memory is full, as maxmemory-policy is {policy}; \
             set maxmemory-policy noeviction"
        ));
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(settings: &[(&'static str, &'static str)]) -> Vec<String> {
        let settings: HashMap<_, _> = settings.iter().copied().collect();
        advice_on(|name| settings.get(name).copied().unwrap_or_default())
    }

    #[test]
    fn a_server_that_may_lose_values_is_told_of() {
        let durable = ("appendonly", "yes");
        let always = ("appendfsync", "always");
        assert!(advice(&[]).is_empty());
        assert!(advice(&[durable, always, ("maxmemory", "0")]).is_empty());
        assert!(advice(&[("appendonly", "no"), always])[0].contains("set appendonly yes"));
        assert!(advice(&[durable, ("appendfsync", "everysec")])[0].contains("everysec"));
        let full = [
            durable,
            always,
            ("maxmemory", "1000000"),
            ("maxmemory-policy", "allkeys-lru"),
        ];
        assert!(advice(&full)[0].contains("allkeys-lru"));
        assert!(advice(&[("maxmemory", "1"), ("maxmemory-policy", "noeviction")]).is_empty());
    }
}
