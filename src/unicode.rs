//! What Unicode says of characters and texts, as far as the service asks it.
//!
//! The tables are made by `build/unicode.rs` of the data of ICU4X. In the component they
//! take 42 KB; the crates that do the same take 157 KB (`idna` on ICU4X), 246 KB
//! (`precis-profiles`) and 291 KB (`idna` on `unicode-normalization`).

mod caseless;
mod composition;
mod decomposition;
mod table;
#[cfg(test)]
mod tests;
mod visible;

pub use caseless::caseless;
pub(crate) use caseless::is_comparable;
pub(crate) use composition::compose;
pub(crate) use decomposition::{Decomposition, fold};
pub(crate) use table::{Bidi, Joining, Kind, class, properties};
pub(crate) use visible::{is_joiner, is_seen, unseen};
