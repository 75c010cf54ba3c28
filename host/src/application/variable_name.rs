//! The names that variables may have.

/// Why `name` can't be a variable's, if it can't.
///
/// A name turns into an environment variable's and back, so it is of lower-case
/// letters, digits and single underscores between them, a letter first.
pub fn name_error(name: &str) -> Option<String> {
    let invalid = |c: &char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_');
    if name.is_empty() {
        Some("must not be empty".to_owned())
    } else if let Some(c) = name.chars().find(invalid) {
        Some(format!(
            "invalid character {c:?}. Variable names may contain only lower-case letters, \
             numbers, and underscores."
        ))
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        Some("must start with a lowercase ASCII letter".to_owned())
    } else if name.ends_with('_') {
        Some("must end with a lowercase ASCII letter or digit".to_owned())
    } else if name.contains("__") {
        Some("must not contain multiple consecutive underscores".to_owned())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_that_keep_them_environment_variables() {
        for name in ["a", "abc", "a1b2", "a_1", "a_1_b"] {
            assert_eq!(name_error(name), None, "{name}");
        }
        for name in ["", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y"] {
            assert!(name_error(name).is_some(), "{name}");
        }
    }
}
