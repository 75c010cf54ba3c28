//! The operator's tokens.
//!
//! The variable `tokens` has one on a line, or several separated by `;`:
//!
//! ```text
//! NAME read|write|admin SHA-256-OF-THE-SECRET [EXPIRY, as RFC 3339 has it]
//! ```
//!
//! The secrets themselves are nowhere but with their owners.

use std::rc::Rc;

use edge_users_token::Secret;
use subtle::{Choice, ConstantTimeEq};

use super::permission::{Principal, Scope};
use super::remembered::Remembered;
use crate::platform::Platform;
use crate::timestamp::Timestamp;

const TOKENS: &str = "tokens";

/// The tokens that are configured.
#[derive(Debug, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Debug)]
struct Token {
    principal: Principal,
    digest: [u8; 32],
    expires: Option<Timestamp>,
}

thread_local! {
    static CONFIGURED: Remembered<Tokens> = const { Remembered::new() };
}

impl Tokens {
    /// Those that the operator configured. An entry that can't be read lets nobody
    /// in, and is told to the log.
    pub fn configured(platform: &impl Platform) -> Rc<Tokens> {
        let text = platform.variable(TOKENS).unwrap_or_default();
        let read = |text: &str| Tokens::read(text, |error| platform.log_error(&error));
        CONFIGURED.with(|tokens| tokens.of(text, read))
    }

    fn read(text: &str, mut tell: impl FnMut(String)) -> Tokens {
        let entries = text.split(['\n', ';']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let tokens = entries.enumerate().filter_map(|(number, entry)| {
            let token = Token::read(entry);
            // Not the entry itself: somebody may have put the secret there.
            let error = token.as_ref().err();
            if let Some(rule) = error {
                let number = number + 1;
                tell(format!("the variable tokens, entry {number}: {rule}"));
            }
            token.ok()
        });
        Tokens(tokens.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose secret the text is. Fails with what is wrong with it.
    pub fn find(&self, text: &str, now: Timestamp) -> Result<Principal, &'static str> {
        let secret = Secret::parse(text).ok_or("is mistyped: its checksum does not match")?;
        let digest = secret.digest();
        // All are compared, and all bytes of each, so that the time that it takes
        // tells nothing of how near a guess came.
        let mut found = None;
        for token in &self.0 {
            let equal: Choice = token.digest.ct_eq(&digest);
            if equal.into() {
                found = Some(token);
            }
        }
        let token = found.ok_or("is not known")?;
        match token.expires {
            Some(expires) if expires <= now => Err("has expired"),
            _ => Ok(token.principal.clone()),
        }
    }
}

impl Token {
    /// Fails with the rule that the entry breaks.
    fn read(entry: &str) -> Result<Token, &'static str> {
        let mut words = entry.split_whitespace();
        let mut word = || words.next();
        let (Some(name), Some(scope), Some(digest), expires, None) =
            (word(), word(), word(), word(), word())
        else {
            return Err("it must be a name, a scope, a SHA-256 and, if it expires, when");
        };
        let scope = Scope::named(scope).ok_or("its scope must be read, write or admin")?;
        let mut bytes = [0; 32];
        base16ct::mixed::decode(digest, &mut bytes)
            .ok()
            .filter(|bytes| bytes.len() == 32)
            .ok_or("its SHA-256 must be 64 hexadecimal digits")?;
        let expires = match expires {
            Some(text) => {
                let time = Timestamp::from_rfc3339(text);
                Some(time.ok_or("its expiry must be a time such as 2027-01-31T00:00:00Z")?)
            }
            None => None,
        };
        Ok(Token {
            principal: Principal::with_scope(name, scope),
            digest: bytes,
            expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(secret: &Secret) -> String {
        let digits = secret.digest().map(|byte| format!("{byte:02x}"));
        digits.concat()
    }

    fn read(text: &str) -> (Tokens, Vec<String>) {
        let mut errors = Vec::new();
        let tokens = Tokens::read(text, |error| errors.push(error));
        (tokens, errors)
    }

    #[test]
    fn a_secret_is_its_tokens_until_that_expires() {
        let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let text = format!(
            "old read {} 1970-01-01T00:00:01Z;new write {}\n",
            hex(&old),
            hex(&new).to_uppercase()
        );
        let (tokens, errors) = read(&text);
        assert_eq!(errors, [""; 0]);
        let find = |secret: &Secret, now| tokens.find(secret.reveal(), Timestamp(now));
        let old_principal = Principal::with_scope("old", Scope::Read);
        let new_principal = Principal::with_scope("new", Scope::Write);
        assert_eq!(find(&old, 999), Ok(old_principal));
        assert_eq!(find(&old, 1000), Err("has expired"));
        assert_eq!(find(&new, 1000), Ok(new_principal));
        assert_eq!(find(&Secret::new([3; 32]), 0), Err("is not known"));
        let mistyped = tokens.find("eu_0", Timestamp(0)).unwrap_err();
        assert!(mistyped.contains("checksum"), "{mistyped}");
    }

    #[test]
    fn an_entry_that_cannot_be_read_lets_nobody_in_and_is_not_quoted() {
        let secret = Secret::new([1; 32]);
        let digest = hex(&secret);
        for (entry, named) in [
            ("t".to_owned(), "a name, a scope"),
            (
                format!("t read {digest} 2027-01-31T00:00:00Z more"),
                "a name, a scope",
            ),
            (format!("t self {digest}"), "scope"),
            (format!("t READ {digest}"), "scope"),
            (format!("t read {}", secret.reveal()), "SHA-256"),
            (format!("t read {}", &digest[1..]), "SHA-256"),
            (format!("t read {}", &digest[2..]), "SHA-256"),
            (format!("t read {digest}00"), "SHA-256"),
            (format!("t read {digest} tomorrow"), "expiry"),
            (format!("t read {digest} 2027-01-31"), "expiry"),
        ] {
            let (tokens, errors) = read(&format!("\n{entry}\n"));
            assert!(tokens.is_empty(), "{entry}");
            let [error] = &*errors else {
                panic!("{errors:?}")
            };
            assert!(
                error.starts_with("the variable tokens, entry 1: "),
                "{error}"
            );
            assert!(error.contains(named), "{error}");
            let hidden = !error.contains(secret.reveal()) && !error.contains(&digest[2..]);
            assert!(hidden, "{error}");
        }
        let (tokens, errors) = read(&format!("nonsense; t read {digest}"));
        assert_eq!((tokens.0.len(), errors.len()), (1, 1));
    }
}
