//! The address of a Redis server.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, IntoConnectionInfo as _};

use super::CALL_LIMIT;

/// A database of a Redis server: its address, and the user and password for it.
#[derive(Clone)]
pub struct Server {
    /// With the password in it, so it is only compared.
    url: String,
    info: Arc<ConnectionInfo>,
}

impl Server {
    /// Reads a URL as Spin does: `redis://user:password@host:port/database`, and `rediss://` for
    /// TLS. Fails with the reason, without any part of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let info = url.into_connection_info().map_err(|error| {
            let reason = error.to_string();
            // After it comes the name of a category.
            let reason = reason
                .split_once(" - ")
                .map_or(&*reason, |(reason, _)| reason);
            format!("{reason}; it should be like redis://user:password@host:6379/0")
        })?;
        let tcp = TcpSettings::default().set_nodelay(true);
        // What the kernel could not deliver in that time is not delivered later, when newer
        // writes may have been made by another way.
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        let tcp = tcp.set_user_timeout(CALL_LIMIT);
        Ok(Self {
            url: url.to_owned(),
            info: Arc::new(info.set_tcp_settings(tcp)),
        })
    }

    /// All that a connection to it takes.
    pub(super) fn info(&self) -> ConnectionInfo {
        ConnectionInfo::clone(&self.info)
    }
}

/// Neither the user nor the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis at {}", self.info.addr())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for Server {}

impl Hash for Server {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_shown_without_its_password() {
        let server = Server::parse("redis://ada:s%3Acret@db.test:7000/2").unwrap();
        for shown in [format!("{server}"), format!("{server:?}")] {
            assert_eq!(shown, "Redis at db.test:7000");
        }
        let settings = server.info();
        assert_eq!(settings.redis_settings().username(), Some("ada"));
        assert_eq!(settings.redis_settings().password(), Some("s:cret"));
        assert_eq!(settings.redis_settings().db(), 2);
        let server = Server::parse("rediss://db.test").unwrap();
        assert_eq!(server.to_string(), "Redis at db.test:6379");
        let server = Server::parse("unix:///run/redis.sock?db=1").unwrap();
        assert_eq!(server.to_string(), "Redis at /run/redis.sock");
    }

    #[test]
    fn a_wrong_url_is_refused_without_being_shown() {
        for url in [
            "",
            "db.test:6379",
            "http://ada:secret@db.test",
            "redis://ada:secret@/0",
            "redis://ada:secret@db.test:port",
            "redis://ada:secret@db.test/users",
            "rediss://ada:secret@db.test#secret",
        ] {
            let error = Server::parse(url).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
            assert!(error.contains("it should be like redis://"), "{error}");
        }
    }
}
