//! The sizes of the parts of lists, and of blocks of ids.

/// They decide how much work a request has, and how large values get. They are small in
/// simulations, and may differ from one instance to the next, but for [`Sizes::block`].
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The most users in a leaf of a list; at least 2.
    pub leaf: usize,
    /// The most nodes below a node of the index; at least 2.
    pub inner: usize,
    /// The most new users that one request puts into the index.
    pub merged: usize,
    /// The most creates under way, or dead, that the index waits for.
    pub open: usize,
    /// A create whose id is divisible by this puts new users into the index.
    pub merge_every: u64,
    /// How many ids a block has. All instances of a store have the same.
    pub block: u64,
}

impl Sizes {
    /// Those of the service.
    pub const SERVICE: Sizes = Sizes {
        leaf: 32,
        inner: 64,
        merged: 64,
        open: 64,
        merge_every: 32,
        block: 256,
    };
}
