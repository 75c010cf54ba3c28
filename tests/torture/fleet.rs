//! Three hosts on one Redis behind nginx. Hosts and Redis are killed and started again, Redis is
//! paused, and in the end the hosts are stopped one after the other, as for a new version.

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use crate::Progress;
use crate::balancer::{Balancer, nginx};
use crate::faults::{Away, Faults, LATE, RECOVERY};
use crate::history::Time;
use crate::host::{Host, Place, free_address};
use crate::load::Stage;
use crate::random::Random;
use crate::redis_server::RedisServer;
use crate::target::Target;

const HOSTS: usize = 3;

/// Milliseconds between two harms: at least, and how many more at the most.
const HARM_AFTER: (u64, u64) = (100, 1100);

/// Milliseconds that a process is away after it was killed, at the most.
const MAX_AWAY: u64 = 1500;

/// Milliseconds for which Redis is paused: longer than a host waits for it.
const PAUSE: (u64, u64) = (2500, 1500);

/// How long a host drains. Longer than nginx keeps a connection that nobody uses.
const DRAIN: &str = "2s";

/// How long a host may take to stop.
const STOP_TIME_LIMIT: Duration = Duration::from_secs(30);

/// How often to look whether something is to be done.
const TICK: Duration = Duration::from_millis(10);

/// Something that can be away.
#[derive(Default)]
struct Outage {
    /// Since when it is, and when it is to come back.
    now: Option<(Time, Instant)>,
}

impl Outage {
    fn begin(&mut self, from: Time, milliseconds: u64) {
        let back = Instant::now() + Duration::from_millis(milliseconds);
        self.now = Some((from, back));
    }

    /// When it began, if it is to end.
    fn is_due(&self, at_once: bool) -> Option<Time> {
        let (from, back) = self.now?;
        (at_once || back <= Instant::now()).then_some(from)
    }
}

struct Member {
    address: SocketAddr,
    host: Host,
    outage: Outage,
}

#[derive(Default)]
struct Counts {
    hosts_killed: usize,
    redis_killed: usize,
    redis_paused: usize,
    hosts_stopped: usize,
}

pub struct Fleet<'a> {
    place: &'a Place,
    config: PathBuf,
    members: Vec<Member>,
    redis: RedisServer,
    is_redis_paused: bool,
    redis_outage: Outage,
    address: SocketAddr,
    _balancer: Balancer,
    faults: Faults,
    counts: Counts,
}

/// Fails with the names of the packages if a program is missing.
pub fn check_programs() -> Result<(), String> {
    let redis = Command::new("redis-server");
    for (program, mut command, flag) in [
        ("redis-server", redis, "--version"),
        ("nginx", nginx(), "-v"),
    ] {
        let version = command.arg(flag).output();
        if !version.is_ok_and(|output| output.status.success()) {
            return Err(format!(
                "a fleet needs redis-server and nginx, and {program} is missing: \
                 apt-get install redis-server nginx-light"
            ));
        }
    }
    Ok(())
}

