//! The command line: `edge-host up`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use edge_host::{Host, UpOptions};
use printable::Printable;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Runs a Spin HTTP application on this machine, without Spin
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the application, until SIGINT or SIGTERM
    Up(Box<UpOptions>),
}

fn main() -> ExitCode {
    let Arguments {
        command: Command::Up(options),
    } = Arguments::parse();
    // Shells give a process 1,024 file descriptors and let it have more; a connection
    // takes one. Where it can't have more, there are fewer connections.
    rlimit::increase_nofile_limit(u64::MAX).ok();
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(edge_host::prepare_thread)
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(up(*options)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, even if one of the causes has several.
            let message = format!("{error:#}");
            let lines: Vec<&str> = message.lines().map(str::trim).collect();
            let line = lines.join(" ");
            // Not eprintln!, which panics when its pipe is closed.
            writeln!(std::io::stderr(), "Error: {}", Printable(&line)).ok();
            ExitCode::FAILURE
        }
    }
}

async fn up(options: UpOptions) -> anyhow::Result<()> {
    // Before anything is started: a signal that comes early must not be lost.
    let mut stop = stop_signal()?;
    let quiet = options.quiet;
    let host = tokio::select! {
        host = Host::start(options) => host?,
        _ = &mut stop => return Ok(()),
    };
    if !quiet {
        // It is no failure if the output is not read.
        let mut stdout = std::io::stdout().lock();
        write!(stdout, "{}", host.summary())
            .and_then(|()| stdout.flush())
            .ok();
    }
    stop.await.ok();
    host.shutdown().await
}

/// Comes with the first SIGINT or SIGTERM. The second ends the process at once: its sender
/// does not want to wait any longer, neither for requests nor for a component that is being
/// compiled.
fn stop_signal() -> anyhow::Result<oneshot::Receiver<()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let mut next = async || {
            // The exit code that shells have for a process that a signal ended.
            tokio::select! {
                _ = interrupt.recv() => 128 + SignalKind::interrupt().as_raw_value(),
                _ = terminate.recv() => 128 + SignalKind::terminate().as_raw_value(),
            }
        };
        next().await;
        stop.send(()).ok();
        std::process::exit(next().await);
    });
    Ok(stopped)
}
