//! The options of `edge-users sync`, `edge-users import` and `edge-users export`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::sync::Limit;

const EXIT_CODES_OF_IMPORT: &str = "\
Each line of FILE is a user as POST /users takes it; id, created_at and updated_at are ignored.
With --groups it is a group with members, as POST /groups/import takes it: the group of that name is
changed, or made if there is none, and the members are added. To send it again changes nothing.
Blank lines are skipped, and so is the line that ends an export. Lines that the service refuses
are told on standard error.

A line that was sent and not answered may have been imported. With an email or a username it is sent
again, and who has that is looked up; without both that could make a user twice, so it is only told.

Exit codes:
  0  every line was imported
  1  every line was tried, and the service refused some
  2  some lines were not imported, or may have been: standard error tells which";

const EXIT_CODES_OF_EXPORT: &str = "\
A file is written beside FILE first, and takes its name when it is complete.

Exit codes:
  0  all users or groups were written
  2  not all of them";

const HELP_OF_SYNC: &str = "\
FILE is CSV in UTF-8 with a header, or NDJSON: a JSON object a line. A column is the member of its name:
name, email, username, external_id, active, or attributes.team for a member of the attributes;
attributes.level:number and :boolean for other kinds. Other columns are not used. --columns names the
columns instead: --columns 'Mail=email,Full name=name,Team=attributes.team'.

An empty cell removes the member, unless --keep-empty is given. Members without a column stay as they are.
A row whose email (or what --match says) an earlier row has is refused.

--delete and --deactivate are about users who have what --match says, and were there when the command
began. Nobody is ended if a line can't be used, or if more than a tenth of the users (and more than 5)
would be, unless --end-at-most allows it. With --deactivate, users in the file are switched on again, if
it does not say otherwise.

To run the command again, after whatever happened, does the rest.

Exit codes:
  0  the directory is as the file says
  1  some lines were refused: standard error tells which
  2  something was not done: standard error tells what";

/// The options of `edge-users sync`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = HELP_OF_SYNC)]
pub struct SyncOptions {
    /// The users, as CSV or NDJSON; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The member by which users are looked up
    #[arg(long = "match", value_enum, default_value_t = Match::Email)]
    pub matching: Match,

    /// The columns that are used, and the members that they are
    #[arg(long, value_name = "COLUMN=MEMBER,…")]
    pub columns: Option<String>,

    /// Delete users who are not in the file
    #[arg(long, conflicts_with = "deactivate")]
    pub delete: bool,

    /// Switch users off who are not in the file
    #[arg(long)]
    pub deactivate: bool,

    /// How many users may be deleted or deactivated: a number, or a part of all such as 25%
    /// [default: 10%, or 5 users]
    #[arg(long, value_name = "LIMIT")]
    pub end_at_most: Option<Limit>,

    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Let a member stay as it is where its cell is empty
    #[arg(long)]
    pub keep_empty: bool,

    /// The format of the file [default: by its name: .csv, .tsv, .ndjson, .jsonl]
    #[arg(long, value_enum)]
    pub format: Option<FileFormat>,

    /// The character between cells, or tab [default: a comma; a tab in .tsv]
    #[arg(long, value_name = "CHARACTER")]
    pub delimiter: Option<String>,

    /// How many requests to send at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,

    #[command(flatten)]
    pub service: ServiceOptions,
}

impl SyncOptions {
    /// Whether users are ended who are not in the file.
    pub fn ends(&self) -> bool {
        self.delete || self.deactivate
    }
}

/// The member by which users are looked up.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Match {
    Email,
    Username,
    #[value(name = "external_id")]
    ExternalId,
}

impl Match {
    /// The name of the member.
    pub fn name(self) -> &'static str {
        match self {
            Match::Email => "email",
            Match::Username => "username",
            Match::ExternalId => "external_id",
        }
    }
}

/// The format of a file of users.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FileFormat {
    Csv,
    Ndjson,
}

/// The options of `edge-users import`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES_OF_IMPORT)]
pub struct ImportOptions {
    /// The users or groups, a JSON object a line; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Import groups and their members, instead of users
    #[arg(long)]
    pub groups: bool,

    /// How many requests to send at the same time; with 1, ids are in the order of the lines
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub connections: u8,

    /// Send nothing if the service has users
    #[arg(long, conflicts_with = "groups")]
    pub if_empty: bool,

    #[command(flatten)]
    pub service: ServiceOptions,
}

/// The options of `edge-users export`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXIT_CODES_OF_EXPORT)]
pub struct ExportOptions {
    /// The file for the users or groups, a JSON object a line [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Export groups and their members, instead of users
    #[arg(long)]
    pub groups: bool,

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
