//! The Wasmtime engine: how components are compiled, and where instances live.

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, InstanceAllocationStrategy, Memory, MemoryType,
    PoolingAllocationConfig, Store,
};

use crate::log::Log;

/// The most requests that run at the same time; the others wait. Spin's pool is as
/// large.
pub const MAX_CONCURRENT_REQUESTS: usize = 1000;

/// The most instances that exist at the same time. Some work on a request, some wait for
/// one, and some are being dropped.
const MAX_INSTANCES: u32 = 1500;

/// The size of the guard after a memory that isn't from the pool. It saves the bounds
/// checks of accesses at small offsets, which most fields have.
const GUARD_BYTES: u64 = 64 << 10;

/// How often a guest that never pauses is made to, so that others get their turn
/// and its time limit is looked at.
const EPOCH: Duration = Duration::from_millis(10);

/// The configuration of the engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineOptions {
    /// Don't keep compiled components on disk.
    pub disable_cache: bool,
    /// Don't set aside address space for instances ahead of time.
    pub disable_pooling: bool,
    /// The most memory that an instance may have, in bytes.
    pub max_instance_memory: usize,
    /// Count the instructions that components execute.
    pub count_instructions: bool,
}

/// The engines of a host: one for components of WASI 0.2, and one for those of WASI 0.3,
/// whose functions may run at the same time. That takes some work at each call between a
/// component and the host, which the others are spared.
pub struct Engines {
    options: EngineOptions,
    log: Log,
    sequential: Engine,
    concurrent: OnceLock<Engine>,
}

impl Engines {
    /// As the options ask and the machine allows.
    pub fn new(options: EngineOptions, log: &Log) -> anyhow::Result<Self> {
        Ok(Self {
            options,
            log: log.clone(),
            sequential: engine(options, false, log)?,
            concurrent: OnceLock::new(),
        })
    }

    /// The engine for components of WASI 0.2. It refuses all others.
    pub fn sequential(&self) -> &Engine {
        &self.sequential
    }

    /// The engine for components of WASI 0.3, made when the first one needs it.
    pub fn concurrent(&self) -> anyhow::Result<&Engine> {
        if let Some(engine) = self.concurrent.get() {
            return Ok(engine);
        }
        let engine = engine(self.options, true, &self.log)?;
        Ok(self.concurrent.get_or_init(|| engine))
    }
}

fn engine(options: EngineOptions, concurrent: bool, log: &Log) -> anyhow::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(options.count_instructions)
        .wasm_component_model(true)
        .concurrency_support(concurrent)
        .wasm_component_model_async(concurrent)
        // A trap is reported in one line.
        .wasm_backtrace_max_frames(None);
    if !options.disable_cache {
        match Cache::new(CacheConfig::new()) {
            Ok(cache) => {
                config.cache(Some(cache));
            }
            // Starting takes longer then, which is no reason not to.
            Err(error) => log.line(format_args!(
                "no compilation cache, components are compiled anew each time: {error:#}"
            )),
        }
    }
    if !options.disable_pooling && address_space_suffices() {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    } else {
        // Wasmtime would reserve all that 32 bits can address, and as much again to
        // guard it, for each instance: on a machine short of address space few of
        // them would find room. With bounds checks they need no more than they use.
        config
            .memory_reservation(options.max_instance_memory as u64)
            .memory_guard_size(GUARD_BYTES);
    }
    let engine = Engine::new(&config)
        .map_err(anyhow::Error::from)
        .context("cannot start Wasmtime")?;
    count_epochs(&engine)?;
    Ok(engine)
}

/// Spin's pool, by its measures: one memory and one stack an instance, and room
/// for the few core modules and tables that a component consists of.
fn pool() -> PoolingAllocationConfig {
    const MEGABYTE: usize = 1 << 20;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(MAX_INSTANCES)
        .total_memories(MAX_INSTANCES)
        .total_stacks(MAX_INSTANCES)
        .total_tables(2 * MAX_INSTANCES)
        .total_core_instances(4 * MAX_INSTANCES)
        .table_elements(100_000)
        .max_component_instance_size(10 * MEGABYTE)
        .max_core_instance_size(10 * MEGABYTE)
        .max_core_instances_per_component(200)
        .max_tables_per_component(64)
        .max_memories_per_component(32)
        .max_tables_per_module(2)
        .max_memories_per_module(2)
        // The limit of each instance is enforced as its memory grows. Reserving all
        // that 32 bits can address saves the guest its bounds checks.
        .max_memory_size(1 << 32)
        .linear_memory_keep_resident(2 * MEGABYTE)
        .table_keep_resident(MEGABYTE / 2);
    pool
}

/// Whether the machine has the 43 bits of address space for the pool. Some have
/// only 39. Reserving that much for one memory tells, and costs nothing.
fn address_space_suffices() -> bool {
    const BITS: u32 = 43;
    const PAGE_BITS: u32 = 16;
    let mut config = Config::new();
    config.wasm_memory64(true).memory_reservation(1 << BITS);
    Engine::new(&config).is_ok_and(|engine| {
        let mut store = Store::new(&engine, ());
        Memory::new(
            &mut store,
            MemoryType::new64(0, Some(1 << (BITS - PAGE_BITS))),
        )
        .is_ok()
    })
}

/// Counts the engine's epochs for as long as it exists.
fn count_epochs(engine: &Engine) -> anyhow::Result<()> {
    let engine = engine.weak();
    thread::Builder::new()
        .name("epochs".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(EPOCH);
            }
        })
        .context("cannot start a thread")?;
    Ok(())
}
