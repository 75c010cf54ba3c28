//! nginx before the hosts, as `deploy/nginx/nginx.conf` has it.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The addresses in the file: where nginx listens, and those of the hosts.
const LISTEN: &str = "127.0.0.1:3000";
const HOSTS: [&str; 3] = ["127.0.0.1:3001", "127.0.0.1:3002", "127.0.0.1:3003"];

/// Far longer than it takes to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running nginx, which ends with this.
pub struct Balancer(Child);

impl Balancer {
    /// Listens at `address`, and spreads the requests over `hosts`. Keeps its files in a
    /// directory of its own in `directory`.
    pub fn start(
        directory: &Path,
        address: SocketAddr,
        hosts: &[SocketAddr; 3],
    ) -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let config = fs::read_to_string(root.join("deploy/nginx/nginx.conf"))?;
        let directory = directory.join("nginx");
        fs::create_dir_all(&directory)?;
        let file = directory.join("nginx.conf");
        fs::write(&file, with_addresses(&config, address, hosts))?;
        let log = fs::File::create(directory.join("nginx.log"))?;
        let nginx = nginx()
            .arg("-p")
            .arg(&directory)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut balancer = Balancer(nginx);
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(address).is_err() {
            if balancer.0.try_wait()?.is_some() || Instant::now() > deadline {
                let log = directory.join("nginx.log");
                let text = format!("nginx does not start: see {}", log.display());
                return Err(io::Error::other(text));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(balancer)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Not SIGKILL, which its workers would outlive.
        let id = self.0.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        let _ = self.0.wait();
    }
}

/// The program, which Debian keeps where not everybody looks.
pub fn nginx() -> Command {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut nginx = Command::new("nginx");
    nginx.env("PATH", format!("{path}:/usr/sbin"));
    nginx
}

fn with_addresses(config: &str, address: SocketAddr, hosts: &[SocketAddr; 3]) -> String {
    let mut config = config.to_owned();
    for (written, host) in HOSTS.iter().zip(hosts) {
        assert!(config.contains(written), "nginx.conf has {written}");
        // So that no address is taken for one that was put in before.
        config = config.replace(&format!("server {written} "), &format!("server {host} "));
    }
    config.replace(&format!("listen {LISTEN};"), &format!("listen {address};"))
}
