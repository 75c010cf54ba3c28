//! `wasi:keyvalue@0.2.0-draft2`: store, batch and atomics.

use wasmtime::Result;
use wasmtime::component::Resource;

use crate::runtime::bindings::wasi::keyvalue::atomics::{self, CasError};
use crate::runtime::bindings::wasi::keyvalue::batch;
use crate::runtime::bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use crate::runtime::instance::InstanceState;
use crate::store::{CompareAndSwap, KeyValueStore, StoreError};

type Bucket = KeyValueStore;

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

impl InstanceState {
    // A clone of the handle, so that the table isn't borrowed while an operation waits.
    fn bucket(&self, bucket: &Resource<Bucket>) -> Result<Bucket> {
        Ok(self.table.get(bucket)?.clone())
    }
}

impl store::Host for InstanceState {
    fn open(&mut self, identifier: String) -> Result<Result<Resource<Bucket>, Error>> {
        // Spin answers access-denied to any label that the manifest doesn't grant,
        // known to it or not.
        let store = self.component.stores.get(&identifier);
        let store = store.map(|store| store.of_instance(&self.basis, self.current_span.clone()));
        let Some(bucket) = store else {
            return Ok(Err(Error::AccessDenied));
        };
        Ok(Ok(self.table.push(bucket)?))
    }
}

impl store::HostBucket for InstanceState {
    async fn get(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let bucket = self.table.get(&bucket)?;
        Ok(bucket.get(&key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.bucket(&bucket)?;
        Ok(bucket.set(key, value).await.map_err(Error::from))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Result<(), Error>> {
        let bucket = self.bucket(&bucket)?;
        Ok(bucket.delete(key).await.map_err(Error::from))
    }

    async fn exists(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let bucket = self.table.get(&bucket)?;
        Ok(bucket.exists(&key).await.map_err(Error::from))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<Result<KeyResponse, Error>> {
        if cursor.is_some() {
            return Ok(Err(Error::Other(
                "list_keys: cursor not supported".to_owned(),
            )));
        }
        let keys = self.bucket(&bucket)?.list_keys().await;
        Ok(keys
            .map(|keys| KeyResponse { keys, cursor: None })
            .map_err(Error::from))
    }

    fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl batch::Host for InstanceState {
    async fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Result<Vec<(String, Option<Vec<u8>>)>, Error>> {
        let bucket = self.bucket(&bucket)?;
        if keys.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        Ok(match bucket.get_many(keys).await {
            Ok(entries) => Ok(entries
                .into_iter()
                .map(|(key, value)| (key, Some(value)))
                .collect()),
            Err(error) => Err(error.into()),
        })
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Bucket>,
        key_values: Vec<(String, Vec<u8>)>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.bucket(&bucket)?;
        if key_values.is_empty() {
            return Ok(Ok(()));
        }
        Ok(bucket.set_many(key_values).await.map_err(Error::from))
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Result<(), Error>> {
        let bucket = self.bucket(&bucket)?;
        if keys.is_empty() {
            return Ok(Ok(()));
        }
        Ok(bucket.delete_many(keys).await.map_err(Error::from))
    }
}

impl atomics::Host for InstanceState {
    async fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<Result<i64, Error>> {
        let bucket = self.bucket(&bucket)?;
        Ok(bucket.increment(key, delta).await.map_err(Error::from))
    }

    async fn swap(
        &mut self,
        cas: Resource<CompareAndSwap>,
        value: Vec<u8>,
    ) -> Result<Result<(), CasError>> {
        let mut cas = self.table.delete(cas)?;
        Ok(match cas.swap(value).await {
            Ok(true) => Ok(()),
            // A new handle for another attempt, with the present value.
            Ok(false) => Err(CasError::CasFailed(self.table.push(cas)?)),
            Err(error) => Err(CasError::StoreError(error.into())),
        })
    }
}

impl atomics::HostCas for InstanceState {
    fn new(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
    ) -> Result<Result<Resource<CompareAndSwap>, Error>> {
        let bucket = self.bucket(&bucket)?;
        Ok(Ok(self.table.push(CompareAndSwap::new(bucket, key))?))
    }

    async fn current(
        &mut self,
        cas: Resource<CompareAndSwap>,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let cas = self.table.get_mut(&cas)?;
        Ok(cas.read().await.map_err(Error::from))
    }

    fn drop(&mut self, cas: Resource<CompareAndSwap>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}
