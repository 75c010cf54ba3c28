//! The Rust side of the interfaces in `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "host",
    imports: {
        // Writes wait for the disk, and reads of many keys for another thread. Point
        // reads answer from memory and don't await.
        "wasi:keyvalue/store.[method]bucket.list-keys": async | trappable,
        "wasi:keyvalue/batch.get-many": async | trappable,
        "fermyon:spin/key-value.[method]store.get-keys": async | trappable,
        "wasi:keyvalue/store.[method]bucket.set": async | trappable,
        "wasi:keyvalue/store.[method]bucket.delete": async | trappable,
        "wasi:keyvalue/batch.set-many": async | trappable,
        "wasi:keyvalue/batch.delete-many": async | trappable,
        "wasi:keyvalue/atomics.increment": async | trappable,
        "wasi:keyvalue/atomics.swap": async | trappable,
        "fermyon:spin/key-value.[method]store.set": async | trappable,
        "fermyon:spin/key-value.[method]store.delete": async | trappable,
        default: trappable,
    },
    with: {
        "wasi:keyvalue/store.bucket": crate::store::KeyValueStore,
        "wasi:keyvalue/atomics.cas": crate::store::CompareAndSwap,
        "fermyon:spin/key-value.store": crate::store::KeyValueStore,
    },
    require_store_data_send: true,
});
