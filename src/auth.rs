//! The caller of a request, and the caller's permissions. Closed by default: without a
//! configuration every request for users is refused.
//!
//! - [`permission`]: the permission that a request needs, and scopes
//! - [`tokens`]: the operator's tokens, as the configuration lists them
//! - [`jwt`], [`jws`]: tokens of an issuer that the operator trusts
//! - [`keys`], [`key`], [`rsa`]: the keys with which those are signed
//! - [`issuer`], [`fetched`]: that issuer, and the source of its keys

mod fetched;
pub mod issuer;
mod jws;
pub mod jwt;
mod key;
mod keys;
pub mod permission;
mod rsa;
pub mod tokens;

use edge_users_token::PREFIX;

use crate::configuration::Configuration;
use crate::platform::Platform;
use crate::store::Store;
pub use permission::{Permission, Principal, Scope};

/// Why a caller is not known.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request has no token.
    Missing,
    /// The service knows no token and trusts no issuer: it refuses every caller.
    Closed,
    /// The token is invalid, for this reason: the rest of a sentence about it.
    Invalid(&'static str),
    /// The keys of the issuer are not available. The next fetch is due after so many seconds.
    NoKeys { retry_after: i64 },
}

/// The owner of a token.
pub async fn authenticate<S: Store, P: Platform>(
    token: Option<&str>,
    configuration: &Configuration,
    store: &S,
    platform: &P,
) -> Result<Principal, Refusal> {
    let Configuration { tokens, issuer, .. } = configuration;
    // By its prefix a token is the operator's; no JWT begins with it.
    let principal = match (token, issuer) {
        (Some(token), _) if token.starts_with(PREFIX) && !tokens.is_empty() => {
            return tokens.find(token, platform.now()).map_err(Refusal::Invalid);
        }
        (Some(token), Some(issuer)) => issuer.verify(token, store, platform).await,
        (Some(_), None) => Err(Refusal::Invalid("is not known")),
        (None, _) => Err(Refusal::Missing),
    };
    match principal {
        Err(_) if tokens.is_empty() && issuer.is_none() => Err(Refusal::Closed),
        principal => principal,
    }
}
