//! How large the parts are of what the store keeps.

/// Sizes that decide how much work a request has, and how large values get. All
/// but `idempotency_slots` may differ from one instance to the next. They are
/// small in simulations.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Over how many cells the idempotency keys are spread. It must never change for a store
    /// that is in use.
    pub idempotency_slots: u64,
    /// The most users in a leaf of the index of names; at least 2.
    pub leaf: usize,
    /// The most nodes below a node of the index; at least 2.
    pub inner: usize,
    /// The most new users that one request puts into the index.
    pub merged: usize,
    /// The most creates under way, or dead, that the index waits for.
    pub open: usize,
    /// A create whose id is divisible by this puts new users into the index.
    pub merge_every: u64,
}

impl Sizes {
    /// Those of the service.
    pub const SERVICE: Sizes = Sizes {
        idempotency_slots: 65_536,
        leaf: 32,
        inner: 64,
        merged: 64,
        open: 64,
        merge_every: 32,
    };
}
