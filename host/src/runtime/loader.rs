//! Loading an application: its components are compiled, its routes made ready.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use wasmtime::component::{InstancePre, Linker};
use wasmtime::{Engine, component};

use crate::application::allowed_hosts::AllowedHosts;
use crate::application::manifest::{self, Manifest, StaticResponse};
use crate::application::router::{Router, WELL_KNOWN_PREFIX};
use crate::application::variables;
use crate::log::Log;
use crate::runtime::artifact;
use crate::runtime::chaining::Chaining;
use crate::runtime::component::Component;
use crate::runtime::engine::Engines;
use crate::runtime::handler::{Handler, Reuse};
use crate::runtime::instance::InstanceState;
use crate::runtime::instructions::Instructions;
use crate::runtime::interfaces;
use crate::runtime::room::Room;
use crate::store::KeyValueStore;
use crate::telemetry::Telemetry;

/// A loaded application: all that is needed to answer requests.
pub struct Application {
    /// Which trigger answers which path.
    pub router: Router<Target>,
    /// The route of every call: a component is told of it, and that is all.
    pub calls: Router<()>,
    /// The answer to `/.well-known/spin/info`.
    pub info: Bytes,
    /// Room for requests.
    pub room: Arc<Room>,
    /// How long a request may take, and may wait for its room.
    pub request_timeout: Duration,
    /// Where requests are observed.
    pub telemetry: Telemetry,
    /// Where failures are reported.
    pub log: Log,
    /// The components that have a trigger, by id.
    components: HashMap<String, Handler>,
}

impl Application {
    /// The component that has this id, and a trigger. As ids are parts of the names of hosts,
    /// their case makes no difference.
    pub fn component(&self, id: &str) -> Option<&Handler> {
        let mut components = self.components.iter();
        let found = components.find(|(name, _)| name.eq_ignore_ascii_case(id));
        found.map(|(_, handler)| handler)
    }
}

/// The target of a route.
pub enum Target {
    /// A component.
    Component(Handler),
    /// The same response each time.
    Static {
        /// The id to show for it.
        id: Arc<str>,
        /// The response.
        response: Box<Response<Bytes>>,
    },
}

impl Target {
    /// Its name in the list of routes.
    pub fn id(&self) -> &Arc<str> {
        match self {
            Self::Component(handler) => &handler.component().id,
            Self::Static { id, .. } => id,
        }
    }

    /// Its description by its author; empty if there is none.
    pub fn description(&self) -> &str {
        match self {
            Self::Component(handler) => &handler.component().description,
            Self::Static { .. } => "",
        }
    }
}

/// All that loading an application needs, but its manifest.
pub struct Loader<'a> {
    /// The directory that paths in the manifest are relative to.
    pub directory: &'a Path,
    /// The engines that compile its components.
    pub engines: &'a Engines,
    /// The value of each of its variables.
    pub values: BTreeMap<String, String>,
    /// All stores there are.
    pub stores: HashMap<String, KeyValueStore>,
    /// Variables to add to the environment of each component.
    pub environment: &'a [(String, String)],
    /// The way from one of its components to the others.
    pub chaining: Arc<Chaining>,
    /// How long instances live.
    pub reuse: Reuse,
    /// How much memory an instance may have, in bytes.
    pub max_instance_memory: usize,
    /// Room for requests and instances.
    pub room: Arc<Room>,
    /// Where the instructions of instances are counted, if they are.
    pub instructions: Option<Arc<Instructions>>,
    /// Where requests and instances are observed.
    pub telemetry: Telemetry,
    /// Where everything is reported.
    pub log: Log,
}

