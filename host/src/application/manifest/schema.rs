//! The tables and fields of a manifest, as in Spin's version 2.
//!
//! Fields that are here only to be tolerated are read as [`toml::Value`]; a
//! misspelt one is still found, as no other fields are accepted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::{Spanned, Value};

/// Looked at before the rest, which another version would write differently.
#[derive(Deserialize)]
pub(super) struct Version {
    pub spin_manifest_version: Spanned<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    #[serde(rename = "spin_manifest_version")]
    _version: Value,
    pub application: Application,
    #[serde(default)]
    pub variables: BTreeMap<Spanned<String>, Spanned<Variable>>,
    pub trigger: Triggers,
    #[serde(default)]
    pub component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Application {
    pub name: String,
    #[serde(default)]
    pub version: String,
    #[serde(default, rename = "description")]
    _description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(rename = "targets")]
    _targets: Option<Value>,
    #[serde(default)]
    pub tool: Tools,
    pub trigger: Option<TriggerSettings>,
}

/// Settings for tools. Spin ignores all of them. This host reads its own.
#[derive(Default, Deserialize)]
pub(super) struct Tools {
    #[serde(default, rename = "edge-host")]
    pub edge_host: ToolSettings,
}

/// The settings for this host.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolSettings {
    #[serde(default)]
    pub open: BTreeMap<Spanned<String>, String>,
    pub allow_host: Option<Spanned<String>>,
    #[serde(default)]
    pub readiness: Vec<Spanned<String>>,
}

/// Settings for all triggers of a type. Only those of the type `http` matter here.
#[derive(Deserialize)]
pub(super) struct TriggerSettings {
    pub http: Option<HttpSettings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpSettings {
    pub base: Option<Spanned<String>>,
}

/// A variable of the application.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Whether it must be given a value.
    #[serde(default)]
    pub required: bool,
    /// Its value if it isn't given one.
    pub default: Option<String>,
    // This host shows the value of no variable, secret or not.
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
}

/// HTTP is the only kind of trigger that this host has.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Triggers {
    #[serde(default)]
    pub http: Vec<Spanned<HttpTrigger>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    pub component: Option<Spanned<Value>>,
    pub static_response: Option<StaticResponse>,
    pub route: Spanned<Value>,
    pub executor: Option<Spanned<Executor>>,
}

#[derive(Deserialize)]
pub(super) struct Executor {
    pub r#type: String,
}

/// A response that needs no component.
#[derive(Clone, Debug, Deserialize)]
pub struct StaticResponse {
    /// 200 if it isn't given.
    pub status_code: Option<u16>,
    /// Its headers.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Its body, if it has one.
    pub body: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    pub source: Spanned<Value>,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub variables: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default)]
    pub key_value_stores: Vec<String>,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<Spanned<String>>,
    pub build: Option<Build>,

    // This host does not have these.
    pub files: Option<Spanned<Value>>,
    pub sqlite_databases: Option<Spanned<Value>>,
    pub ai_models: Option<Spanned<Value>>,
    pub dependencies: Option<Spanned<Value>>,

    // These make no difference to this host.
    #[serde(rename = "allowed_http_hosts")]
    _allowed_http_hosts: Option<Value>,
    #[serde(rename = "exclude_files")]
    _exclude_files: Option<Value>,
    #[serde(rename = "targets")]
    _targets: Option<Value>,
    #[serde(rename = "tool")]
    _tool: Option<Value>,
    #[serde(rename = "dependencies_inherit_configuration")]
    _dependencies_inherit_configuration: Option<bool>,
    #[serde(rename = "profile")]
    _profile: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub command: Commands,
    pub workdir: Option<PathBuf>,
    #[serde(rename = "watch")]
    _watch: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Commands {
    One(String),
    Several(Vec<String>),
}
