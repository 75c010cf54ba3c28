//! `fermyon:spin/variables@2.0.0` and `wasi:config@0.2.0-draft-2024-09-27`.

use wasmtime::Result;

use crate::application::variable_name::name_error;
use crate::runtime::bindings::fermyon::spin::variables;
use crate::runtime::bindings::wasi::config::store as config;
use crate::runtime::instance::InstanceState;

impl variables::Host for InstanceState {
    fn get(&mut self, name: String) -> Result<Result<String, variables::Error>> {
        if let Some(reason) = name_error(&name) {
            return Ok(Err(variables::Error::InvalidName(format!(
                "{name:?}: {reason}"
            ))));
        }
        Ok(match self.component.variables.get(&name) {
            Some(value) => Ok(value.clone()),
            None => Err(variables::Error::Undefined(format!(
                "no variable for {:?}.{name:?}",
                self.component.id
            ))),
        })
    }
}

impl config::Host for InstanceState {
    /// A name that can't be a variable's is just not found, says the proposal.
    fn get(&mut self, key: String) -> Result<Result<Option<String>, config::Error>> {
        Ok(Ok(self.component.variables.get(&key).cloned()))
    }

    fn get_all(&mut self) -> Result<Result<Vec<(String, String)>, config::Error>> {
        Ok(Ok(self
            .component
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()))
    }
}
