//! Stores in a Redis server, which several hosts may share.
//!
//! Each test has a server of its own, which keeps what it answered.

mod away;
mod connection;
mod values;

use std::fs;
use std::path::PathBuf;

use edge_host::{Host, UpOptions};
use tempfile::TempDir;

use crate::support::{Application, RedisServer};

/// A server, and an application whose default store is in it.
struct Setting {
    redis: RedisServer,
    application: Application,
    _data: TempDir,
}

impl Setting {
    /// None if there is no program `redis-server`: the test is to be skipped.
    fn new(arguments: &[&str]) -> Option<Self> {
        RedisServer::is_installed().then(|| {
            let data = tempfile::tempdir().unwrap();
            let redis = RedisServer::start(data.path(), arguments);
            let application = Application::probe("");
            let setting = Self {
                redis,
                application,
                _data: data,
            };
            setting.use_url(&setting.redis.url());
            setting
        })
    }

    /// The runtime configuration.
    fn config(&self) -> PathBuf {
        self.application.directory().join("runtime.toml")
    }

    /// Has the default store at this URL from the next start of a host on.
    fn use_url(&self, url: &str) {
        let store = format!("[key_value_store.default]\ntype = 'redis'\nurl = '{url}'\n");
        fs::write(self.config(), store).unwrap();
    }

    /// A host in this process.
    async fn host(&self) -> Host {
        let options = UpOptions {
            runtime_config_file: Some(self.config()),
            ..self.application.options()
        };
        Host::start(options).await.unwrap()
    }
}
