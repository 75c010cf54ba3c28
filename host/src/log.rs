//! The output of the host and of its components.
//!
//! * *Standard output* has the lines that components print there, as they are: their audit
//!   trails, for example. Others may read it by program.
//! * *Standard error* has the host's reports, and the components' lines there, each after the
//!   id of its component.
//! * *Files*, if asked for, have all lines of components, as Spin writes them.
//!
//! The first two never make a request wait, see [`outlet`].

mod outlet;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use printable::{Printable, printed};

use opentelemetry::logs::{AnyValue, LogRecord as _, Logger as _, Severity};
use opentelemetry_sdk::logs::SdkLogger;
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
    /// Sends the lines by OpenTelemetry's protocol, if that is asked for.
    otlp: Arc<OnceLock<SdkLogger>>,
}

impl Log {
    /// A log that drops the components' standard error if `quiet`, and their standard output if
    /// `discard_stdout`. It also writes both to files in `directory`, if given.
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
            otlp: Arc::default(),
        })
    }

    /// Reports something of the host's own. `quiet` doesn't silence it, as it is
    /// only used for failures.
    pub fn line(&self, message: fmt::Arguments<'_>) {
        let message = message.to_string().replace('\n', " ");
        if let Some(logger) = self.otlp.get() {
            let mut record = logger.create_log_record();
            record.set_severity_number(Severity::Warn);
            record.set_body(AnyValue::from(message.clone()));
            logger.emit(record);
        }
        self.stderr
            .write(format!("{}\n", Printable(&message)).as_bytes());
    }

    /// Sends all lines by OpenTelemetry's protocol, too.
    pub fn send_by(&self, logger: SdkLogger) {
        self.otlp.set(logger).ok();
    }

    /// Waits until all lines are written, or for [`MAX_FLUSH`].
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
        let lines = |stream| Lines {
            component: id.into(),
            stream,
            otlp: self.otlp.clone(),
        };
        Ok(ComponentLog {
            stdout: Sink {
                lines: lines("stdout"),
                outlet: self.stdout.clone(),
                prefix: None,
                file: open("stdout")?,
            },
            stderr: Sink {
                lines: lines("stderr"),
                outlet: (!self.quiet).then(|| self.stderr.clone()),
                prefix: Some(format!("[{id}] ").into()),
                file: open("stderr")?,
            },
        })
    }
}

/// The destinations of a component's output.
#[derive(Debug)]
pub struct ComponentLog {
    /// Its standard output.
    pub stdout: Sink,
    /// Its standard error.
    pub stderr: Sink,
}

/// The destination of the lines of one stream.
#[derive(Clone, Debug)]
pub struct Sink {
    lines: Lines,
    outlet: Option<Arc<Outlet>>,
    /// The beginning of each line, for people. Without one, lines are written as they are.
    prefix: Option<Arc<str>>,
    file: Option<Arc<LogFile>>,
}

impl Sink {
    /// Waits until everything up to `end` has left the process, unless nobody reads it.
    pub async fn written(&self, end: u64) {
        if let Some(outlet) = &self.outlet {
            outlet.written(end).await;
        }
    }

    /// Writes a line, which ends with its newline. Returns where in the outlet it ends.
    pub fn write_line(&self, line: &[u8]) -> u64 {
        if let Some(file) = &self.file {
            file.write(line);
        }
        self.lines.send(line);
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

/// Sends the lines of one stream by OpenTelemetry's protocol, if that is asked for.
#[derive(Clone, Debug)]
struct Lines {
    component: Arc<str>,
    stream: &'static str,
    otlp: Arc<OnceLock<SdkLogger>>,
}

impl Lines {
    fn send(&self, line: &[u8]) {
        let Some(logger) = self.otlp.get() else {
            return;
        };
        let text = String::from_utf8_lossy(line);
        let mut record = logger.create_log_record();
        record.set_severity_number(Severity::Info);
        record.set_body(AnyValue::from(text.trim_end().to_owned()));
        record.add_attribute("component_id", self.component.to_string());
        record.add_attribute("log.iostream", self.stream);
        logger.emit(record);
    }
}

/// A file of lines. If it can't be written, because the disk is full for example, the host
/// reports that. The component isn't told, so no request fails.
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

/// Limits how often an event that happens often is reported.
#[derive(Debug, Default)]
pub struct Seldom {
    last: Option<Instant>,
}

impl Seldom {
    /// Whether a report is due: the first time, and then once a minute.
    pub fn is_due(&mut self) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        let is_due = self.last.is_none_or(|last| last.elapsed() >= MINUTE);
        if is_due {
            self.last = Some(Instant::now());
        }
        is_due
    }
}
