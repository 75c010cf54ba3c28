//! The interfaces that a component imports beyond WASI: stores and variables.
//!
//! Each submodule serves one family of interfaces on [`InstanceState`]. The
//! resources they hand out live in the instance's table and go with it.

mod spin_key_value;
mod variables;
mod wasi_key_value;

use wasmtime::component::{HasSelf, Linker};

use crate::runtime::bindings::Host_;
use crate::runtime::instance::InstanceState;

/// Makes the interfaces known to `linker`.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    Host_::add_to_linker::<_, HasSelf<InstanceState>>(linker, |state| state)
}
