//! The manifest, `spin.toml`: the application as its author describes it.
//!
//! [`schema`] has the tables of the file, as in Spin's manifest version 2. Here they are
//! checked. An error names the line of the mistake. A feature that Spin has and this host
//! lacks is refused rather than ignored.

mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::application::allowed_hosts;
use crate::application::source_line::SourceLine;
use crate::application::template::Template;
use crate::application::variable_name::name_error;

pub use schema::{StaticResponse, Variable};

/// An application.
#[derive(Debug)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version, empty if it has none.
    pub version: String,
    /// The variables it declares.
    pub variables: BTreeMap<String, Variable>,
    /// Its triggers, in the order of the file.
    pub triggers: Vec<Trigger>,
    /// Its components, by id.
    pub components: BTreeMap<String, Component>,
    /// Its settings for this host.
    pub settings: Settings,
}

/// The table `[application.tool.edge-host]`. Spin and other hosts ignore it.
#[derive(Debug, Default)]
pub struct Settings {
    /// Variables, each with the value by which the application lets everybody do
    /// everything.
    pub open: BTreeMap<String, String>,
    /// The variable to which `--allow-host` adds: the names by which the application may be
    /// reached, separated by commas.
    pub allow_host: Option<String>,
    /// Paths at which the application says whether it is ready. They are asked before it is
    /// served: a problem document of the type `misconfigured` is an answer for the operator.
    /// While the host drains, it answers there itself.
    pub readiness: Vec<String>,
}

/// Connects a route with a handler.
#[derive(Debug)]
pub struct Trigger {
    /// The route; private if none: nothing outside the application reaches it.
    pub route: Option<String>,
    /// It answers the requests.
    pub handler: Handler,
}

/// Answers requests.
#[derive(Clone, Debug)]
pub enum Handler {
    /// The component with this id.
    Component(String),
    /// Always the same response.
    Static(StaticResponse),
}

/// A component, as the manifest describes it.
#[derive(Debug)]
pub struct Component {
    /// Its wasm file, relative to the manifest.
    pub source: PathBuf,
    /// Its description by its author; empty if there is none.
    pub description: String,
    /// How to build it.
    pub build: Option<Build>,
    /// Its variables.
    pub variables: BTreeMap<String, Template>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The labels of the stores it may open.
    pub key_value_stores: Vec<String>,
    /// Where it may send requests.
    pub allowed_outbound_hosts: Vec<Template>,
}

/// How to build a component.
#[derive(Debug)]
pub struct Build {
    /// Shell commands, one after the other.
    pub commands: Vec<String>,
    /// Where to run them, relative to the manifest.
    pub workdir: Option<PathBuf>,
}

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let source = fs::read_to_string(path)
            .with_context(|| format!("cannot read the manifest {}", path.display()))?;
        Self::parse(&source, path)
    }

    /// Parses a manifest; `path` is for its errors.
    pub fn parse(source: &str, path: &Path) -> anyhow::Result<Self> {
        let lines = SourceLine::new(source, path);
        let version: schema::Version =
            toml::from_str(source).map_err(|error| lines.toml_error(&error))?;
        if version.spin_manifest_version.get_ref().as_integer() != Some(2) {
            bail!(lines.error(
                version.spin_manifest_version.span(),
                "this host reads spin_manifest_version = 2 and no other"
            ));
        }
        let document: schema::Manifest =
            toml::from_str(source).map_err(|error| lines.toml_error(&error))?;
        Check { lines }.manifest(document)
    }
}

/// The checks that the schema alone can't make.
struct Check<'a> {
    lines: SourceLine<'a>,
}

