//! Puts the first users, Alice, Bob and Charlie, into a directory that has
//! none: `first-users URL`, with the token in `EDGE_USERS_TOKEN` if there is
//! one. Waits up to a minute for the service to start.

use std::process::ExitCode;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use serde_json::json;

fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: first-users URL");
        return ExitCode::from(2);
    };
    match run(url.trim_end_matches('/')) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the first users could not be created: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::new();
    let token = std::env::var("EDGE_USERS_TOKEN").ok();
    let authorized = |request: RequestBuilder| match &token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let mut waits = 600;
    loop {
        match authorized(client.get(format!("{url}/readyz"))).send() {
            Ok(response) if response.status().is_success() => break,
            // Waiting for a token would be in vain.
            Ok(response) if waits == 0 || response.status().is_client_error() => {
                return Err(format!("{url}/readyz answers {}", response.status()).into());
            }
            Err(error) if waits == 0 => return Err(error.into()),
            _ => std::thread::sleep(Duration::from_millis(100)),
        }
        waits -= 1;
    }
    let users = authorized(client.get(format!("{url}/users?limit=1"))).send()?;
    let users = users.error_for_status()?;
    if users
        .headers()
        .get("x-total-count")
        .is_none_or(|count| count != "0")
    {
        return Ok(());
    }
    for name in ["Alice", "Bob", "Charlie"] {
        let request = client.post(format!("{url}/users"));
        let response = authorized(request.json(&json!({ "name": name }))).send()?;
        response.error_for_status()?;
    }
    println!("Created the first users: Alice, Bob and Charlie");
    Ok(())
}