impl Fleet<'_> {
    pub fn start<'a>(place: &'a Place, random: &mut Random) -> Result<Fleet<'a>, Box<dyn Error>> {
        let data = place.directory.join("redis");
        fs::create_dir_all(&data)?;
        let redis = RedisServer::start(&data, &[]);
        let config = place.directory.join("runtime-config.toml");
        let url = redis.url();
        let store = format!("[key_value_store.default]\ntype = \"redis\"\nurl = \"{url}\"\n");
        fs::write(&config, store)?;
        let mut members = Vec::new();
        for _ in 0..HOSTS {
            let address = free_address(random)?;
            members.push(Member {
                address,
                host: start(place, &config, address)?,
                outage: Outage::default(),
            });
        }
        let address = free_address(random)?;
        let addresses = [0, 1, 2].map(|host: usize| members[host].address);
        let balancer = Balancer::start(&place.directory, address, &addresses)?;
        Ok(Fleet {
            place,
            config,
            members,
            redis,
            is_redis_paused: false,
            redis_outage: Outage::default(),
            address,
            _balancer: balancer,
            faults: Faults {
                hosts: vec![Vec::new(); HOSTS],
                is_fleet: true,
                ..Faults::default()
            },
            counts: Counts::default(),
        })
    }

    /// Does something to a host, or to Redis, unless it is away already.
    fn harm(&mut self, stage: &Stage, random: &mut Random) -> Result<(), Box<dyn Error>> {
        let from = stage.now();
        match random.below(10) {
            0..7 => {
                let host = random.below(HOSTS as u64) as usize;
                let member = &mut self.members[host];
                if member.outage.now.is_some() {
                    return Ok(());
                }
                if member.host.has_ended()? {
                    return Err(self.place.ended_by_itself());
                }
                member.host.kill()?;
                member.outage.begin(from, random.below(MAX_AWAY));
                self.counts.hosts_killed += 1;
            }
            _ if self.redis_outage.now.is_some() => {}
            7..9 => {
                self.redis.kill();
                self.redis_outage.begin(from, random.below(MAX_AWAY));
                self.counts.redis_killed += 1;
            }
            _ => {
                self.redis.signal("STOP");
                self.is_redis_paused = true;
                let pause = PAUSE.0 + random.below(PAUSE.1);
                self.redis_outage.begin(from, pause);
                self.counts.redis_paused += 1;
            }
        }
        Ok(())
    }

    /// Brings back what has been away for long enough; `at_once`, everything.
    fn mend(&mut self, stage: &Stage, at_once: bool) -> Result<(), Box<dyn Error>> {
        if let Some(from) = self.redis_outage.is_due(at_once) {
            match std::mem::take(&mut self.is_redis_paused) {
                true => self.redis.signal("CONT"),
                false => self.redis.restart(),
            }
            self.redis_outage.now = None;
            let to = stage.now();
            self.faults.store.push(Away { from, to });
        }
        for host in 0..HOSTS {
            if let Some(from) = self.members[host].outage.is_due(at_once) {
                self.start_again(stage, host, from)?;
                self.members[host].outage.now = None;
            }
        }
        Ok(())
    }

    /// Starts a host that has been away since `from`.
    fn start_again(
        &mut self,
        stage: &Stage,
        host: usize,
        from: Time,
    ) -> Result<(), Box<dyn Error>> {
        let member = &mut self.members[host];
        member.host = start(self.place, &self.config, member.address)?;
        let to = stage.now();
        self.faults.hosts[host].push(Away { from, to });
        Ok(())
    }

    /// Stops one host after the other, and starts it again.
    fn roll(&mut self, stage: &Stage) -> Result<(), Box<dyn Error>> {
        let begin = stage.now();
        for host in 0..HOSTS {
            let from = stage.now();
            self.members[host].host.stop(STOP_TIME_LIMIT)?;
            self.counts.hosts_stopped += 1;
            self.start_again(stage, host, from)?;
        }
        self.faults.rolling = Some(Away {
            from: begin,
            to: stage.now(),
        });
        Ok(())
    }
}

fn start(place: &Place, config: &std::path::Path, address: SocketAddr) -> std::io::Result<Host> {
    let arguments: [&OsStr; 4] = [
        "--runtime-config-file".as_ref(),
        config.as_os_str(),
        "--drain".as_ref(),
        DRAIN.as_ref(),
    ];
    place.start(address, &arguments)
}

impl Target for Fleet<'_> {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn parts(&self) -> Vec<(String, String)> {
        let hosts = self.members.iter().enumerate().map(|(number, member)| {
            let name = format!("host {} alone", number + 1);
            (name, format!("http://{}", member.address))
        });
        let whole = ("three hosts behind nginx".to_owned(), self.url());
        hosts.chain([whole]).collect()
    }

    fn torment(
        &mut self,
        stage: &Stage,
        random: &mut Random,
        end: Instant,
        progress: &mut Progress,
    ) -> Result<(), Box<dyn Error>> {
        let mut next = Instant::now();
        while Instant::now() < end {
            if next <= Instant::now() {
                self.harm(stage, random)?;
                let pause = HARM_AFTER.0 + random.below(HARM_AFTER.1);
                next = Instant::now() + Duration::from_millis(pause);
            }
            self.mend(stage, false)?;
            progress.show(stage, &self.harm_done());
            thread::sleep(TICK);
        }
        self.mend(stage, true)?;
        thread::sleep(RECOVERY);
        self.roll(stage)
    }

    fn recover(&mut self, stage: &Stage) -> Result<(), Box<dyn Error>> {
        for host in 0..HOSTS {
            let from = stage.now();
            self.members[host].host.kill()?;
            self.start_again(stage, host, from)?;
        }
        thread::sleep(LATE);
        Ok(())
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn harm_done(&self) -> String {
        let Counts {
            hosts_killed,
            redis_killed,
            redis_paused,
            hosts_stopped,
        } = self.counts;
        format!(
            "{hosts_killed} kills of hosts and {redis_killed} of Redis, {redis_paused} pauses of \
             Redis, {hosts_stopped} hosts stopped"
        )
    }
}
