//! The options of `edge-host up`. Names, defaults and meanings are those of `spin up`.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser};
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

use crate::application::exposure::parse_host;
use crate::application::variable_source::VariableSource;
use crate::runtime::engine::MAX_CONCURRENT_REQUESTS;
use crate::serve::connections::CONNECTION_BYTES;
use crate::serve::server::Limits;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
const DEFAULT_MAX_INSTANCE_MEMORY: usize = 128 << 20;

/// The least and the most default of `--max-memory`, and the part of the machine's memory in
/// between.
const DEFAULT_MAX_MEMORY: RangeInclusive<u64> = 256 << 20..=1 << 30;
const DEFAULT_MEMORY_DIVISOR: u64 = 4;

/// The part of `--max-memory` for connections that wait for their clients.
const CONNECTIONS_DIVISOR: usize = 4;

/// The memory of a request with a small instance of its own. With less it is not begun.
const REQUEST_MEMORY: usize = 2 << 20;

const DEFAULT_MAX_CONNECTIONS: usize = 4096;
const DEFAULT_MAX_BODY_SIZE: u64 = 64 << 20;
const DEFAULT_CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The options of `edge-host up`.
///
/// `Default` is an empty command line.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct UpOptions {
    /// The application: a manifest, or a directory with a spin.toml in it
    #[arg(short, long, value_name = "PATH", default_value = "spin.toml")]
    pub from: PathBuf,

    /// Build the application first, with the commands in its manifest
    #[arg(long)]
    pub build: bool,

    /// IP address and port to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "SPIN_HTTP_LISTEN_ADDR",
        value_name = "ADDRESS",
        default_value_t = DEFAULT_LISTEN,
        value_parser = parse_address
    )]
    pub listen: SocketAddr,

    /// Listen on an address that other machines reach even if the application lets everybody in.
    /// Without this the host then refuses to start
    #[arg(long)]
    pub allow_open: bool,

    /// A host name by which clients may reach an application that lets everybody in, besides
    /// localhost. Requests to other names are refused, as a page of another site could send
    /// them from a browser on this machine
    #[arg(long = "allow-host", value_name = "NAME", value_parser = parse_host)]
    pub allow_hosts: Vec<String>,

    /// Serve metrics for Prometheus at this IP address and port, on the path /metrics, to
    /// everybody who reaches it
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    pub metrics: Option<SocketAddr>,

    /// The directory of the state, such as the default key-value store; empty to keep it in
    /// memory [default: .spin beside the manifest]
    #[arg(long, value_name = "DIRECTORY", value_parser = parse_path())]
    pub state_dir: Option<PathBuf>,

    /// Set a variable of the application; the last value of a variable counts
    #[arg(
        long = "variable",
        value_name = "KEY=VALUE | KEY=@FILE | @FILE.json | @FILE.toml"
    )]
    pub variables: Vec<VariableSource>,

    /// The file with key-value stores, of the types spin (SQLite) and redis, and sources of
    /// variables
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// Pass an environment variable to all components
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub env: Vec<(String, String)>,

    /// Put a value into the default key-value store
    #[arg(long = "key-value", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub key_values: Vec<(String, String)>,

    /// Silence the standard error of components, and the list of routes. The standard output
    /// of components stays: an audit trail may be there
    #[arg(short, long)]
    pub quiet: bool,

    /// Write the output of components to files in this directory, too
    #[arg(
        short = 'L',
        long,
        env = "SPIN_LOG_DIR",
        value_name = "DIRECTORY",
        value_parser = parse_path()
    )]
    pub log_dir: Option<PathBuf>,

    /// The most memory that an instance may have, in bytes [default: 134217728]
    #[arg(long, env = "SPIN_MAX_INSTANCE_MEMORY", value_name = "BYTES")]
    pub max_instance_memory: Option<usize>,

    /// The most memory that all instances, requests and responses may have together, in
    /// bytes. When it is used up, requests that wait for their clients give way to others
    /// [default: a quarter of the machine's memory, but 256 MiB to 1 GiB]
    #[arg(long, value_name = "BYTES", value_parser = parse_count)]
    pub max_memory: Option<usize>,

    /// How many requests an instance handles before it is replaced
    #[arg(long, value_name = "COUNT", default_value_t = 128, value_parser = parse_count)]
    pub max_instance_reuse_count: usize,

    /// How many requests an instance handles at the same time; always 1 for a WASI
    /// 0.2 component
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = parse_count)]
    pub max_instance_concurrent_reuse_count: usize,

    /// How long an instance waits for its next request, e.g. 1s or 500ms
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub idle_instance_timeout: Duration,

    /// How long a request may take, e.g. 30s or 500ms
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub request_timeout: Duration,

    /// The most connections at the same time; the one that has waited longest for its
    /// client gives way to a new one. Fewer if there are not enough file descriptors, or
    /// if they could take more than a quarter of --max-memory
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = DEFAULT_MAX_CONNECTIONS,
        value_parser = parse_count
    )]
    pub max_connections: usize,

    /// How long a client may keep a connection waiting: for the head of a request, for
    /// its body, to read the response, and for the next request
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub client_timeout: Duration,

    /// The most bytes that the body of a request may have
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MAX_BODY_SIZE)]
    pub max_body_size: u64,

    /// How long to drain after SIGINT or SIGTERM: to serve everything but the paths that say
    /// whether the application is ready, so that balancers go elsewhere before this stops
    /// listening. A second signal ends it at once
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    pub drain: Duration,

    /// Compile components anew at each start
    // Of the variable anything but a no counts, such as the usual 1.
    #[arg(long, env = "DISABLE_WASMTIME_CACHE", value_parser = FalseyValueParser::new())]
    pub disable_cache: bool,

    /// Don't reserve memory for instances ahead of time
    #[arg(long)]
    pub disable_pooling: bool,

    /// Don't write the standard output of components to that of this process. For a process
    /// that is not the host alone, such as a test.
    #[arg(skip)]
    pub discard_stdout: bool,

    /// Count the instructions that components execute, for
    /// [`Host::instructions`](crate::Host::instructions). They run slower then, so
    /// there is no flag for it.
    #[arg(skip)]
    pub count_instructions: bool,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            from: "spin.toml".into(),
            build: false,
            listen: DEFAULT_LISTEN,
            allow_open: false,
            allow_hosts: Vec::new(),
            metrics: None,
            state_dir: None,
            variables: Vec::new(),
            runtime_config_file: None,
            env: Vec::new(),
            key_values: Vec::new(),
            quiet: false,
            log_dir: None,
            max_instance_memory: None,
            max_memory: None,
            max_instance_reuse_count: 128,
            max_instance_concurrent_reuse_count: 16,
            idle_instance_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(30),
            max_connections: DEFAULT_MAX_CONNECTIONS,
            client_timeout: DEFAULT_CLIENT_TIMEOUT,
            max_body_size: DEFAULT_MAX_BODY_SIZE,
            drain: Duration::ZERO,
            disable_cache: false,
            disable_pooling: false,
            discard_stdout: false,
            count_instructions: false,
        }
    }
}

