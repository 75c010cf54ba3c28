//! Operations on stores, through both interfaces.

use spin_sdk::key_value;
use spin_sdk::wit::wasi::keyvalue::{batch, store};

use crate::response::Answer;

/// `LABEL/OPERATION/KEY…` through `wasi:keyvalue`.
pub fn wasi(path: &[&str], body: impl FnOnce() -> Vec<u8>) -> Answer {
    let [label, path @ ..] = path else {
        return Answer::not_found();
    };
    let bucket = match store::open(label) {
        Ok(bucket) => bucket,
        Err(error) => return Answer::debug(error),
    };
    let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    match path {
        [] => Answer::text("opened"),
        ["get", key] => match bucket.get(key) {
            Ok(Some(value)) => Answer::bytes(value),
            other => Answer::debug(other),
        },
        ["set", key] => Answer::debug(bucket.set(key, &body())),
        ["delete", key] => Answer::debug(bucket.delete(key)),
        ["exists", key] => Answer::debug(bucket.exists(key)),
        ["list-keys"] => Answer::debug(bucket.list_keys(None).map(|response| response.keys)),
        ["list-keys", cursor] => {
            Answer::debug(bucket.list_keys(Some(cursor)).map(|response| response.keys))
        }
        ["get-many", keys @ ..] => Answer::debug(batch::get_many(&bucket, &owned(keys))),
        ["set-many", keys @ ..] => {
            let entries: Vec<_> = owned(keys)
                .into_iter()
                .map(|key| (key.clone(), key.into_bytes()))
                .collect();
            Answer::debug(batch::set_many(&bucket, &entries))
        }
        ["delete-many", keys @ ..] => Answer::debug(batch::delete_many(&bucket, &owned(keys))),
        _ => Answer::not_found(),
    }
}

/// `LABEL/OPERATION/KEY` through `fermyon:spin/key-value`.
pub fn spin(path: &[&str], body: impl FnOnce() -> Vec<u8>) -> Answer {
    let [label, path @ ..] = path else {
        return Answer::not_found();
    };
    let store = match key_value::Store::open(label) {
        Ok(store) => store,
        Err(error) => return Answer::debug(error),
    };
    match path {
        [] => Answer::text("opened"),
        ["get", key] => match store.get(key) {
            Ok(Some(value)) => Answer::bytes(value),
            other => Answer::debug(other),
        },
        ["set", key] => Answer::debug(store.set(key, &body())),
        ["delete", key] => Answer::debug(store.delete(key)),
        ["exists", key] => Answer::debug(store.exists(key)),
        ["get-keys"] => Answer::debug(store.get_keys()),
        _ => Answer::not_found(),
    }
}
