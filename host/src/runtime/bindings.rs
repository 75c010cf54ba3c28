//! The Rust side of the interfaces in `wit/`.

wasmtime::component::bindgen!({
    path: "wit",
    world: "host",
    imports: {
        // They wait for a disk or a server. To open a store takes neither.
        "wasi:keyvalue/store.[method]bucket.get": async | trappable,
        "wasi:keyvalue/store.[method]bucket.set": async | trappable,
        "wasi:keyvalue/store.[method]bucket.delete": async | trappable,
        "wasi:keyvalue/store.[method]bucket.exists": async | trappable,
        "wasi:keyvalue/store.[method]bucket.list-keys": async | trappable,
        "wasi:keyvalue/batch.get-many": async | trappable,
        "wasi:keyvalue/batch.set-many": async | trappable,
        "wasi:keyvalue/batch.delete-many": async | trappable,
        "wasi:keyvalue/atomics.increment": async | trappable,
        "wasi:keyvalue/atomics.[method]cas.current": async | trappable,
        "wasi:keyvalue/atomics.swap": async | trappable,
        "fermyon:spin/key-value.[method]store.get": async | trappable,
        "fermyon:spin/key-value.[method]store.set": async | trappable,
        "fermyon:spin/key-value.[method]store.delete": async | trappable,
        "fermyon:spin/key-value.[method]store.exists": async | trappable,
        "fermyon:spin/key-value.[method]store.get-keys": async | trappable,
        default: trappable,
    },
    with: {
        "wasi:keyvalue/store.bucket": crate::store::KeyValueStore,
        "wasi:keyvalue/atomics.cas": crate::store::CompareAndSwap,
        "fermyon:spin/key-value.store": crate::store::KeyValueStore,
    },
    require_store_data_send: true,
});
