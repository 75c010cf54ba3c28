//! The options of `edge-users import` and `edge-users export`.

use std::path::PathBuf;

const EXIT_CODES_OF_IMPORT: &str = "\
Each line of FILE is a user as POST /users takes it; id, created_at and updated_at are ignored.
Blank lines are skipped, and so is the line that ends an export. Lines that the service refuses
are told on standard error.

A line that was sent and not answered may have been imported. With an email or a username it is sent
again, and who has that is looked up; without both that could make a user twice, so it is only told.

Exit codes:
  0  every line made a user
  1  every line was tried, and the service refused some
  2  some lines were not imported, or may have been: standard error tells which";

const EXIT_CODES_OF_EXPORT: &str = "\
A file is written beside FILE first, and takes its name when it is complete.

Exit codes:
  0  all users were written
  2  not all of them";

/// The options of `edge-users import`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES_OF_IMPORT)]
pub struct ImportOptions {
    /// The users, a JSON object a line; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How many requests to send at the same time; with 1, ids are in the order of the lines
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,

    /// Send nothing if the service has users
    #[arg(long)]
    pub if_empty: bool,

    #[command(flatten)]
    pub service: ServiceOptions,
}

/// The options of `edge-users export`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES_OF_EXPORT)]
pub struct ExportOptions {
    /// The file for the users, a JSON object a line [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub service: ServiceOptions,
}

/// The service, and how to talk to it.
#[derive(Clone, Debug, clap::Args)]
pub struct ServiceOptions {
    /// The URL of the service
    #[arg(
        long,
        env = "EDGE_USERS_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:3000"
    )]
    pub url: String,

    /// A file with the bearer token for the service [default: the environment variable
    /// EDGE_USERS_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// How often to try again, with growing pauses, while nothing succeeds
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    pub retries: u32,

    /// Show neither progress nor a summary
    #[arg(short, long)]
    pub quiet: bool,
}