impl Loader<'_> {
    /// Loads the application.
    pub fn load(&self, manifest: &Manifest) -> anyhow::Result<Application> {
        let sequential = linker(self.engines.sequential(), false)?;
        let mut handlers = HashMap::new();
        for (id, component) in &manifest.components {
            let handler = self
                .component(&sequential, id, component)
                .with_context(|| format!("component {id}"))?;
            handlers.insert(id.as_str(), handler);
        }
        let mut routes = Vec::new();
        let mut components = HashMap::new();
        for (number, trigger) in manifest.triggers.iter().enumerate() {
            if let manifest::Handler::Component(id) = &trigger.handler {
                components.insert(id.clone(), handlers[id.as_str()].clone());
            }
            let Some(route) = &trigger.route else {
                continue;
            };
            let target = match &trigger.handler {
                manifest::Handler::Component(id) => {
                    Target::Component(handlers[id.as_str()].clone())
                }
                manifest::Handler::Static(response) => Target::Static {
                    id: format!("trigger-{number}").into(),
                    response: Box::new(static_response(response)?),
                },
            };
            routes.push((route.clone(), target));
        }
        let (router, replaced) = Router::build(routes)?;
        let (calls, _) = Router::build([("/...".to_owned(), ())])?;
        for route in replaced {
            self.log.line(format_args!(
                "the route {} of {} is never used, a later trigger has the same",
                route.raw,
                route.target.id()
            ));
        }
        for route in router.routes() {
            if route.raw.starts_with(WELL_KNOWN_PREFIX) {
                self.log.line(format_args!(
                    "the route {} is never used, the host answers what begins with \
                     {WELL_KNOWN_PREFIX}",
                    route.raw
                ));
            }
        }
        Ok(Application {
            router,
            calls,
            components,
            info: info(manifest)?,
            room: self.room.clone(),
            request_timeout: self.reuse.request_timeout,
            telemetry: self.telemetry.clone(),
            log: self.log.clone(),
        })
    }

    fn component(
        &self,
        sequential: &Linker<InstanceState>,
        id: &str,
        component: &manifest::Component,
    ) -> anyhow::Result<Handler> {
        let mut stores = HashMap::new();
        for label in &component.key_value_stores {
            let Some(store) = self.stores.get(label) else {
                bail!(
                    "unknown key_value_stores label {label:?}; \
                     a runtime configuration file can define it"
                );
            };
            stores.insert(label.clone(), store.clone());
        }
        let allowed_hosts = AllowedHosts::resolve(&component.allowed_outbound_hosts, &self.values)?;
        let shared = Arc::new(Component {
            id: id.into(),
            description: component.description.clone(),
            environment: environment(component, self.environment),
            variables: variables::resolve(component, &self.values)?,
            stores,
            may_call: allowed_hosts.have_components(),
            allowed_hosts,
            chaining: self.chaining.clone(),
            max_memory: self.max_instance_memory,
            room: self.room.clone(),
            instructions: self.instructions.clone(),
            metrics: self.telemetry.component(id),
            telemetry: self.telemetry.clone(),
            output: self.log.component(id)?,
            log: self.log.clone(),
        });
        let path: PathBuf = self.directory.join(&component.source);
        let build = component
            .build
            .as_ref()
            .map(|build| build.commands.join(" && "));
        let wasm = artifact::read(&path, build.as_deref())?;
        let wasm = artifact::componentize(&wasm)
            .with_context(|| format!("cannot load {}", path.display()))?;
        // The engine for WASI 0.2 refuses a component of WASI 0.3 before it compiles it. A
        // component that no engine takes gets the message of the one that knows more.
        let pre = match prepare(sequential, &wasm, &path) {
            Ok(pre) => pre,
            Err(_) => {
                let concurrent = linker(self.engines.concurrent()?, true)?;
                prepare(&concurrent, &wasm, &path)?
            }
        };
        Handler::new(pre, shared, self.reuse)
            .with_context(|| format!("cannot run {}", path.display()))
    }
}

/// Compiles the component in `wasm` with the engine of `linker`, and links it. It comes from
/// the file at `path`.
fn prepare(
    linker: &Linker<InstanceState>,
    wasm: &[u8],
    path: &Path,
) -> anyhow::Result<InstancePre<InstanceState>> {
    let compiled = component::Component::from_binary(linker.engine(), wasm)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot load {}", path.display()))?;
    linker
        .instantiate_pre(&compiled)
        .map_err(anyhow::Error::from)
        .with_context(|| format!("cannot run {}", path.display()))
}

/// All that a component may import; of WASI 0.3 only with the engine for it.
fn linker(engine: &Engine, concurrent: bool) -> anyhow::Result<Linker<InstanceState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    if concurrent {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    }
    interfaces::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// The manifest's, overridden by the command line's.
fn environment(
    component: &manifest::Component,
    overrides: &[(String, String)],
) -> Vec<(String, String)> {
    let mut environment = component.environment.clone();
    environment.extend(overrides.iter().cloned());
    environment.into_iter().collect()
}

fn static_response(response: &StaticResponse) -> anyhow::Result<Response<Bytes>> {
    let mut headers = HeaderMap::new();
    for (name, value) in &response.headers {
        headers.append(
            http::HeaderName::try_from(name)?,
            http::HeaderValue::try_from(value)?,
        );
    }
    let body = response.body.clone().unwrap_or_default();
    let mut answer = Response::new(Bytes::from(body));
    *answer.headers_mut() = headers;
    *answer.status_mut() = match response.status_code {
        Some(code) => StatusCode::from_u16(code)?,
        None => StatusCode::OK,
    };
    Ok(answer)
}

/// As Spin writes it: the version only if there is one.
fn info(manifest: &Manifest) -> anyhow::Result<Bytes> {
    #[derive(serde::Serialize)]
    struct Info<'a> {
        name: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        version: &'a str,
    }
    let info = Info {
        name: &manifest.name,
        version: &manifest.version,
    };
    Ok(serde_json::to_vec_pretty(&info)?.into())
}
