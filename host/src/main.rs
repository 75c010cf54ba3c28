//! The command line: `edge-host up`, `backup` and `restore`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use edge_host::{Host, Restored, UpOptions};
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
    /// Write the users of this moment to a file, while hosts serve them
    Backup(Copy),
    /// Replace the users by those of a backup. Hosts must be stopped before
    Restore(Copy),
}

/// A database and its backup.
#[derive(clap::Args)]
struct Copy {
    /// The backup
    file: PathBuf,

    /// The SQLite file of the key-value store
    #[arg(long, value_name = "FILE", default_value = ".spin/sqlite_key_value.db")]
    database: PathBuf,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Up(options) => run(*options),
        Command::Backup(copy) => back_up(&copy),
        Command::Restore(copy) => restore(&copy),
    };
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

fn back_up(Copy { file, database }: &Copy) -> anyhow::Result<()> {
    let keys = edge_host::back_up(database, file)?;
    say(&format!("Backed up {keys} keys to {file:?}."));
    Ok(())
}

fn restore(Copy { file, database }: &Copy) -> anyhow::Result<()> {
    let Restored { keys, former } = edge_host::restore(file, database)?;
    say(&format!("Restored {keys} keys to {database:?}."));
    if let Some(former) = former {
        say(&format!(
            "The former database is {former:?}: delete it when you don't need it any more."
        ));
    }
    Ok(())
}

/// Prints a line. It is no failure if the output is not read.
fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").ok();
}

fn run(options: UpOptions) -> anyhow::Result<()> {
    // Shells give a process 1,024 file descriptors and let it have more; a connection
    // takes one. Where it can't have more, there are fewer connections.
    rlimit::increase_nofile_limit(u64::MAX).ok();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .on_thread_start(edge_host::prepare_thread)
        .build()?
        .block_on(up(options))
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
