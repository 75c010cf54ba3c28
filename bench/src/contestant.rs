//! The measured services, and how each is started.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;

use crate::authorization::Authorization;
use crate::place::Place;

/// A service that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Contestant {
    /// The smallest component, on the embedded host.
    Fixed,
    /// The smallest component that reads the store once, on the embedded host.
    OneRead,
    /// edge-users on the embedded host.
    EdgeUsers,
    /// edge-users on the embedded host, which keeps metrics.
    EdgeUsersWatched,
    /// edge-users on the embedded host, with indexes of words and of an attribute, and with groups.
    EdgeUsersIndexed,
    /// axum and SQLite.
    NativeSqlite,
    /// axum and a map.
    NativeMemory,
    /// The article's service in Go.
    Article,
    /// The smallest component, on `wasmtime serve`.
    FixedOnWasmtime,
    /// edge-users on `spin up`.
    EdgeUsersOnSpin,
}

impl Contestant {
    /// As tables and plots name it.
    pub fn name(self) -> &'static str {
        match self {
            Contestant::Fixed => "floor, fixed answer",
            Contestant::OneRead => "floor, one read",
            Contestant::EdgeUsers => "edge-users",
            Contestant::EdgeUsersWatched => "edge-users, with metrics",
            Contestant::EdgeUsersIndexed => "edge-users, with indexes",
            Contestant::NativeSqlite => "native, axum + SQLite",
            Contestant::NativeMemory => "native, axum + map",
            Contestant::Article => "article, Go + slice",
            Contestant::FixedOnWasmtime => "floor, fixed answer, wasmtime serve",
            Contestant::EdgeUsersOnSpin => "edge-users, spin up",
        }
    }

    /// Whether it keeps users in the form of the component's store.
    pub fn has_component_store(self) -> bool {
        self == Contestant::OneRead || self.is_edge_users()
    }

    /// Whether it is edge-users, however it is started.
    fn is_edge_users(self) -> bool {
        use Contestant::{EdgeUsers, EdgeUsersIndexed, EdgeUsersOnSpin, EdgeUsersWatched};
        matches!(
            self,
            EdgeUsers | EdgeUsersWatched | EdgeUsersIndexed | EdgeUsersOnSpin
        )
    }

    /// Whether its users are in indexes and in groups.
    pub fn has_indexes(self) -> bool {
        self == Contestant::EdgeUsersIndexed
    }

    /// Whether the machine has the programs for it.
    pub fn is_here(self, place: &Place) -> bool {
        match self {
            Contestant::Fixed
            | Contestant::OneRead
            | Contestant::EdgeUsers
            | Contestant::EdgeUsersWatched
            | Contestant::EdgeUsersIndexed => true,
            Contestant::NativeSqlite | Contestant::NativeMemory => place.native.is_some(),
            Contestant::Article => place.article.is_some(),
            Contestant::FixedOnWasmtime => place.wasmtime.is_some(),
            Contestant::EdgeUsersOnSpin => place.spin.is_some(),
        }
    }

    /// The command that serves `users` users at `address`, with its state in `state`;
    /// none if the machine doesn't have the programs for it.
    pub fn command(
        self,
        place: &Place,
        address: SocketAddr,
        state: &Path,
        users: u64,
        authorization: Option<&Authorization>,
    ) -> Option<Command> {
        let listen = address.to_string();
        let mut command;
        match self {
            Contestant::Fixed
            | Contestant::OneRead
            | Contestant::EdgeUsers
            | Contestant::EdgeUsersWatched
            | Contestant::EdgeUsersIndexed => {
                command = Command::new(place.program("edge-host"));
                command.args(["up", "--quiet", "--listen", &listen]);
                command.arg("--from").arg(self.manifest(place));
                command.arg("--state-dir").arg(state);
                if self == Contestant::EdgeUsersWatched {
                    command.args(["--metrics", "127.0.0.1:0"]);
                }
            }
            Contestant::EdgeUsersOnSpin => {
                command = Command::new(place.spin.as_ref()?);
                command.args(["up", "--quiet", "--listen", &listen]);
                command.arg("--from").arg(self.manifest(place));
                command.arg("--state-dir").arg(state);
            }
            Contestant::NativeSqlite | Contestant::NativeMemory => {
                command = Command::new(place.native.as_ref()?);
                command.args(["--listen", &listen, "--users", &users.to_string()]);
                if self == Contestant::NativeSqlite {
                    command.arg("--database").arg(state.join("users.db"));
                }
            }
            Contestant::Article => {
                command = Command::new(place.article.as_ref()?);
                command.args(["-listen", &listen, "-users", &users.to_string()]);
            }
            Contestant::FixedOnWasmtime => {
                command = Command::new(place.wasmtime.as_ref()?);
                command.args(["serve", "--addr", &listen]);
                // As many as the embedded host's default.
                command.arg("--max-instance-reuse-count=128");
                command.arg(place.fixed_component());
            }
        }
        if self.is_edge_users() {
            command.args(Authorization::variables(place, authorization));
        }
        if self.has_indexes() {
            command.args(["--variable", "indexed_attributes=team"]);
        }
        Some(command)
    }

    /// The manifest of one that has such.
    fn manifest(self, place: &Place) -> std::path::PathBuf {
        place.root.join(match self {
            Contestant::Fixed => "bench/floor/fixed/spin.toml",
            Contestant::OneRead => "bench/floor/one-read/spin.toml",
            _ => "spin.toml",
        })
    }
}