impl UpOptions {
    /// The manifest's path.
    pub(crate) fn manifest(&self) -> PathBuf {
        if self.from.is_dir() {
            self.from.join("spin.toml")
        } else {
            self.from.clone()
        }
    }

    /// The memory limit, which the runtime configuration may give as well.
    pub(crate) fn max_instance_memory(&self, configured: Option<usize>) -> usize {
        self.max_instance_memory
            .or(configured)
            .unwrap_or(DEFAULT_MAX_INSTANCE_MEMORY)
    }

    /// The memory that all may have together.
    pub(crate) fn max_memory(&self) -> usize {
        self.max_memory.unwrap_or_else(|| {
            let (least, most) = DEFAULT_MAX_MEMORY.into_inner();
            let share = machine_memory() / DEFAULT_MEMORY_DIVISOR;
            usize::try_from(share.clamp(least, most)).unwrap_or(usize::MAX)
        })
    }

    /// How many requests may run at the same time.
    pub(crate) fn max_requests(&self) -> usize {
        (self.max_memory() / REQUEST_MEMORY).clamp(1, MAX_CONCURRENT_REQUESTS)
    }

    /// The limits of the server.
    pub(crate) fn limits(&self) -> Limits {
        // Without a known limit of descriptors, the number of connections is as asked for.
        let descriptors = rlimit::getrlimit(rlimit::Resource::NOFILE);
        let (descriptors, _) = descriptors.unwrap_or((u64::MAX, u64::MAX));
        let by_memory = self.max_memory() / CONNECTIONS_DIVISOR / CONNECTION_BYTES;
        let by_descriptors = connections_within(descriptors);
        Limits {
            connections: self
                .max_connections
                .min(by_descriptors)
                .min(by_memory)
                .max(1),
            client_timeout: self.client_timeout,
            body: self.max_body_size,
        }
    }
}

