//! What an instance of a component rests on: all that it wrote to its stores, or read in them.
//!
//! It belongs to the instance and not to a request, as an instance may remember what it read for
//! one request while it answers the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::durability::{Durability, NotDurable};
use super::lost::NEVER;

/// The latest moment of each database that an instance has seen something of.
#[derive(Debug, Default)]
pub struct Basis(Vec<(Arc<Durability>, AtomicU64)>);

impl Basis {
    /// Of a new instance, with the databases of its stores.
    pub fn new<'a>(databases: impl Iterator<Item = &'a Arc<Durability>>) -> Self {
        let mut basis = Self::default();
        for database in databases {
            if basis.of(database).is_none() {
                basis.0.push((database.clone(), AtomicU64::new(0)));
            }
        }
        basis
    }

    /// Notes that the instance has seen something that was in a database at this moment.
    pub fn rest_on(&self, database: &Arc<Durability>, moment: u64) {
        if let Some(latest) = self.of(database) {
            // What comes later does not make up for what is lost. In this order: a moment after
            // those that are lost is looked at when they are known.
            let is_lost =
                database.is_lost(moment) || database.is_lost(latest.load(Ordering::SeqCst));
            latest.fetch_max(if is_lost { NEVER } else { moment }, Ordering::SeqCst);
        }
    }

    fn of(&self, database: &Arc<Durability>) -> Option<&AtomicU64> {
        let found = self.0.iter().find(|(of, _)| Arc::ptr_eq(of, database));
        found.map(|(_, latest)| latest)
    }

    /// Whether no crash can take anything of it back.
    pub fn is_durable(&self) -> bool {
        let mut all = self.0.iter();
        all.all(|(database, latest)| database.is_durable(latest.load(Ordering::SeqCst)))
    }

    /// Whether anything of it is gone. The instance is of no use then: what it knows is not so.
    pub fn is_lost(&self) -> bool {
        let mut all = self.0.iter();
        all.any(|(database, latest)| database.is_lost(latest.load(Ordering::SeqCst)))
    }

    /// Waits until no crash can take back anything of what it is now.
    pub async fn durable(&self) -> Result<(), NotDurable> {
        for (database, latest) in &self.0 {
            database.durable(latest.load(Ordering::SeqCst)).await?;
        }
        Ok(())
    }
}
