//! What a host says to the person who started it.

use std::fmt;

use super::Host;
use crate::serve::metrics_page;

/// Its address, its routes, its data.
pub(super) struct Summary<'a> {
    pub host: &'a Host,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(store) = &self.host.default_store {
            writeln!(f, "Storing default key-value data to {store}.")?;
        }
        if let Some(open) = &self.host.open {
            writeln!(
                f,
                "Everybody who reaches the address below may read and change everything: {open}."
            )?;
        }
        let url = format!("http://{}", self.host.local_addr());
        writeln!(f, "\nServing {url}")?;
        if let Some(address) = self.host.metrics_addr() {
            writeln!(f, "Metrics: http://{address}{}", metrics_page::PATH)?;
        }
        writeln!(f, "Available Routes:")?;
        for route in self.host.application.router.routes() {
            writeln!(f, "  {}: {url}{route}", route.target.id())?;
            let description = route.target.description();
            if !description.is_empty() {
                writeln!(f, "    {description}")?;
            }
        }
        Ok(())
    }
}
