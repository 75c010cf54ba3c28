//! What `edge-host up` takes. Names, defaults and meaning are those of `spin up`.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser};

use crate::application::variable_source::VariableSource;
use crate::serve::server::Limits;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
const DEFAULT_MAX_INSTANCE_MEMORY: usize = 128 << 20;
const DEFAULT_MAX_CONNECTIONS: usize = 4096;
const DEFAULT_MAX_BODY_SIZE: u64 = 64 << 20;
const DEFAULT_CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// What `edge-host up` takes.
///
/// `Default` is what the command line means by saying nothing.
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

    /// Let everybody in even where others than this machine can: without it the host
    /// doesn't listen on such an address with auth=off
    #[arg(long)]
    pub allow_open: bool,

    /// Where state is kept, such as the default key-value store; empty for nowhere
    /// but in memory [default: .spin beside the manifest]
    #[arg(long, value_name = "DIRECTORY", value_parser = parse_path())]
    pub state_dir: Option<PathBuf>,

    /// Give the application's variables values; of several for the same variable the
    /// last counts
    #[arg(
        long = "variable",
        value_name = "KEY=VALUE | KEY=@FILE | @FILE.json | @FILE.toml"
    )]
    pub variables: Vec<VariableSource>,

    /// Where key-value stores are, and where variables get their values
    #[arg(long, env = "RUNTIME_CONFIG_FILE", value_name = "FILE")]
    pub runtime_config_file: Option<PathBuf>,

    /// Pass an environment variable to all components
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub env: Vec<(String, String)>,

    /// Put a value into the default key-value store
    #[arg(long = "key-value", value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub key_values: Vec<(String, String)>,

    /// Silence what components print, and the list of routes
    #[arg(short, long)]
    pub quiet: bool,

    /// Write what components print to files in this directory, too
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
    /// client gives way to a new one. Less if there are not enough file descriptors
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

    /// Compile components anew at each start
    // Of the variable anything but a no counts, such as the usual 1.
    #[arg(long, env = "DISABLE_WASMTIME_CACHE", value_parser = FalseyValueParser::new())]
    pub disable_cache: bool,

    /// Don't reserve memory for instances ahead of time
    #[arg(long)]
    pub disable_pooling: bool,

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
            state_dir: None,
            variables: Vec::new(),
            runtime_config_file: None,
            env: Vec::new(),
            key_values: Vec::new(),
            quiet: false,
            log_dir: None,
            max_instance_memory: None,
            max_instance_reuse_count: 128,
            max_instance_concurrent_reuse_count: 16,
            idle_instance_timeout: Duration::from_secs(1),
            request_timeout: Duration::from_secs(30),
            max_connections: DEFAULT_MAX_CONNECTIONS,
            client_timeout: DEFAULT_CLIENT_TIMEOUT,
            max_body_size: DEFAULT_MAX_BODY_SIZE,
            disable_cache: false,
            disable_pooling: false,
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

    /// What clients may ask of the server.
    pub(crate) fn limits(&self) -> Limits {
        // Where that can't be told, the limit is what was asked for.
        let descriptors = rlimit::getrlimit(rlimit::Resource::NOFILE);
        let (descriptors, _) = descriptors.unwrap_or((u64::MAX, u64::MAX));
        Limits {
            connections: self.max_connections.min(connections_within(descriptors)),
            patience: self.client_timeout,
            body: self.max_body_size,
        }
    }
}

/// The most connections that leave file descriptors for everything else.
fn connections_within(descriptors: u64) -> usize {
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    (descriptors / 4 * 3).max(1)
}

/// Takes names as well, and of several addresses prefers 127.0.0.1.
fn parse_address(argument: &str) -> anyhow::Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = argument.to_socket_addrs()?.collect();
    addresses
        .iter()
        .find(|address| address.ip() == Ipv4Addr::LOCALHOST)
        .or(addresses.first())
        .copied()
        .context("it has no address")
}

/// Takes an empty path as well, which clap by itself doesn't.
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

/// An integer with a unit: `s`, `ms`, `us`, `μs` or `ns`, and `s` if there is none.
fn parse_duration(argument: &str) -> anyhow::Result<Duration> {
    let digits = argument.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = digits
        .parse()
        .context("it must be a whole number and a unit, such as 30s or 500ms")?;
    Ok(match &argument[digits.len()..] {
        "" | "s" => Duration::from_secs(number),
        "ms" => Duration::from_millis(number),
        "us" | "μs" => Duration::from_micros(number),
        "ns" => Duration::from_nanos(number),
        unit => bail!("{unit:?} is no unit; there are s, ms, us and ns"),
    })
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
        for wrong in ["", "s", "2h", "-1s", "1.5s"] {
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
