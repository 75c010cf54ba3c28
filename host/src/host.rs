//! A running host. `edge-host up` starts one.
//!
//! * [`summary`] is what it says to the person who started it.

mod summary;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use crate::application::build_command;
use crate::application::exposure;
use crate::application::manifest::Manifest;
use crate::application::runtime_config::{DEFAULT_STORE, DEFAULT_STORE_FILE, RuntimeConfig};
use crate::application::variable_source;
use crate::application::variables::{self, Provider};
use crate::log::Log;
use crate::options::UpOptions;
use crate::runtime::chaining::Chaining;
use crate::runtime::engine::{EngineOptions, Engines};
use crate::runtime::handler::Reuse;
use crate::runtime::instructions::Instructions;
use crate::runtime::loader::{Application, Loader};
use crate::runtime::room::Room;
use crate::serve::date;
use crate::serve::metrics_page::MetricsPage;
use crate::serve::server::{self, Server};
use crate::serve::startup_check;
use crate::store::count::{Counters, StoreOperations};
use crate::store::{Backend, KeyValueStore, Location, LogSync, StoreConfig};
use crate::telemetry::Telemetry;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::otlp::Otlp;
use crate::telemetry::trace::Tracing;
use summary::Summary;

/// A host that is being started. Its type hides the future of an `async fn`, for which each program
/// that starts a host would compile the whole host once more.
type Started = Pin<Box<dyn Future<Output = anyhow::Result<Host>> + Send>>;

/// A running host.
///
/// Dropping it leaves its connections to finish by themselves; [`Host::shutdown`]
/// waits for them.
pub struct Host {
    server: Server,
    application: Arc<Application>,
    metrics_page: Option<MetricsPage>,
    otlp: Otlp,
    backends: Vec<Backend>,
    counters: Arc<Counters>,
    instructions: Option<Arc<Instructions>>,
    /// The operations of the host itself on the stores, before it served.
    setup: StoreOperations,
    default_store: Option<StoreConfig>,
    /// How long it drains before it stops listening.
    drain: Duration,
    /// The setting that lets every client do everything, if there is one.
    open: Option<String>,
}

impl Host {
    /// Starts a host. It listens and serves when this returns.
    ///
    /// Fails with one line about a mistake in the options, in the manifest, or in a file that
    /// they name.
    pub fn start(options: UpOptions) -> Started {
        Self::start_syncing(options, Arc::new(File::sync_data))
    }

    /// The same, with the logs of the stores brought to the disk by `sync`: for tests of crashes
    /// and of disks that fail.
    pub fn start_syncing(options: UpOptions, sync: LogSync) -> Started {
        Box::pin(Self::open(options, sync))
    }

