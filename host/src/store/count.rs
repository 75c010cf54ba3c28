//! Counting the operations on the stores.

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! operations {
    ($($(#[$doc:meta])* $field:ident = $kind:ident,)*) => {
        /// How many operations the stores of a host carried out since it started.
        ///
        /// The difference of two is the operations between them. An operation that failed
        /// counts as well.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct StoreOperations {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl StoreOperations {
            /// All kinds together.
            pub fn total(&self) -> u64 {
                0 $(+ self.$field)*
            }
        }

        impl Sub for StoreOperations {
            type Output = Self;

            fn sub(self, earlier: Self) -> Self {
                Self { $($field: self.$field - earlier.$field,)* }
            }
        }

        #[derive(Clone, Copy, Debug)]
        pub(super) enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// The names of all kinds, in their order.
            pub const NAMES: &[&str] = &[$(stringify!($field),)*];

            /// The name of its spans.
            pub fn span(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!("wasi_key_value.", stringify!($field)),)*
                }
            }
        }

        /// The running counts behind [`StoreOperations`].
        #[derive(Debug, Default)]
        pub struct Counters {
            $($field: AtomicU64,)*
        }

        impl Counters {
            pub(super) fn add(&self, kind: Kind) {
                let counter = match kind {
                    $(Kind::$kind => &self.$field,)*
                };
                // Nothing is ordered by the counts, so the cheapest addition will do.
                counter.fetch_add(1, Ordering::Relaxed);
            }

            /// The counts as they are now.
            pub fn snapshot(&self) -> StoreOperations {
                StoreOperations { $($field: self.$field.load(Ordering::Relaxed),)* }
            }
        }
    };
}

operations! {
    /// `get` of one key.
    get = Get,
    /// `set` of one key.
    set = Set,
    /// `delete` of one key.
    delete = Delete,
    /// `exists`.
    exists = Exists,
    /// `list-keys` of `wasi:keyvalue`, `get-keys` of Spin.
    list_keys = ListKeys,
    /// `get-many`, whatever the number of keys.
    get_many = GetMany,
    /// `set-many`, whatever the number of keys.
    set_many = SetMany,
    /// `delete-many`, whatever the number of keys.
    delete_many = DeleteMany,
    /// `increment`.
    increment = Increment,
    /// `cas.current`, and the one the host makes after a `swap` that failed.
    current = Current,
    /// `swap`.
    swap = Swap,
}
