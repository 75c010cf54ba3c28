//! Variables: where their values come from, and what components see of them.
//!
//! An application declares variables; each gets its value from the first of these
//! that has one: the command line, the providers in the runtime configuration, the
//! environment, its default. A component's variables are templates over them. As
//! none of those sources changes while the host runs, all of it happens once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::application::manifest::{self, Manifest};

/// What the environment calls a variable begins with this.
pub const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

/// The file beside the current directory's others that adds to the environment.
const DOTENV: &str = ".env";

/// Something that has values for variables.
#[derive(Clone, Debug)]
pub enum Provider {
    /// These.
    Static(HashMap<String, String>),
    /// The environment and, after it, what a file adds to it.
    Environment {
        /// What precedes the name, and an underscore.
        prefix: String,
        /// What a `.env` file says.
        file: HashMap<String, String>,
    },
}

impl Provider {
    /// The environment of the host: variables `PREFIX_NAME`, also from the file.
    pub fn environment(prefix: &str, file: Option<&Path>) -> anyhow::Result<Self> {
        let file = match file {
            Some(path) if path.exists() => dotenvy::from_path_iter(path)
                .and_then(Iterator::collect)
                .with_context(|| format!("cannot read {}", path.display()))?,
            _ => HashMap::new(),
        };
        Ok(Self::Environment {
            prefix: prefix.to_owned(),
            file,
        })
    }

    /// The one that is asked last, whatever the configuration.
    pub fn default_environment() -> anyhow::Result<Self> {
        Self::environment(DEFAULT_PREFIX, Some(Path::new(DOTENV)))
    }

    fn get(&self, name: &str) -> anyhow::Result<Option<String>> {
        match self {
            Self::Static(values) => Ok(values.get(name).cloned()),
            Self::Environment { prefix, file } => {
                let name = format!("{prefix}_{}", name.to_ascii_uppercase());
                match std::env::var(&name) {
                    Ok(value) => Ok(Some(value)),
                    Err(std::env::VarError::NotPresent) => Ok(file.get(&name).cloned()),
                    Err(std::env::VarError::NotUnicode(_)) => {
                        Err(anyhow!("the environment variable {name} is not UTF-8"))
                    }
                }
            }
        }
    }
}

/// The value of every variable of the application. All that have none are named in
/// one error.
pub fn values(
    manifest: &Manifest,
    providers: &[Provider],
) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, variable) in &manifest.variables {
        let mut value = None;
        for provider in providers {
            value = provider.get(name)?;
            if value.is_some() {
                break;
            }
        }
        match value.or_else(|| variable.default.clone()) {
            Some(value) => {
                values.insert(name.clone(), value);
            }
            None => missing.push(name.as_str()),
        }
    }
    match missing.as_slice() {
        [] => Ok(values),
        [first, ..] => Err(anyhow!(
            "no value for the required variable{} {}; give it with --variable {first}=VALUE \
             or in the environment as {DEFAULT_PREFIX}_{}",
            if missing.len() == 1 { "" } else { "s" },
            missing.join(", "),
            first.to_ascii_uppercase(),
        )),
    }
}

/// The variables of a component, their templates filled in from `values`.
pub fn resolve(
    component: &manifest::Component,
    values: &BTreeMap<String, String>,
) -> anyhow::Result<BTreeMap<String, String>> {
    component
        .variables
        .iter()
        .map(|(name, template)| {
            let value = template.render(|variable| {
                // The manifest was refused if it named one that isn't declared.
                values
                    .get(variable)
                    .map(String::as_str)
                    .with_context(|| format!("unknown variable {variable:?}"))
            })?;
            Ok((name.clone(), value))
        })
        .collect()
}

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

    const MANIFEST: &str = r#"
        spin_manifest_version = 2
        [application]
        name = "app"
        [variables]
        host = { default = "localhost" }
        token = { required = true, secret = true }
        [[trigger.http]]
        route = "/"
        component = "c"
        [component.c]
        source = "c.wasm"
        [component.c.variables]
        url = "http://{{ host }}/?t={{ token }}"
    "#;

    fn manifest() -> Manifest {
        Manifest::parse(MANIFEST, Path::new("spin.toml")).unwrap()
    }

    fn provider<const N: usize>(values: [(&str, &str); N]) -> Provider {
        Provider::Static(values.map(|(k, v)| (k.to_owned(), v.to_owned())).into())
    }

    #[test]
    fn the_first_provider_that_has_a_value_wins_over_the_default() {
        let providers = [
            provider([("token", "one")]),
            provider([("token", "two"), ("host", "db.test")]),
        ];
        let values = values(&manifest(), &providers).unwrap();
        assert_eq!(values["token"], "one");
        assert_eq!(values["host"], "db.test");
    }

    #[test]
    fn templates_of_a_component_are_filled_in() {
        let manifest = manifest();
        let values = values(&manifest, &[provider([("token", "s3cret")])]).unwrap();
        let variables = resolve(&manifest.components["c"], &values).unwrap();
        assert_eq!(variables["url"], "http://localhost/?t=s3cret");
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = values(&manifest(), &[]).unwrap_err().to_string();
        assert!(error.contains("token"), "{error}");
        assert!(error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
        assert!(!error.contains("host"), "{error}");
    }

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
