//! A host under torture: a process that can be killed and started again.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use edge_host::UpOptions;

use crate::power;
use crate::random::Random;

/// Where the manifest expects the components, and where the build leaves it.
const COMPONENTS: [&str; 5] = [
    "target/wasm32-wasip1/release/edge_users.wasm",
    "target/wasm32-wasip1/release/edge_users_groups.wasm",
    "target/wasm32-wasip1/release/edge_users_rpc.wasm",
    "target/wasm32-wasip1/release/edge_users_scim.wasm",
    "target/wasm32-wasip1/release/edge_users_admin.wasm",
];

/// Everybody may ask, also by an attribute.
const VARIABLES: [&str; 2] = ["auth=off", "indexed_attributes=a"];

/// The test that is a host, and what it is told by environment variables.
const KNOWN_HOST: &str = "host::a_host_whose_log_is_known";
const ADDRESS: &str = "TORTURE_HOST_ADDRESS";
const FROM: &str = "TORTURE_HOST_FROM";
const STATE: &str = "TORTURE_HOST_STATE";

#[test]
#[ignore = "it is no test: make torture starts it as a host"]
fn a_host_whose_log_is_known() {
    let Ok(address) = std::env::var(ADDRESS) else {
        return;
    };
    let state = PathBuf::from(std::env::var_os(STATE).expect("it is set with the address"));
    fs::create_dir_all(&state).expect("the directory can be made");
    let options = UpOptions {
        from: std::env::var_os(FROM).expect("it is set, too").into(),
        listen: address.parse().expect("an address"),
        variables: VARIABLES
            .map(|variable| variable.parse().expect("a name and a value"))
            .to_vec(),
        state_dir: Some(state.clone()),
        ..UpOptions::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let sync = power::sync(&state).expect("the note can be written");
        let host = edge_host::Host::start_syncing(options, sync).await;
        let host = host.expect("a host starts");
        println!("{}", host.summary());
        std::future::pending::<()>().await
    });
}

/// The files of one run, in a directory of its own.
pub struct Place {
    pub directory: PathBuf,
}

impl Place {
    /// Copies the program, the components and the manifest: a build that goes on
    /// meanwhile must not change the service half-way.
    pub fn prepare() -> io::Result<Place> {
        let name = format!("edge-users-torture-{}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for component in COMPONENTS {
            let copied = directory.join(component);
            fs::create_dir_all(copied.parent().expect("it has directories"))?;
            copy(&root.join(component), &copied)?;
        }
        copy(&root.join("spin.toml"), &directory.join("spin.toml"))?;
        // Cargo puts tests into a directory beside the programs.
        let this = std::env::current_exe()?;
        let programs = this.ancestors().nth(2).expect("target/PROFILE/deps");
        copy(&programs.join("edge-host"), &directory.join("edge-host"))?;
        Ok(Place { directory })
    }

    /// Starts a host at `address` with these flags in addition, and returns once it serves.
    pub fn start(&self, address: SocketAddr, flags: &[&OsStr]) -> io::Result<Host> {
        let mut command = Command::new(self.directory.join("edge-host"));
        command
            .arg("up")
            .arg("--from")
            .arg(&self.directory)
            .args(["--listen", &address.to_string()])
            .args(VARIABLES.map(|variable| ["--variable", variable]).concat())
            .args(flags);
        self.spawn(command)
    }

    fn spawn(&self, mut command: Command) -> io::Result<Host> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn()?;
        let stdout = child.stdout.take().expect("it was asked for");
        let mut host = Host(child);
        // It says where it serves once it does.
        let mut lines = BufReader::new(stdout).lines();
        if !lines.any(|line| line.is_ok_and(|line| line.starts_with("Serving"))) {
            host.kill()?;
            return Err(io::Error::other(format!(
                "the host ended before it served: see {}",
                self.log().display()
            )));
        }
        // Its later output is read, so that it never waits for a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Ok(host)
    }

    /// Starts a host at `address` whose log [`power`] knows, with its state in `state`: it is this
    /// program itself. Returns once it serves.
    pub fn start_known(&self, address: SocketAddr, state: &Path) -> io::Result<Host> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--exact", KNOWN_HOST, "--ignored", "--nocapture"])
            .env(ADDRESS, address.to_string())
            .env(FROM, &self.directory)
            .env(STATE, state);
        self.spawn(command)
    }

    /// What to say of a host that nobody ended.
    pub fn ended_by_itself(&self) -> Box<dyn Error> {
        format!("a host ended by itself: see {}", self.log().display()).into()
    }

    /// The output of the hosts and the component on standard error.
    pub fn log(&self) -> PathBuf {
        self.directory.join("host.log")
    }

    pub fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(self.directory)
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let copied = fs::copy(from, to).map_err(|error| {
        let from = from.display();
        io::Error::other(format!("{from}: {error}; `make build` makes it"))
    });
    copied.map(|_| ())
}

/// An address whose port is outside of the range from which systems take ports
/// for clients: one of ours could get it while the host is down, and even be
/// connected to itself by it.
pub fn free_address(random: &mut Random) -> io::Result<SocketAddr> {
    let mut tries = 100;
    loop {
        let port = 20_000 + random.below(12_000) as u16;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) if tries == 0 => return Err(error),
            Err(_) => tries -= 1,
        }
    }
}

/// A running host, which ends with this.
pub struct Host(Child);

impl Host {
    /// Kills the process with SIGKILL, and returns when it has ended.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(|_| ())
    }

    /// Stops the process with SIGTERM, and returns when it has ended. Fails if it does not end
    /// well, or takes longer than `limit`.
    pub fn stop(&mut self, limit: Duration) -> io::Result<()> {
        let id = self.0.id().to_string();
        Command::new("kill").args(["-s", "TERM", &id]).status()?;
        let deadline = Instant::now() + limit;
        loop {
            match self.0.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(io::Error::other(format!("a host ended: {status}"))),
                None if Instant::now() > deadline => {
                    return Err(io::Error::other("a host does not stop"));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Whether it ended by itself.
    pub fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.0.try_wait()?.is_some())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
