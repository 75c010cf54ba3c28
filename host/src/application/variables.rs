//! Variables: where their values come from, and which values components see.
//!
//! An application declares variables; each gets its value from the first of these
//! that has one: the command line, the providers in the runtime configuration, the
//! environment, its default. A component's variables are templates over them. As
//! none of these sources changes while the host runs, all of this happens once.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};

use crate::application::manifest::{self, Manifest};

/// The names of variables in the environment begin with this.
pub const DEFAULT_PREFIX: &str = "SPIN_VARIABLE";

/// From where on the similarity of two names, between 0 and 1, says that one is meant by
/// the other.
const SIMILAR: f64 = 0.8;

/// The file in the current directory that adds to the environment.
const DOTENV: &str = ".env";

/// A source of values for variables.
#[derive(Clone, Debug)]
pub enum Provider {
    /// These values.
    Static(HashMap<String, String>),
    /// The environment and, after it, a file that adds to it.
    Environment {
        /// Stands before the name, with an underscore between them.
        prefix: String,
        /// The variables of a `.env` file.
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

    /// The provider that is asked last, whatever the configuration says.
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

/// The value of every variable of the application. One error names all variables that have
/// none.
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

/// Refuses values for variables that the application does not declare. They are misspelt,
/// or meant for another version.
pub fn check_declared<'a>(
    manifest: &Manifest,
    names: impl IntoIterator<Item = &'a String>,
) -> anyhow::Result<()> {
    for name in names {
        if manifest.variables.contains_key(name) {
            continue;
        }
        let declared = manifest.variables.keys();
        let similar = declared.map(|other| (strsim::jaro(name, other), other));
        let most = similar.max_by(|(a, _), (b, _)| a.total_cmp(b));
        bail!(match most {
            Some((similarity, other)) if similarity > SIMILAR =>
                format!("the application has no variable {name:?}; did you mean {other}?"),
            _ => format!("the application has no variable {name:?}; its manifest declares them"),
        });
    }
    Ok(())
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
    fn a_variable_that_is_not_declared_is_named_with_the_one_that_may_be_meant() {
        let check = |name: &str| check_declared(&manifest(), &[name.to_owned()]);
        assert!(check("host").is_ok());
        let error = check("tokn").unwrap_err().to_string();
        assert!(error.contains("\"tokn\"; did you mean token?"), "{error}");
        let error = check("else").unwrap_err().to_string();
        assert!(error.contains("no variable \"else\"; its"), "{error}");
    }

    #[test]
    fn a_required_variable_without_a_value_is_named() {
        let error = values(&manifest(), &[]).unwrap_err().to_string();
        assert!(error.contains("token"), "{error}");
        assert!(error.contains("SPIN_VARIABLE_TOKEN"), "{error}");
        assert!(!error.contains("host"), "{error}");
    }
}