/// The bytes of memory of the machine, or of the container that this runs in; 0 if they are
/// unknown.
fn machine_memory() -> u64 {
    let memory = MemoryRefreshKind::nothing().with_ram();
    let Ok(system) = System::new_with_specifics(RefreshKind::nothing().with_memory(memory)) else {
        return 0;
    };
    let limit = system.cgroup_limits().map(|limits| limits.total_memory);
    system.total_memory().min(limit.unwrap_or(u64::MAX))
}

/// The most connections that leave file descriptors for everything else.
fn connections_within(descriptors: u64) -> usize {
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    (descriptors / 4 * 3).max(1)
}

/// Accepts host names as well. Of several addresses it prefers 127.0.0.1.
fn parse_address(argument: &str) -> anyhow::Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = argument.to_socket_addrs()?.collect();
    addresses
        .iter()
        .find(|address| address.ip() == Ipv4Addr::LOCALHOST)
        .or(addresses.first())
        .copied()
        .context("it has no address")
}

/// Accepts an empty path as well, unlike clap's own parser.
fn parse_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

fn parse_pair(argument: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = argument
        .split_once('=')
        .context("it must be in the form 'key=value'")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn parse_count(argument: &str) -> anyhow::Result<usize> {
    match argument.parse()? {
        0 => bail!("it must be at least 1"),
        count => Ok(count),
    }
}

/// A time such as `30s`, `500ms` or `1m 30s`; a number alone is of seconds, as Spin has it.
fn parse_duration(argument: &str) -> anyhow::Result<Duration> {
    match argument.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        // Spin writes the Greek letter, `humantime` the micro sign.
        Err(_) => Ok(humantime::parse_duration(&argument.replace('μ', "µ"))?),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        options: UpOptions,
    }

    fn parse(arguments: &[&str]) -> Result<UpOptions, clap::Error> {
        let arguments = ["up"].iter().chain(arguments);
        Command::try_parse_from(arguments).map(|command| command.options)
    }

    #[test]
    fn the_default_is_what_an_empty_command_line_means() {
        assert_eq!(parse(&[]).unwrap(), UpOptions::default());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(parse_duration("2").unwrap(), Duration::from_secs(2));
        assert_eq!(parse_duration("2s").unwrap(), Duration::from_secs(2));
        assert_eq!(parse_duration("2ms").unwrap(), Duration::from_millis(2));
        assert_eq!(parse_duration("2μs").unwrap(), Duration::from_micros(2));
        assert_eq!(parse_duration("2ns").unwrap(), Duration::from_nanos(2));
        assert_eq!(parse_duration("1m 5s").unwrap(), Duration::from_secs(65));
        for wrong in ["", "s", "-1s", "2 2", "soon"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn connections_leave_descriptors_for_the_store() {
        assert_eq!(connections_within(1024), 768);
        assert_eq!(
            connections_within(u64::MAX) / 1024,
            usize::MAX / 4 * 3 / 1024
        );
    }

    #[test]
    fn flags_are_those_of_spin_up() {
        let options = parse(&[
            "-f",
            "app",
            "--listen",
            "localhost:0",
            "--state-dir",
            "state",
            "--variable",
            "a=b",
            "-e",
            "K=V",
            "--key-value",
            "x=y",
            "-q",
            "-L",
            "logs",
            "--max-instance-memory",
            "1000000",
            "--max-instance-reuse-count",
            "7",
            "--idle-instance-timeout",
            "500ms",
            "--request-timeout",
            "5",
            "--runtime-config-file",
            "r.toml",
            "--build",
        ])
        .unwrap();
        assert_eq!(options.listen, "127.0.0.1:0".parse().unwrap());
        assert_eq!(options.env, [("K".to_owned(), "V".to_owned())]);
        assert_eq!(options.request_timeout, Duration::from_secs(5));
        assert_eq!(options.max_instance_reuse_count, 7);
    }

    #[test]
    fn nonsense_is_refused() {
        for arguments in [
            ["--max-instance-reuse-count", "0"],
            ["--variable", "novalue"],
            ["-e", "novalue"],
            ["--listen", "3000"],
            ["--nonsense", "x"],
        ] {
            assert!(parse(&arguments).is_err(), "{arguments:?}");
        }
    }
}
