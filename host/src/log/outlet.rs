//! Standard output and standard error, written without making requests wait.
//!
//! A write to a full pipe waits until the other end is read. So one thread writes for all
//! others, which only queue their lines. If the queue is full a line is dropped. The dropped
//! lines are counted, and reported as soon as the pipe is read again.
//!
//! Written here, and not by a crate: `tracing-appender` bounds its queue by a number of
//! lines, of whatever length, and doesn't say when a line has left the process.

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The most bytes that wait to be written.
const MAX_QUEUE: usize = 1 << 20;

/// How long a request waits for its line to be written. After that no request waits until
/// another line has been written.
const MAX_DELAY: Duration = Duration::from_millis(50);

/// How long the last lines may take if no request has waited for them.
const MAX_CLOSING: Duration = Duration::from_secs(1);

/// How long to wait where a pipe was made to fail instead of waiting.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// One of the two streams.
pub struct Outlet {
    queue: Arc<Queue>,
    /// How many bytes have been written, or could not be.
    written: watch::Receiver<u64>,
    /// Tells that the thread has ended.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    /// The other end of the pipe is not read.
    is_stuck: AtomicBool,
}

#[derive(Default)]
struct State {
    lines: Vec<u8>,
    /// How many bytes have been queued since the beginning.
    end: u64,
    dropped: u64,
    is_closed: bool,
}

