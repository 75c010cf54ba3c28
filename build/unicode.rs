//! The tables of characters that the service reads: `src/unicode/table.rs` has them.
//!
//! They are made of ICU4X's data, in a form with only the properties that the service reads.
//! That data in its own form, and the crates around it, take several times as much of
//! the component.

mod decomposition;
mod properties;

use std::fmt::Write;

/// The tables as Rust.
pub fn tables() -> String {
    let mut rust = String::new();
    let mut put = |name: &str, kind: &str, value: String| {
        writeln!(rust, "static {name}: {kind} = {value};").expect("a string takes all");
    };
    let folded = decomposition::Folded::new();
    decomposition::tables(&folded, &mut put);
    properties::tables(&folded, &mut put);
    rust
}
