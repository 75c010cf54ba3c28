//! The metrics that every process has, by the names that Prometheus' clients give them.

use std::sync::{Mutex, PoisonError};

use prometheus::{Counter, IntGauge};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::metrics::gauge;
use super::registration::Registration;

/// What the operating system says of this process.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    system: Mutex<System>,
    start_time: IntGauge,
    cpu: Counter,
    memory: IntGauge,
    open_files: IntGauge,
    max_open_files: IntGauge,
}

impl Process {
    /// Of this process; none where the operating system does not tell.
    pub fn new(registration: &Registration) -> prometheus::Result<Option<Self>> {
        let (Ok(pid), Ok(system)) = (sysinfo::get_current_pid(), System::new()) else {
            return Ok(None);
        };
        let new = |name, help| registration.gauge(name, help);
        Ok(Some(Self {
            pid,
            system: Mutex::new(system),
            start_time: new(
                "process_start_time_seconds",
                "When the process started, in seconds since 1970.",
            )?,
            cpu: registration.add(Counter::new(
                "process_cpu_seconds_total",
                "Time of processors that the process has used.",
            ))?,
            memory: new(
                "process_resident_memory_bytes",
                "Memory of the machine that the process has.",
            )?,
            open_files: new("process_open_fds", "Open file descriptors.")?,
            max_open_files: new("process_max_fds", "The most open file descriptors.")?,
        }))
    }

    /// Asks the operating system.
    pub fn update(&self) {
        let mut system = self.system.lock().unwrap_or_else(PoisonError::into_inner);
        let which = ProcessesToUpdate::Some(&[self.pid]);
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(which, false, what);
        let Some(process) = system.process(self.pid) else {
            return;
        };
        self.start_time.set(process.start_time().cast_signed());
        let milliseconds = process.accumulated_cpu_time() as f64;
        let more = milliseconds / 1000.0 - self.cpu.get();
        self.cpu.inc_by(more.max(0.0));
        self.memory.set(process.memory().cast_signed());
        if let Some(count) = process.open_files() {
            self.open_files.set(gauge(count));
        }
        if let Some(count) = process.open_files_limit() {
            self.max_open_files.set(gauge(count));
        }
    }
}
