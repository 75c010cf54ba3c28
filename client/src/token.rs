//! `edge-users token new`: a secret for a caller of edge-users, and the line that
//! makes the service know it.

use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow, ensure};
use clap::ValueEnum;
use edge_users_token::Secret;

/// The options of `edge-users token new`.
#[derive(Clone, Debug, clap::Args)]
pub struct NewTokenOptions {
    /// Its name, for the audit trail: letters, digits and any of -_.@
    #[arg(long, value_parser = parse_name)]
    name: String,

    /// Its scope; each scope includes the scopes before it
    #[arg(long, value_enum)]
    scope: Scope,

    /// Its expiry: a time from now, such as 90d or 12h, or a date, such as
    /// 2027-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_expiry)]
    expires: Option<SystemTime>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Reading all users
    Read,
    /// Changing all users
    Write,
    /// Everything; at present the same as write
    Admin,
}

/// A new token. Shown, it says how to use it; the secret is shown nowhere else.
pub struct NewToken {
    secret: Secret,
    line: String,
}

impl NewToken {
    /// Fails if the system has no random numbers.
    pub fn make(options: &NewTokenOptions) -> anyhow::Result<Self> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)
            .map_err(|error| anyhow!("the system gives no random numbers: {error}"))?;
        let secret = Secret::new(random);
        let NewTokenOptions {
            name,
            scope,
            expires,
        } = options;
        let scope = scope.to_possible_value().expect("none is skipped");
        let scope = scope.get_name();
        let digest = secret.digest().map(|byte| format!("{byte:02x}")).concat();
        let expires = expires.map_or(String::new(), |time| {
            format!(" {}", humantime::format_rfc3339_seconds(time))
        });
        Ok(Self {
            line: format!("{name} {scope} {digest}{expires}"),
            secret,
        })
    }
}

impl fmt::Display for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret, line } = self;
        let secret = secret.reveal();
        writeln!(f, "The secret, for its owner. It is not shown again:")?;
        writeln!(f, "\n    {secret}\n")?;
        writeln!(f, "The line for the variable tokens, one of a token:")?;
        writeln!(f, "\n    {line}\n")?;
        writeln!(
            f,
            "Keep such lines in a file, and give it to the service with"
        )?;
        writeln!(
            f,
            "`--variable tokens=@FILE`. Requests have the secret in a header:"
        )?;
        writeln!(f, "\n    Authorization: Bearer {secret}")
    }
}

/// Fails if the name has characters that a line of words can't have.
fn parse_name(argument: &str) -> anyhow::Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    ensure!(
        (1..=64).contains(&argument.len()) && argument.chars().all(plain),
        "it must be 1 to 64 letters, digits or any of -_.@"
    );
    Ok(argument.to_owned())
}

fn parse_expiry(argument: &str) -> anyhow::Result<SystemTime> {
    const FORMS: &str = "it must be a time from now, such as 90d, or one as RFC 3339 has it, \
        such as 2027-01-31T00:00:00Z";
    let now = SystemTime::now();
    let expiry = match humantime::parse_rfc3339(argument) {
        Ok(time) => time,
        Err(_) => {
            let duration: Duration = humantime::parse_duration(argument).context(FORMS)?;
            now.checked_add(duration).context("that is too far away")?
        }
    };
    ensure!(expiry > now, "that is over");
    // The last that RFC 3339 can write.
    let last = humantime::parse_rfc3339("9999-12-31T23:59:59Z").expect("a time");
    ensure!(expiry <= last, "that is too far away");
    Ok(expiry)
}
