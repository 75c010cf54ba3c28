//! A host with a store of its own, whose power fails again and again.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::Progress;
use crate::faults::{Away, Faults};
use crate::host::{Host, Place, free_address};
use crate::load::Stage;
use crate::power;
use crate::random::Random;
use crate::target::Target;

/// Milliseconds between two kills: at least, and how many more at the most.
const KILL_AFTER: (u64, u64) = (200, 1800);

pub struct OneHost<'a> {
    place: &'a Place,
    address: SocketAddr,
    host: Host,
    random: Random,
    /// How often the failure took something away.
    losses: usize,
    faults: Faults,
}

impl OneHost<'_> {
    pub fn start<'a>(place: &'a Place, random: &mut Random) -> Result<OneHost<'a>, Box<dyn Error>> {
        let address = free_address(random)?;
        Ok(OneHost {
            place,
            address,
            host: start(place, address)?,
            random: random.fork(),
            losses: 0,
            faults: Faults {
                hosts: vec![Vec::new()],
                ..Faults::default()
            },
        })
    }

    fn kill_and_start(&mut self, stage: &Stage) -> Result<(), Box<dyn Error>> {
        if self.host.has_ended()? {
            return Err(self.place.ended_by_itself());
        }
        let from = stage.now();
        self.host.kill()?;
        let took = power::fail(&state(self.place), &mut self.random)?;
        self.losses += usize::from(took);
        self.host = start(self.place, self.address)?;
        let to = stage.now();
        self.faults.hosts[0].push(Away { from, to });
        Ok(())
    }
}

fn start(place: &Place, address: SocketAddr) -> std::io::Result<Host> {
    place.start_known(address, &state(place))
}

fn state(place: &Place) -> PathBuf {
    place.directory.join("state")
}

impl Target for OneHost<'_> {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn parts(&self) -> Vec<(String, String)> {
        vec![("one host".to_owned(), self.url())]
    }

    fn torment(
        &mut self,
        stage: &Stage,
        random: &mut Random,
        end: Instant,
        progress: &mut Progress,
    ) -> Result<(), Box<dyn Error>> {
        loop {
            let pause = KILL_AFTER.0 + random.below(KILL_AFTER.1 + 1);
            let next = Instant::now() + Duration::from_millis(pause);
            while Instant::now() < next.min(end) {
                let rest = next.min(end).saturating_duration_since(Instant::now());
                thread::sleep(rest.min(Duration::from_millis(100)));
                progress.show(stage, &self.harm_done());
            }
            if Instant::now() >= end {
                return Ok(());
            }
            self.kill_and_start(stage)?;
        }
    }

    fn recover(&mut self, stage: &Stage) -> Result<(), Box<dyn Error>> {
        self.kill_and_start(stage)
    }

    fn faults(&self) -> &Faults {
        &self.faults
    }

    fn harm_done(&self) -> String {
        let kills = self.faults.hosts[0].len();
        format!(
            "{kills} kills, {} of them took writes away that nobody had heard of",
            self.losses
        )
    }
}
