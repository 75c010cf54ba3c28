//! The output streams of one instance of a component.
//!
//! A line leaves the host when it is durable what the line rests on. Instances write by calls that
//! wait for that before. What one writes without waiting is held, and a task lets it go.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::log::Sink;
use crate::store::Basis;

/// A line longer than this is written in pieces.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// What an instance writes beyond this without waiting for the disk is dropped.
const MAX_HELD: usize = 1 << 20;

/// One output stream of one instance, written line by line: the lines of several
/// instances interleave, their letters don't.
#[derive(Clone)]
pub struct InstanceOutput {
    basis: Arc<Basis>,
    line: Arc<Mutex<Line>>,
}

struct Line {
    sink: Sink,
    /// What may not leave yet.
    held: Vec<u8>,
    begun: Vec<u8>,
    /// Where in the outlet the last line ends.
    end: u64,
}

impl InstanceOutput {
    /// Of a new instance, which rests on `basis`; its lines go to `sink`.
    pub fn new(sink: &Sink, basis: &Arc<Basis>) -> Self {
        Self {
            basis: basis.clone(),
            line: Arc::new(Mutex::new(Line {
                sink: sink.clone(),
                held: Vec::new(),
                begun: Vec::new(),
                end: 0,
            })),
        }
    }

    fn write(&self, bytes: &[u8]) {
        let mut line = self.lock();
        if line.held.is_empty() && self.basis.is_durable() {
            line.write(bytes);
            return;
        }
        if line.held.is_empty() {
            let output = self.clone();
            tokio::spawn(async move { output.let_go().await });
        }
        if line.held.len() + bytes.len() <= MAX_HELD {
            line.held.extend_from_slice(bytes);
        }
    }

    /// Lets go what is held, once it is durable what that rests on. Where the disk fails, it is
    /// dropped, as is the response.
    async fn let_go(&self) {
        loop {
            let durable = self.basis.durable().await;
            let mut line = self.lock();
            // Something may have been written, to the store and then here, meanwhile.
            if durable.is_ok() && !line.held.is_empty() && !self.basis.is_durable() {
                continue;
            }
            let held = std::mem::take(&mut line.held);
            if durable.is_ok() {
                line.write(&held);
            }
            return;
        }
    }

    // A std mutex: nothing is awaited while it is held.
    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the next line may leave, and the last one has left the process. A component
    /// that prints a line before it does something can rely on that: the line is not lost with
    /// the host.
    async fn written(&self) {
        self.let_go().await;
        let (sink, end) = {
            let line = self.lock();
            (line.sink.clone(), line.end)
        };
        sink.written(end).await;
    }
}

impl Line {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.begun.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end = self.sink.write_line(&self.begun);
                self.begun.clear();
            } else if self.begun.len() >= MAX_LINE_BYTES {
                self.end();
            }
        }
    }

    fn end(&mut self) {
        if !self.begun.is_empty() {
            self.begun.push(b'\n');
            self.end = self.sink.write_line(&self.begun);
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
    async fn ready(&mut self) {
        self.written().await;
    }
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
