//! The operator's tokens.
//!
//! The variable `tokens` has one on a line, or several separated by `;`:
//!
//! ```text
//! NAME read|write|admin SHA-256-OF-THE-SECRET [EXPIRY, as RFC 3339 has it]
//! ```
//!
//! Only the owners have the secrets themselves.

use edge_users_token::Secret;
use subtle::{Choice, ConstantTimeEq};

use super::permission::{Principal, Scope};
use crate::timestamp::Timestamp;

/// The tokens that are configured.
#[derive(Debug, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Debug)]
struct Token {
    principal: Principal,
    digest: [u8; 32],
    expires: Option<Timestamp>,
}

impl Tokens {
    /// Reads the variable. Fails with the rule that an entry breaks.
    pub fn read(text: &str) -> Result<Tokens, String> {
        let entries = text.split(['\n', ';']).map(str::trim);
        let entries = entries.filter(|entry| !entry.is_empty());
        let tokens = entries.enumerate().map(|(index, entry)| {
            // The entry itself is not repeated: it may contain a secret by mistake.
            Token::read(entry)
                .map_err(|rule| format!("can't be read at entry {}: {rule}", index + 1))
        });
        Ok(Tokens(tokens.collect::<Result<_, _>>()?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The owner of a secret. Fails with the fault of the text.
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
            principal: Principal::token(name, scope),
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

    #[test]
    fn a_secret_is_its_tokens_until_that_expires() {
        let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let text = format!(
            "old read {} 1970-01-01T00:00:01Z;new write {}\n",
            hex(&old),
            hex(&new).to_uppercase()
        );
        let tokens = Tokens::read(&text).expect("tokens");
        let find = |secret: &Secret, now| tokens.find(secret.reveal(), Timestamp(now));
        let old_principal = Principal::token("old", Scope::Read);
        let new_principal = Principal::token("new", Scope::Write);
        assert_eq!(find(&old, 999), Ok(old_principal));
        assert_eq!(find(&old, 1000), Err("has expired"));
        assert_eq!(find(&new, 1000), Ok(new_principal));
        assert_eq!(find(&Secret::new([3; 32]), 0), Err("is not known"));
        let mistyped = tokens.find("eu_0", Timestamp(0)).unwrap_err();
        assert!(mistyped.contains("checksum"), "{mistyped}");
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_refused_and_not_quoted() {
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
            let good = format!("good read {digest}");
            let error = Tokens::read(&format!("\n{good}\n{entry}\n")).expect_err(&entry);
            assert!(error.starts_with("can't be read at entry 2: "), "{error}");
            assert!(error.contains(named), "{error}");
            let hidden = !error.contains(secret.reveal()) && !error.contains(&digest[2..]);
            assert!(hidden, "{error}");
        }
    }
}
