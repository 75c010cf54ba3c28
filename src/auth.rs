//! Who calls, and what they may do. Closed by default: without a configuration
//! nobody is let in.
//!
//! - [`permission`]: what a request asks of its caller, and scopes
//! - [`tokens`]: the operator's tokens, as the configuration lists them
//! - [`jwt`], [`keys`], [`key`], [`rsa`]: tokens of an issuer that the operator trusts
//! - [`issuer`]: that issuer, and where its keys come from
//! - [`remembered`]: configuration, read once

pub mod issuer;
pub mod jwt;
mod key;
mod keys;
pub mod permission;
mod remembered;
mod rsa;
pub mod tokens;

use edge_users_token::PREFIX;

use crate::platform::Platform;
use issuer::Issuer;
pub use permission::{Permission, Principal, Scope};
use tokens::Tokens;

/// The variable that is `off` where everybody may do everything. With any other
/// value, or none, a request needs a token.
const MODE: &str = "auth";

/// Why a caller is not known.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no token.
    Missing,
    /// The service knows no token and trusts no issuer, so that it lets nobody in.
    Closed,
    /// The token is no good: what is wrong with it, the rest of a sentence.
    Invalid(&'static str),
    /// The keys of the issuer can't be had at the moment.
    NoKeys,
}

/// Whether the operator lets everybody in.
pub fn is_off(platform: &impl Platform) -> bool {
    match platform.variable(MODE).as_deref() {
        Some("off") => true,
        Some("token" | "") | None => false,
        Some(_) => {
            platform.log_error("the variable auth is neither token nor off: taken for token");
            false
        }
    }
}

/// Whose token it is.
pub async fn authenticate<P: Platform>(
    token: Option<&str>,
    platform: &P,
) -> Result<Principal, Refusal> {
    let tokens = Tokens::configured(platform);
    // By its prefix a token is the operator's; no JWT begins with it.
    let principal = match token {
        Some(token) if token.starts_with(PREFIX) && !tokens.is_empty() => {
            return tokens.find(token, platform.now()).map_err(Refusal::Invalid);
        }
        Some(token) => match Issuer::configured(platform) {
            Some(issuer) => issuer.verify(token, platform).await,
            None => Err(Refusal::Invalid("is not known")),
        },
        None => Err(Refusal::Missing),
    };
    match principal {
        Err(_) if tokens.is_empty() && Issuer::configured(platform).is_none() => {
            Err(Refusal::Closed)
        }
        principal => principal,
    }
}