impl Check<'_> {
    fn manifest(&self, document: schema::Manifest) -> anyhow::Result<Manifest> {
        if let Some(base) = document
            .application
            .trigger
            .as_ref()
            .and_then(|triggers| triggers.http.as_ref())
            .and_then(|http| http.base.as_ref())
            && base.get_ref() != "/"
        {
            bail!(self.lines.error(
                base.span(),
                "the deprecated trigger 'base' isn't supported; prepend it to each 'route'"
            ));
        }
        let mut variables = BTreeMap::new();
        for (name, variable) in document.variables {
            self.name(&name, name.span())?;
            if variable.get_ref().required == variable.get_ref().default.is_some() {
                bail!(self.lines.error(
                    name.span(),
                    format!(
                        "the variable {} must be `required` or have a `default`, one of them",
                        name.get_ref()
                    )
                ));
            }
            variables.insert(name.into_inner(), variable.into_inner());
        }
        let mut components = BTreeMap::new();
        for (id, component) in document.component {
            let component = self.component(&id, component, &variables)?;
            components.insert(id, component);
        }
        let settings = self.settings(document.application.tool.edge_host, &variables)?;
        let triggers = document
            .trigger
            .http
            .into_iter()
            .map(|trigger| self.trigger(trigger, &components))
            .collect::<anyhow::Result<_>>()?;
        Ok(Manifest {
            name: document.application.name,
            version: document.application.version,
            variables,
            triggers,
            components,
            settings,
        })
    }

    fn settings(
        &self,
        settings: schema::ToolSettings,
        variables: &BTreeMap<String, Variable>,
    ) -> anyhow::Result<Settings> {
        let named = settings.open.keys().chain(&settings.allow_host);
        for name in named {
            if !variables.contains_key(name.get_ref()) {
                let message = format!("unknown variable {:?}", name.get_ref());
                bail!(self.lines.error(name.span(), message));
            }
        }
        for path in &settings.readiness {
            if !path.get_ref().starts_with('/') || path.get_ref().parse::<http::Uri>().is_err() {
                let message = format!("{:?} is not a path", path.get_ref());
                bail!(self.lines.error(path.span(), message));
            }
        }
        let values = settings.open.into_iter();
        let paths = settings.readiness.into_iter();
        Ok(Settings {
            open: values
                .map(|(name, value)| (name.into_inner(), value))
                .collect(),
            allow_host: settings.allow_host.map(toml::Spanned::into_inner),
            readiness: paths.map(toml::Spanned::into_inner).collect(),
        })
    }

    fn name(&self, name: &toml::Spanned<String>, span: Range<usize>) -> anyhow::Result<()> {
        match name_error(name.get_ref()) {
            Some(reason) => {
                bail!(self.lines.error(
                    span,
                    format!("invalid variable name {:?}: {reason}", name.get_ref())
                ))
            }
            None => Ok(()),
        }
    }

    fn component(
        &self,
        id: &str,
        component: schema::Component,
        variables: &BTreeMap<String, Variable>,
    ) -> anyhow::Result<Component> {
        let unsupported = [
            ("files", &component.files),
            ("sqlite_databases", &component.sqlite_databases),
            ("ai_models", &component.ai_models),
            ("dependencies", &component.dependencies),
        ];
        for (field, value) in unsupported {
            if let Some(value) = value
                && !is_empty(value.get_ref())
            {
                bail!(self.lines.error(
                    value.span(),
                    format!("component {id}: this host doesn't support `{field}`")
                ));
            }
        }
        let toml::Value::String(source) = component.source.get_ref() else {
            bail!(self.lines.error(
                component.source.span(),
                format!("component {id}: this host supports a `source` that is a local file")
            ));
        };
        let mut templates = BTreeMap::new();
        for (name, template) in component.variables {
            self.name(&name, name.span())?;
            let parsed = self.template(&template, variables)?;
            templates.insert(name.into_inner(), parsed);
        }
        let mut allowed_outbound_hosts = Vec::new();
        for host in component.allowed_outbound_hosts {
            let parsed = self.template(&host, variables)?;
            if parsed.variables().next().is_none() {
                allowed_hosts::check(host.get_ref()).map_err(|error| {
                    let message = format!("allowed_outbound_hosts: {:?}: {error}", host.get_ref());
                    self.lines.error(host.span(), message)
                })?;
            }
            allowed_outbound_hosts.push(parsed);
        }
        Ok(Component {
            source: source.into(),
            description: component.description,
            build: component.build.map(|build| Build {
                commands: match build.command {
                    schema::Commands::One(command) => vec![command],
                    schema::Commands::Several(commands) => commands,
                },
                workdir: build.workdir,
            }),
            variables: templates,
            environment: component.environment,
            key_value_stores: component.key_value_stores,
            allowed_outbound_hosts,
        })
    }

    fn template(
        &self,
        text: &toml::Spanned<String>,
        variables: &BTreeMap<String, Variable>,
    ) -> anyhow::Result<Template> {
        let template = Template::parse(text.get_ref())
            .map_err(|error| self.lines.error(text.span(), error))?;
        if let Some(unknown) = template
            .variables()
            .find(|name| !variables.contains_key(*name))
        {
            bail!(
                self.lines
                    .error(text.span(), format!("unknown variable {unknown:?}"))
            );
        }
        Ok(template)
    }

    fn trigger(
        &self,
        trigger: toml::Spanned<schema::HttpTrigger>,
        components: &BTreeMap<String, Component>,
    ) -> anyhow::Result<Trigger> {
        let span = trigger.span();
        let trigger = trigger.into_inner();
        let handler = match (trigger.component, trigger.static_response) {
            (Some(component), None) => {
                let toml::Value::String(id) = component.get_ref() else {
                    bail!(self.lines.error(
                        component.span(),
                        "this host wants a component in a table of its own, [component.ID]"
                    ));
                };
                if !components.contains_key(id) {
                    bail!(
                        self.lines
                            .error(component.span(), format!("there is no component {id:?}"))
                    );
                }
                Handler::Component(id.clone())
            }
            (None, Some(response)) => Handler::Static(response),
            _ => bail!(self.lines.error(
                span,
                "a trigger has either `component` or `static_response`"
            )),
        };
        if let Some(executor) = trigger.executor
            && !matches!(executor.get_ref().r#type.as_str(), "http" | "spin")
        {
            bail!(self.lines.error(
                executor.span(),
                format!("this host has no executor {:?}", executor.get_ref().r#type)
            ));
        }
        let route = match trigger.route.get_ref() {
            toml::Value::String(route) => {
                crate::application::router::check(route)
                    .map_err(|error| self.lines.error(trigger.route.span(), error))?;
                Some(route.clone())
            }
            toml::Value::Table(table)
                if table.len() == 1
                    && table.get("private") == Some(&toml::Value::Boolean(true)) =>
            {
                None
            }
            _ => bail!(self.lines.error(
                trigger.route.span(),
                "a route is a pattern such as \"/users/...\", or { private = true }"
            )),
        };
        Ok(Trigger { route, handler })
    }
}

fn is_empty(value: &toml::Value) -> bool {
    match value {
        toml::Value::Array(array) => array.is_empty(),
        toml::Value::Table(table) => table.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
