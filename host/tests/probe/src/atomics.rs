//! `wasi:keyvalue/atomics` on the default store.

use spin_sdk::wit::wasi::keyvalue::atomics::{Cas, CasError, increment, swap};
use spin_sdk::wit::wasi::keyvalue::store;

use crate::response::Answer;

pub fn answer(path: &[&str]) -> Answer {
    let bucket = match store::open("default") {
        Ok(bucket) => bucket,
        Err(error) => return Answer::debug(error),
    };
    match path {
        ["increment", key, delta] => {
            let delta = delta.parse().expect("it is a number");
            Answer::debug(increment(&bucket, key, delta))
        }
        // Reads, writes `between` past it, if that isn't `-`, and swaps.
        ["swap", key, between, value] => {
            let key = (*key).to_owned();
            let cas = match Cas::new(&bucket, &key) {
                Ok(cas) => cas,
                Err(error) => return Answer::debug(error),
            };
            let current = cas.current();
            if *between != "-" {
                bucket
                    .set(&key, between.as_bytes())
                    .expect("the store is sound");
            }
            let outcome = match swap(cas, value.as_bytes()) {
                Ok(()) => "swapped".to_owned(),
                Err(CasError::CasFailed(retry)) => format!("failed, now {:?}", retry.current()),
                Err(CasError::StoreError(error)) => format!("{error:?}"),
            };
            Answer::text(format!("{current:?}, {outcome}"))
        }
        _ => Answer::not_found(),
    }
}
