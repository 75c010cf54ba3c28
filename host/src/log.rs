//! Where the host and the components write what is worth reading.
//!
//! * *Standard output* has the lines that components print there, as they are: their audit
//!   trails, for example. Others may read it by program.
//! * *Standard error* has what the host reports, and what components print there, behind
//!   their ids.
//! * *Files*, if asked for, have all lines of components, as Spin writes them.
//!
//! The first two never keep anybody waiting, see [`outlet`].

mod instance_output;
mod outlet;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use printable::{Printable, printed};

use instance_output::InstanceOutput;
use outlet::Outlet;

/// How long the last lines may take when the host stops.
const MAX_FLUSH: Duration = Duration::from_secs(1);

/// The log of a host.
#[derive(Clone, Debug)]
pub struct Log {
    /// The standard output for components; none if it is discarded.
    stdout: Option<Arc<Outlet>>,
    stderr: Arc<Outlet>,
    quiet: bool,
    directory: Option<PathBuf>,
}

impl Log {
    /// A log that keeps what components print from standard error if `quiet`, and from
    /// standard output if `discard_stdout`, and writes it to files in `directory` too, if
    /// given.
    pub fn new(
        quiet: bool,
        discard_stdout: bool,
        directory: Option<&Path>,
    ) -> anyhow::Result<Self> {
        if let Some(directory) = directory {
            fs::create_dir_all(directory).with_context(|| {
                format!("cannot create the log directory {}", directory.display())
            })?;
        }
        let stderr = Outlet::new("standard error", io::stderr(), None)?;
        let stdout = (!discard_stdout)
            .then(|| Outlet::new("standard output", io::stdout(), Some(stderr.clone())))
            .transpose()?;
        Ok(Self {
            stdout,
            stderr,
            quiet,
            directory: directory.map(Path::to_owned),
        })
    }

    /// Reports something of the host's own. `quiet` doesn't silence it, as it is
    /// only ever used for what should not have happened.
    pub fn line(&self, message: fmt::Arguments<'_>) {
        let message = message.to_string().replace('\n', " ");
        self.stderr
            .write(format!("{}\n", Printable(&message)).as_bytes());
    }

    /// Waits until all lines are written, or nobody seems to read them.
    pub async fn flush(&self) {
        for outlet in self.stdout.iter().chain([&self.stderr]) {
            outlet.flush(MAX_FLUSH).await;
        }
    }

    /// The log of the component `id`.
    pub fn component(&self, id: &str) -> anyhow::Result<ComponentLog> {
        let open = |stream: &str| {
            let directory = self.directory.as_deref();
            let path = directory.map(|directory| directory.join(format!("{id}_{stream}.txt")));
            path.map(|path| LogFile::open(path, self.clone()))
                .transpose()
        };
        Ok(ComponentLog {
            stdout: Sink {
                outlet: self.stdout.clone(),
                prefix: None,
                file: open("stdout")?,
            },
            stderr: Sink {
                outlet: (!self.quiet).then(|| self.stderr.clone()),
                prefix: Some(format!("[{id}] ").into()),
                file: open("stderr")?,
            },
        })
    }
}

/// Where what a component prints goes.
#[derive(Debug)]
pub struct ComponentLog {
    stdout: Sink,
    stderr: Sink,
}

impl ComponentLog {
    /// The standard output of a new instance.
    pub fn stdout(&self) -> InstanceOutput {
        InstanceOutput::new(&self.stdout)
    }

    /// The standard error of a new instance.
    pub fn stderr(&self) -> InstanceOutput {
        InstanceOutput::new(&self.stderr)
    }
}

/// Where the lines of one stream go.
#[derive(Clone, Debug)]
struct Sink {
    outlet: Option<Arc<Outlet>>,
    /// What each line begins with, for people to read. Without one, lines leave as they are.
    prefix: Option<Arc<str>>,
    file: Option<Arc<LogFile>>,
}

impl Sink {
    /// Writes a line, which ends with its newline. Returns where in the outlet it ends.
    fn write_line(&self, line: &[u8]) -> u64 {
        if let Some(file) = &self.file {
            file.write(line);
        }
        match (&self.outlet, &self.prefix) {
            (None, _) => 0,
            (Some(outlet), None) => outlet.write(line),
            (Some(outlet), Some(prefix)) => {
                let text = line.strip_suffix(b"\n").unwrap_or(line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                outlet.write(format!("{prefix}{}\n", printed(text)).as_bytes())
            }
        }
    }
}

/// A file of lines. That it can't be written, as its disk is full, is reported, and is no
/// reason to fail a request: the component isn't told.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    log: Log,
    failures: Mutex<Seldom>,
}

impl LogFile {
    fn open(path: PathBuf, log: Log) -> anyhow::Result<Arc<Self>> {
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let file = file.with_context(|| format!("cannot open the log file {}", path.display()))?;
        Ok(Arc::new(Self {
            path,
            file,
            log,
            failures: Mutex::default(),
        }))
    }

    fn write(&self, line: &[u8]) {
        let Err(error) = (&self.file).write_all(line) else {
            return;
        };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.is_due() {
            let path = self.path.display();
            self.log
                .line(format_args!("cannot write to the log file {path}: {error}"));
        }
    }
}

/// Tells when something that happens often is worth another line.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Option<Instant>,
}

impl Seldom {
    /// Whether it is: the first time, and then once a minute.
    pub fn is_due(&mut self) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        let is_due = self.last.is_none_or(|last| last.elapsed() >= MINUTE);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}
