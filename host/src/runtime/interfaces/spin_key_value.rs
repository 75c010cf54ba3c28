//! `fermyon:spin/key-value@2.0.0`, over the same stores as `wasi:keyvalue`.

use wasmtime::Result;
use wasmtime::component::Resource;

use crate::runtime::bindings::fermyon::spin::key_value::{Error, Host, HostStore};
use crate::runtime::instance::InstanceState;
use crate::store::{KeyValueStore, StoreError};

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Other(error.to_string())
    }
}

impl Host for InstanceState {}

impl HostStore for InstanceState {
    fn open(&mut self, label: String) -> Result<Result<Resource<KeyValueStore>, Error>> {
        let store = self.component.stores.get(&label);
        let store = store.map(|store| store.of_instance(&self.basis, self.current_span.clone()));
        let Some(store) = store else {
            return Ok(Err(Error::AccessDenied));
        };
        Ok(Ok(self.table.push(store)?))
    }

    async fn get(
        &mut self,
        store: Resource<KeyValueStore>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, Error>> {
        let store = self.table.get(&store)?;
        Ok(store.get(&key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        store: Resource<KeyValueStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.set(key, value).await.map_err(Error::from))
    }

    async fn delete(
        &mut self,
        store: Resource<KeyValueStore>,
        key: String,
    ) -> Result<Result<(), Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.delete(key).await.map_err(Error::from))
    }

    async fn exists(
        &mut self,
        store: Resource<KeyValueStore>,
        key: String,
    ) -> Result<Result<bool, Error>> {
        let store = self.table.get(&store)?;
        Ok(store.exists(&key).await.map_err(Error::from))
    }

    async fn get_keys(
        &mut self,
        store: Resource<KeyValueStore>,
    ) -> Result<Result<Vec<String>, Error>> {
        let store = self.table.get(&store)?.clone();
        Ok(store.list_keys().await.map_err(Error::from))
    }

    fn drop(&mut self, store: Resource<KeyValueStore>) -> Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}