impl Outlet {
    /// Writes to `stream`, which is called `name`. Reports dropped lines to `reports`, or to
    /// the stream itself if that is none.
    pub fn new(
        name: &'static str,
        stream: impl Write + Send + 'static,
        reports: Option<Arc<Outlet>>,
    ) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Queue::default());
        let (written, watched) = watch::channel(0);
        let (ending, ended) = mpsc::channel();
        let thread = Thread {
            name,
            queue: queue.clone(),
            written,
            reports,
            stream,
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                thread.run();
                ending.send(()).ok();
            })?;
        Ok(Arc::new(Self {
            queue,
            written: watched,
            ended: Mutex::new(ended),
        }))
    }

    /// Queues a line, which ends with its newline, or drops it if there is no room. Returns
    /// where the queue ends now.
    pub fn write(&self, line: &[u8]) -> u64 {
        let mut state = self.queue.lock();
        if state.lines.len() + line.len() > MAX_QUEUE {
            state.dropped += 1;
        } else {
            state.lines.extend_from_slice(line);
            state.end += line.len() as u64;
            self.queue.filled.notify_one();
        }
        state.end
    }

    /// Waits until everything up to `end` is written, unless the pipe is not read.
    pub async fn written(&self, end: u64) {
        if *self.written.borrow() >= end || self.queue.is_stuck.load(Ordering::Relaxed) {
            return;
        }
        let mut written = self.written.clone();
        let written = written.wait_for(|written| *written >= end);
        if timeout(MAX_DELAY, written).await.is_err() {
            self.queue.is_stuck.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until everything is written, for so long at the most.
    pub async fn flush(&self, max: Duration) {
        let end = self.queue.lock().end;
        let mut written = self.written.clone();
        let written = written.wait_for(|written| *written >= end);
        timeout(max, written).await.ok();
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.queue.lock().is_closed = true;
        self.queue.filled.notify_one();
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        ended.recv_timeout(MAX_CLOSING).ok();
    }
}

impl Queue {
    // A std mutex: nothing is written while it is held.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes.
struct Thread<W> {
    name: &'static str,
    queue: Arc<Queue>,
    written: watch::Sender<u64>,
    reports: Option<Arc<Outlet>>,
    stream: W,
}

impl<W: Write> Thread<W> {
    fn run(mut self) {
        let mut dropped = 0;
        while let Some((lines, more)) = self.next() {
            dropped += more;
            match self.write(&lines) {
                Ok(()) => {
                    self.queue.is_stuck.store(false, Ordering::Relaxed);
                    if dropped > 0 {
                        self.report(dropped);
                        dropped = 0;
                    }
                }
                // Its disk is full, or its reader is gone.
                Err(_) => {
                    dropped += lines.iter().filter(|byte| **byte == b'\n').count() as u64;
                }
            }
            self.written
                .send_modify(|written| *written += lines.len() as u64);
        }
    }

    /// The next lines, and how many were dropped after them. Nothing when there will be no
    /// more.
    fn next(&self) -> Option<(Vec<u8>, u64)> {
        let mut state = self.queue.lock();
        while state.lines.is_empty() {
            if state.is_closed {
                return None;
            }
            let filled = self.queue.filled.wait(state);
            state = filled.unwrap_or_else(PoisonError::into_inner);
        }
        let dropped = std::mem::take(&mut state.dropped);
        Some((std::mem::take(&mut state.lines), dropped))
    }

    fn write(&mut self, mut lines: &[u8]) -> io::Result<()> {
        while !lines.is_empty() {
            match self.stream.write(lines) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => lines = &lines[written..],
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A parent process may have made the pipe so.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    thread::sleep(RETRY_INTERVAL)
                }
                Err(error) => return Err(error),
            }
        }
        self.stream.flush()
    }

    fn report(&mut self, dropped: u64) {
        let name = self.name;
        let (lines, were) = match dropped {
            1 => ("line", "was"),
            _ => ("lines", "were"),
        };
        let report = format!("{dropped} {lines} for {name} {were} dropped, as nobody read it\n");
        match &self.reports {
            Some(reports) => {
                reports.write(report.as_bytes());
            }
            None => {
                self.write(report.as_bytes()).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// A pipe that takes so many writes before it is full.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(bytes.to_owned());
            sent.map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pipe(room: usize) -> (Pipe, Receiver<Vec<u8>>) {
        let (sender, receiver) = sync_channel(room);
        (Pipe(sender), receiver)
    }

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn a_line_has_left_when_its_writer_goes_on() {
        let (stream, reader) = pipe(1);
        let outlet = Outlet::new("a", stream, None).unwrap();
        let end = outlet.write(b"line\n");
        outlet.written(end).await;
        assert_eq!(text(reader.try_recv().unwrap()), "line\n");
    }

    #[tokio::test]
    async fn nobody_waits_for_a_reader_who_is_away_and_is_told_later_of_dropped_lines() {
        let (stream, reader) = pipe(0);
        let (reports, reported) = pipe(9);
        let reports = Outlet::new("b", reports, None).unwrap();
        let outlet = Outlet::new("a", stream, Some(reports)).unwrap();
        let line = [vec![b'x'; 64 << 10], vec![b'\n']].concat();
        let lines = 3 * MAX_QUEUE / line.len();
        for _ in 0..lines {
            let end = outlet.write(&line);
            outlet.written(end).await;
        }
        let mut received = 0;
        let is_line = |byte: &&u8| **byte == b'\n';
        while let Ok(bytes) = reader.recv_timeout(Duration::from_secs(1)) {
            received += bytes.iter().filter(is_line).count();
        }
        assert!(received < lines);
        let expected = format!(
            "{} lines for a were dropped, as nobody read it\n",
            lines - received
        );
        assert_eq!(text(reported.recv().unwrap()), expected);
    }

    #[test]
    fn the_last_lines_are_written_when_it_is_dropped() {
        let (stream, reader) = pipe(1);
        let outlet = Outlet::new("a", stream, None).unwrap();
        outlet.write(b"last\n");
        drop(outlet);
        assert_eq!(text(reader.try_recv().unwrap()), "last\n");
    }

    #[test]
    fn it_does_not_wait_for_ever_for_a_reader_who_is_away() {
        let (stream, _reader) = pipe(0);
        let outlet = Outlet::new("a", stream, None).unwrap();
        outlet.write(b"last\n");
        drop(outlet);
    }
}