    async fn open(options: UpOptions, sync: LogSync) -> anyhow::Result<Self> {
        if date::now().is_none() {
            bail!(date::CLOCK_IS_WRONG);
        }
        let path = options.manifest();
        let manifest = Manifest::read(&path)?;
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        if options.build {
            build_command::run(&manifest, directory).await?;
        }
        let config = match &options.runtime_config_file {
            Some(path) => RuntimeConfig::read(path)?,
            None => RuntimeConfig::default(),
        };
        let log_dir = options.log_dir.as_ref().or(config.log_dir.as_ref());
        let log = Log::new(options.quiet, options.discard_stdout, given(log_dir))?;

        let given_values = variable_source::merge(&options.variables)?;
        variables::check_declared(&manifest, given_values.keys())?;
        let mut providers = vec![Provider::Static(given_values)];
        providers.extend(config.providers.iter().cloned());
        providers.push(Provider::default_environment()?);
        let mut values = variables::values(&manifest, &providers)?;
        let settings = &manifest.settings;
        let open = exposure::check(settings, &values, options.listen, options.allow_open)?;
        exposure::allow_hosts(settings, &mut values, &options.allow_hosts)?;

        let otlp = Otlp::from_environment(&log)?;
        if let Some(logger) = otlp.logger() {
            log.send_by(logger);
        }
        let meter = otlp.meter();
        let metrics = if options.metrics.is_some() || meter.is_some() {
            Some(Metrics::new(meter)?)
        } else {
            None
        };
        let telemetry = Telemetry::new(metrics.clone(), otlp.tracer().map(Tracing::new));
        let counters = Arc::new(Counters::default());
        let configs = store_configs(&options, &config, directory)?;
        let (stores, backends) = open_stores(
            &configs, &manifest, &options, &sync, &counters, &telemetry, &log,
        )
        .await?;
        let default_store = stores.get(DEFAULT_STORE).cloned();
        let uses_default = manifest.components.values().any(|component| {
            component
                .key_value_stores
                .iter()
                .any(|l| l == DEFAULT_STORE)
        });
        let max_memory = options.max_memory();
        let max_instance_memory = options.max_instance_memory(config.max_instance_memory);
        let max_instance_memory = max_instance_memory.min(max_memory);
        let engines = Engines::new(
            EngineOptions {
                disable_cache: options.disable_cache,
                disable_pooling: options.disable_pooling,
                max_instance_memory,
                count_instructions: options.count_instructions,
            },
            &log,
        )?;
        let instructions = options.count_instructions.then(Arc::default);
        let chaining: Arc<Chaining> = Arc::default();
        let application = Loader {
            directory,
            engines: &engines,
            values,
            stores,
            environment: &options.env,
            chaining: chaining.clone(),
            reuse: Reuse {
                max_requests: options.max_instance_reuse_count,
                max_concurrent_requests: options.max_instance_concurrent_reuse_count,
                idle_timeout: options.idle_instance_timeout,
                request_timeout: options.request_timeout,
            },
            max_instance_memory,
            room: Room::new(options.max_requests(), max_memory),
            instructions: instructions.clone(),
            telemetry,
            log: log.clone(),
        }
        .load(&manifest)?;
        let application = Arc::new(application);
        chaining.connect(&application);
        startup_check::run(&application, &manifest.settings.readiness).await?;
        let listener = server::listen(options.listen, "--listen").await?;
        if let Some(metrics) = &metrics {
            let room = application.room.clone();
            metrics.set_limits(options.limits().connections, move || room.usage());
        }
        let metrics_page = match (options.metrics, metrics) {
            (Some(address), Some(metrics)) => {
                let listener = server::listen(address, "--metrics").await?;
                Some(MetricsPage::start(listener, metrics, application.clone())?)
            }
            _ => None,
        };
        // Only now: a start that fails for any other reason leaves the data alone.
        if let Some(store) = default_store {
            for (key, value) in &options.key_values {
                store
                    .set(key.clone(), value.clone().into_bytes())
                    .await
                    .with_context(|| format!("cannot set the key {key}"))?;
            }
            if let Some(durability) = store.durability() {
                let durable = durability.durable(durability.latest()).await;
                durable.map_err(|_| anyhow!("cannot bring the keys to the disk"))?;
            }
        }
        let setup = counters.snapshot();
        let readiness = manifest.settings.readiness;
        let server = Server::start(application.clone(), listener, options.limits(), readiness)?;
        Ok(Self {
            server,
            application,
            metrics_page,
            otlp,
            backends,
            setup,
            counters,
            instructions,
            default_store: configs.get(DEFAULT_STORE).filter(|_| uses_default).cloned(),
            drain: options.drain,
            open,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where it serves its metrics, if it does.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics_page.as_ref().map(MetricsPage::address)
    }

    /// The operations of its components on their stores since it started.
    pub fn store_operations(&self) -> StoreOperations {
        self.counters.snapshot() - self.setup
    }

    /// How many WebAssembly instructions the instances executed that are gone, from
    /// when they were made. None unless
    /// [`count_instructions`](UpOptions::count_instructions) is set.
    pub fn instructions(&self) -> Option<u64> {
        self.instructions.as_ref().map(|count| count.total())
    }

    /// A text for the person who started it: its address, its routes, its data.
    pub fn summary(&self) -> impl fmt::Display + '_ {
        Summary { host: self }
    }

    /// Drains for as long as the options say. Then accepts no more connections, answers all
    /// requests, for at most ten seconds, and closes the stores.
    pub async fn shutdown(self) -> anyhow::Result<()> {
        self.server.stop(self.drain).await?;
        let backends = self.backends;
        tokio::task::spawn_blocking(move || {
            for backend in backends {
                backend.close();
            }
        })
        .await?;
        self.otlp.shutdown().await;
        self.application.log.flush().await;
        Ok(())
    }
}

/// An empty path is one that is explicitly not given.
fn given(path: Option<&PathBuf>) -> Option<&Path> {
    path.map(PathBuf::as_path)
        .filter(|path| !path.as_os_str().is_empty())
}

/// Where each label's store is: as configured, and the default one in the state
/// directory.
fn store_configs(
    options: &UpOptions,
    config: &RuntimeConfig,
    directory: &Path,
) -> anyhow::Result<BTreeMap<String, StoreConfig>> {
    let mut configs = config.stores.clone();
    if !configs.contains_key(DEFAULT_STORE) {
        let default_directory = directory.join(".spin");
        let state_dir = options
            .state_dir
            .as_ref()
            .or(config.state_dir.as_ref())
            .unwrap_or(&default_directory);
        let location = match given(Some(state_dir)) {
            Some(state_dir) => {
                Location::File(std::path::absolute(state_dir.join(DEFAULT_STORE_FILE))?)
            }
            None => Location::Memory,
        };
        configs.insert(DEFAULT_STORE.to_owned(), StoreConfig::Sqlite(location));
    }
    Ok(configs)
}

type Stores = HashMap<String, KeyValueStore>;

/// Opens the stores that are used. Those in the same file or on the same server share a backend;
/// each in memory has one of its own.
async fn open_stores(
    configs: &BTreeMap<String, StoreConfig>,
    manifest: &Manifest,
    options: &UpOptions,
    sync: &LogSync,
    counters: &Arc<Counters>,
    telemetry: &Telemetry,
    log: &Log,
) -> anyhow::Result<(Stores, Vec<Backend>)> {
    let is_used = |label: &str| {
        (label == DEFAULT_STORE && !options.key_values.is_empty())
            || manifest
                .components
                .values()
                .any(|component| component.key_value_stores.iter().any(|l| l == label))
    };
    let mut shared: HashMap<&StoreConfig, Backend> = HashMap::new();
    let mut backends = Vec::new();
    let mut stores = Stores::new();
    for (label, config) in configs {
        if !is_used(label) {
            continue;
        }
        let backend = match shared.get(config) {
            Some(backend) => backend.clone(),
            None => {
                let backend = Backend::open(config, log, sync).await?;
                backends.push(backend.clone());
                if *config != StoreConfig::Sqlite(Location::Memory) {
                    shared.insert(config, backend.clone());
                }
                backend
            }
        };
        stores.insert(
            label.clone(),
            backend.store(label, counters.clone(), telemetry),
        );
    }
    Ok((stores, backends))
}
