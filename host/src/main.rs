//! The command line: `edge-host up`.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use edge_host::{Host, UpOptions};
use tokio::signal::unix::{SignalKind, signal};

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
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(up(*options)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, whatever the causes were written like.
            let message = format!("{error:#}");
            let lines: Vec<&str> = message.lines().map(str::trim).collect();
            eprintln!("Error: {}", lines.join(" "));
            ExitCode::FAILURE
        }
    }
}

async fn up(options: UpOptions) -> anyhow::Result<()> {
    // Before anything is started: a signal that comes early must not be lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let quiet = options.quiet;
    let host = tokio::select! {
        host = Host::start(options) => host?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    if !quiet {
        // Nobody needs to be listening.
        let mut stdout = std::io::stdout().lock();
        write!(stdout, "{}", host.summary())
            .and_then(|()| stdout.flush())
            .ok();
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    host.shutdown().await
}
