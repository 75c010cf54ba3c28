//! The runtime configuration file: decisions of the operator, not of the application.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::application::source_line::SourceLine;
use crate::application::variables::{DEFAULT_PREFIX, Provider};
use crate::store::{Location, Server, StoreConfig};

/// The label of the store that needs no configuration.
pub const DEFAULT_STORE: &str = "default";

/// Spin's name for the file of the default store.
pub const DEFAULT_STORE_FILE: &str = "sqlite_key_value.db";

/// The contents of the file. The paths of stores are made absolute; the directories stay
/// relative to the directory in which the host is started.
#[derive(Debug, Default)]
pub struct RuntimeConfig {
    /// Where each label's store is.
    pub stores: BTreeMap<String, StoreConfig>,
    /// Where variables get their values, in the order to ask.
    pub providers: Vec<Provider>,
    /// Where state is kept, unless the command line says.
    pub state_dir: Option<PathBuf>,
    /// Where components' output is written, unless the command line says.
    pub log_dir: Option<PathBuf>,
    /// The memory limit, unless the command line says.
    pub max_instance_memory: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    key_value_store: BTreeMap<String, StoreTable>,
    #[serde(default, alias = "config_provider")]
    variables_provider: Vec<ProviderTable>,
    state_dir: Option<PathBuf>,
    log_dir: Option<PathBuf>,
    max_instance_memory: Option<usize>,
}

#[derive(Deserialize)]
struct StoreTable {
    r#type: toml::Spanned<String>,
    /// Of the type `spin`.
    path: Option<PathBuf>,
    /// Of the type `redis`.
    url: Option<toml::Spanned<String>>,
}

#[derive(Deserialize)]
struct ProviderTable {
    r#type: toml::Spanned<String>,
    #[serde(default)]
    values: HashMap<String, String>,
    prefix: Option<String>,
    dotenv_path: Option<PathBuf>,
}

impl RuntimeConfig {
    /// Reads the file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let source =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&source, path)
    }

    fn parse(source: &str, path: &Path) -> anyhow::Result<Self> {
        let lines = SourceLine::new(source, path);
        let document: Document =
            toml::from_str(source).map_err(|error| lines.toml_error(&error))?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut stores = BTreeMap::new();
        for (label, table) in document.key_value_store {
            let store = match (table.r#type.get_ref().as_str(), table.url) {
                // Spin takes a path to be relative to this file.
                ("spin", _) => StoreConfig::Sqlite(match table.path {
                    Some(path) => Location::File(std::path::absolute(directory.join(path))?),
                    None => Location::Memory,
                }),
                ("redis", Some(url)) => match Server::parse(url.get_ref()) {
                    Ok(server) => StoreConfig::Redis(server),
                    Err(reason) => bail!(lines.error(
                        url.span(),
                        format!("the url of the key-value store {label:?}: {reason}")
                    )),
                },
                ("redis", None) => bail!(lines.error(
                    table.r#type.span(),
                    format!("the key-value store {label:?} has no url")
                )),
                (found, _) => bail!(lines.error(
                    table.r#type.span(),
                    format!(
                        "the key-value store {label:?} has type {found:?}; \
                         this host supports \"spin\" and \"redis\""
                    )
                )),
            };
            stores.insert(label, store);
        }
        let mut providers = Vec::new();
        for table in document.variables_provider {
            providers.push(match table.r#type.get_ref().as_str() {
                "static" => Provider::Static(table.values),
                "env" => Provider::environment(
                    table.prefix.as_deref().unwrap_or(DEFAULT_PREFIX),
                    table.dotenv_path.as_deref(),
                )?,
                found => bail!(lines.error(
                    table.r#type.span(),
                    format!(
                        "a variables provider has type {found:?}; \
                         this host supports \"static\" and \"env\""
                    )
                )),
            });
        }
        Ok(Self {
            stores,
            providers,
            state_dir: document.state_dir,
            log_dir: document.log_dir,
            max_instance_memory: document.max_instance_memory,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(source: &str) -> anyhow::Result<RuntimeConfig> {
        RuntimeConfig::parse(source, Path::new("/etc/app/runtime.toml"))
    }

    #[test]
    fn stores_are_files_beside_it_or_in_memory_or_in_redis() {
        let config = parse(
            "[key_value_store.users]\ntype = 'spin'\npath = 'data/users.db'\n\
             [key_value_store.cache]\ntype = 'spin'\n\
             [key_value_store.default]\ntype = 'redis'\nurl = 'redis://db.test/1'\n\
             [key_value_store.other]\ntype = 'redis'\nurl = 'redis://db.test/2'\n",
        )
        .unwrap();
        let file = Location::File("/etc/app/data/users.db".into());
        assert_eq!(config.stores["users"], StoreConfig::Sqlite(file));
        let memory = StoreConfig::Sqlite(Location::Memory);
        assert_eq!(config.stores["cache"], memory);
        let server = Server::parse("redis://db.test/1").unwrap();
        assert_eq!(config.stores["default"], StoreConfig::Redis(server));
        assert_ne!(config.stores["default"], config.stores["other"]);
    }

    #[test]
    fn a_store_that_is_not_to_be_had_is_refused_in_one_line() {
        for (table, message) in [
            (
                "type = 'azure_cosmos'",
                "3: the key-value store \"default\" has type \"azure_cosmos\"; \
                 this host supports \"spin\" and \"redis\"",
            ),
            (
                "type = 'redis'",
                "3: the key-value store \"default\" has no url",
            ),
            (
                "type = 'redis'\nurl = 'redis://:secret@db.test/x'",
                "4: the url of the key-value store \"default\": Invalid database number; \
                 it should be like redis://user:password@host:6379/0",
            ),
        ] {
            let error = parse(&format!("\n[key_value_store.default]\n{table}\n")).unwrap_err();
            let expected = format!("/etc/app/runtime.toml:{message}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn providers_are_static_or_the_environment() {
        for table in ["variables_provider", "config_provider"] {
            let source = format!("[[{table}]]\ntype = 'static'\nvalues = {{ a = '1' }}\n");
            assert_eq!(parse(&source).unwrap().providers.len(), 1);
        }
        let error = parse("[[variables_provider]]\ntype = 'vault'\n").unwrap_err();
        assert!(error.to_string().contains(":2: "), "{error}");
        assert!(error.to_string().contains("\"static\""), "{error}");
    }

    #[test]
    fn unknown_settings_are_refused_with_their_line() {
        let error = parse("state_dir = 'x'\n[llm_compute]\ntype = 'spin'\n").unwrap_err();
        assert!(error.to_string().contains("runtime.toml:2: "), "{error}");
    }
}
