//! Where the host and the components write what is worth reading.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use printable::{Printable, printed};

/// A line longer than this is written in pieces.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// The log of a host: its standard error, and files if asked for.
#[derive(Clone, Debug)]
pub struct Log {
    quiet: bool,
    directory: Option<PathBuf>,
}

impl Log {
    /// A log that keeps what components print from standard error if `quiet`, and
    /// writes it to files in `directory` too, if given.
    pub fn new(quiet: bool, directory: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(directory) = directory {
            fs::create_dir_all(directory).with_context(|| {
                format!("cannot create the log directory {}", directory.display())
            })?;
        }
        Ok(Self {
            quiet,
            directory: directory.map(Path::to_owned),
        })
    }

    /// Reports something of the host's own. `quiet` doesn't silence it, as it is
    /// only ever used for what should not have happened.
    pub fn line(&self, message: fmt::Arguments<'_>) {
        // One write, so that lines of different threads don't mix. Nobody could be
        // told if it failed.
        let message = message.to_string().replace('\n', " ");
        let line = format!("{}\n", Printable(&message));
        io::stderr().write_all(line.as_bytes()).ok();
    }

    /// The log of the component `id`.
    pub fn component(&self, id: &str) -> anyhow::Result<ComponentLog> {
        let open = |stream: &str| {
            self.directory
                .as_deref()
                .map(|directory| {
                    let path = directory.join(format!("{id}_{stream}.txt"));
                    OpenOptions::new()
                        .create(true)
                        .append(true)
                        .open(&path)
                        .with_context(|| format!("cannot open the log file {}", path.display()))
                })
                .transpose()
        };
        let prefix: Option<Arc<str>> = (!self.quiet).then(|| format!("[{id}] ").into());
        let sink = |file: Option<File>| Sink {
            prefix: prefix.clone(),
            file: file.map(Arc::new),
        };
        Ok(ComponentLog {
            stdout: sink(open("stdout")?),
            stderr: sink(open("stderr")?),
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

#[derive(Clone, Debug)]
struct Sink {
    /// What each line on the host's standard error begins with; none there if none.
    prefix: Option<Arc<str>>,
    file: Option<Arc<File>>,
}

impl Sink {
    /// Writes a line, which ends with its newline. That a log can't be written, as
    /// its disk is full or its reader gone, is no reason to fail a request: the
    /// component isn't told.
    fn write_line(&self, line: &[u8]) {
        if let Some(mut file) = self.file.as_deref() {
            file.write_all(line).ok();
        }
        if let Some(prefix) = &self.prefix {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            let prefixed = format!("{prefix}{}\n", printed(text));
            io::stderr().write_all(prefixed.as_bytes()).ok();
        }
    }
}

/// One output stream of one instance, written line by line: the lines of several
/// instances interleave, their letters don't.
#[derive(Clone)]
pub struct InstanceOutput {
    line: Arc<Mutex<Line>>,
}

struct Line {
    sink: Sink,
    begun: Vec<u8>,
}

impl InstanceOutput {
    fn new(sink: &Sink) -> Self {
        Self {
            line: Arc::new(Mutex::new(Line {
                sink: sink.clone(),
                begun: Vec::new(),
            })),
        }
    }

    fn write(&self, bytes: &[u8]) {
        self.line
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes);
    }
}

impl Line {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.sink.write_line(&self.begun);
                self.begun.clear();
            } else if self.begun.len() >= MAX_LINE_BYTES {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            self.sink.write_line(&self.begun);
            self.begun.clear();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The last words of an instance often lack their newline.
        self.end();
    }
}

impl IsTerminal for InstanceOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for InstanceOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for InstanceOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        InstanceOutput::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_LINE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for InstanceOutput {
    async fn ready(&mut self) {}
}

impl AsyncWrite for InstanceOutput {
    fn poll_write(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
