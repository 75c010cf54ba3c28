//! The command line: `edge-users sync`, `import`, `export` and `token`, for people
//! who work with an edge-users service, wherever it runs.
//!
//! # Layout
//!
//! * `options`: the options of `sync`, `import` and `export`.
//! * `kind`: users, or groups.
//! * `import`: a file, cut into batches for several connections.
//! * `batch`: lines on their way, and the state of each.
//! * `sending`: the requests that a batch takes, and the look-ups of lines in doubt.
//! * `export`: all users or groups, to a file.
//! * `sync`: a directory in step with a file.
//! * `service`, `connection`: requests, and how they get there.
//! * `answer`: lines in answers, problem documents, and failures.
//! * `backoff`: pauses between attempts, and their number.
//! * `progress`: the progress that a person sees.
//! * `token`: secrets for the callers of a service.

mod answer;
mod backoff;
mod batch;
mod connection;
mod export;
mod import;
mod kind;
mod options;
mod progress;
mod sending;
mod service;
mod sync;
mod token;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use options::{ExportOptions, ImportOptions, SyncOptions};
use printable::Printable;
use token::{NewToken, NewTokenOptions};

/// Works with an edge-users service
#[derive(Parser)]
#[command(name = "edge-users", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make, change and end users, so that a running service is as a file says
    Sync(SyncOptions),
    /// Send users, or groups, to a running service
    Import(ImportOptions),
    /// Get all users, or groups, from a running service
    Export(ExportOptions),
    /// Tokens for the callers of a service
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token, and print its secret and the line for the variable tokens
    New(NewTokenOptions),
}

/// The outcome as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Everything was done.
    Complete = 0,
    /// Everything was tried, and the service refused some lines.
    Refused = 1,
    /// Something was left undone, or it is not known whether it was done.
    Incomplete = 2,
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let failure = match command {
        Command::Token(_) => ExitCode::FAILURE,
        Command::Sync(_) | Command::Import(_) | Command::Export(_) => {
            ExitCode::from(Outcome::Incomplete as u8)
        }
    };
    let result = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(run(command)));
    match result {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(error) => {
            // One line, whatever the causes were written like.
            let message = format!("{error:#}");
            let lines: Vec<&str> = message.lines().map(str::trim).collect();
            let line = lines.join(" ");
            // Not eprintln!, which panics when standard error is closed.
            writeln!(std::io::stderr(), "Error: {}", Printable(&line)).ok();
            failure
        }
    }
}

async fn run(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Sync(options) => sync::sync(options).await,
        Command::Import(options) => import::import(options).await,
        Command::Export(options) => export::export(options).await,
        Command::Token(TokenCommand::New(options)) => {
            new_token(&options).map(|()| Outcome::Complete)
        }
    }
}

/// Fails if the secret can't be printed, as it would be lost.
fn new_token(options: &NewTokenOptions) -> anyhow::Result<()> {
    let token = NewToken::make(options)?;
    let mut stdout = std::io::stdout().lock();
    write!(stdout, "{token}").and_then(|()| stdout.flush())?;
    Ok(())
}
