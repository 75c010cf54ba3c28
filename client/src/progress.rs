//! The progress that a person sees.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use printable::Printable;

const BAR: &str = "{bar:32} {percent}%  {msg}  {elapsed} (~{eta} to go)";
const SPINNER: &str = "{spinner}  {msg}  {elapsed}";

/// A bar on standard error, if that is a terminal, and lines above it.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    quiet: bool,
}

impl Progress {
    /// Of this many bytes, if that is known.
    pub fn new(length: Option<u64>, quiet: bool) -> Self {
        let target = match quiet || !std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(length, target);
        let style = if length.is_some() { BAR } else { SPINNER };
        bar.set_style(ProgressStyle::with_template(style).expect("the template is well-formed"));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            begun: Instant::now(),
            quiet,
        }
    }

    /// That many bytes more are done, and this is how it stands.
    pub fn advance(&self, bytes: u64, message: impl Into<String>) {
        self.bar.inc(bytes);
        if !self.bar.is_hidden() {
            self.bar.set_message(message.into());
        }
    }

    /// Tells something that is worth a line, quiet or not.
    pub fn tell(&self, line: &str) {
        // Not eprintln!, which panics when standard error is closed.
        self.bar
            .suspend(|| writeln!(std::io::stderr(), "{}", Printable(line)))
            .ok();
    }

    /// Ends it with a summary.
    pub fn end(&self, summary: &str) {
        self.bar.finish_and_clear();
        if !self.quiet {
            let elapsed = self.begun.elapsed().as_secs_f64();
            self.tell(&format!("{summary}, in {elapsed:.1} s"));
        }
    }
}
