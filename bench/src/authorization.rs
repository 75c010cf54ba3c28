//! The component with a token and without.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::place::Place;

/// A token, as the client and as the service know it.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The value of the header `Authorization`.
    pub header: String,
    /// The value of the variable `tokens`.
    tokens: String,
}

impl Authorization {
    /// A new token that may read and write, made by `edge-users token new`, which
    /// prints the secret and the line for the variable.
    pub fn new(place: &Place) -> Result<Authorization> {
        let output = Command::new(place.program("edge-users"))
            .args(["token", "new", "--name", "bench", "--scope", "write"])
            .output()
            .context("cannot run edge-users token new")?;
        ensure!(output.status.success(), "edge-users token new failed");
        let printed = String::from_utf8_lossy(&output.stdout);
        let secret = printed.split_whitespace().find(|w| w.starts_with("eu_"));
        let secret = secret.context("edge-users token new printed no secret")?;
        let is_digest =
            |word: &str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let tokens = printed
            .lines()
            .find(|line| line.split_whitespace().any(is_digest))
            .context("edge-users token new printed no line for the variable")?;
        Ok(Authorization {
            header: format!("Bearer {secret}"),
            tokens: tokens.trim().to_owned(),
        })
    }

    /// The arguments that have the service ask for this token, or for none.
    pub fn variables(place: &Place, authorization: Option<&Authorization>) -> Vec<String> {
        if !place.has_authorization {
            return Vec::new();
        }
        let variables = match authorization {
            None => vec!["auth=off".to_owned()],
            Some(authorization) => vec![
                "auth=token".to_owned(),
                format!("tokens={}", authorization.tokens),
            ],
        };
        variables
            .into_iter()
            .flat_map(|variable| ["--variable".to_owned(), variable])
            .collect()
    }
}
