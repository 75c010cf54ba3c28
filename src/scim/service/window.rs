//! The resources of a list that an answer has: those that a filter matches, from a number on.

use serde_json::Value;

use super::asked::{Asked, read_cursor};
use super::group_mapping;
use super::mapping::{self, Resource};
use crate::configuration::Configuration;
use crate::directory::Gather;
use crate::group::Group;
use crate::message::limits::MAX_PAGE_BYTES;
use crate::message::problem::Problem;
use crate::scim::path::AttributePath;
use crate::scim::{Filter, order};
use crate::user::User;

/// The most users or groups that one list reads.
pub const MAX_READ: usize = 1000;

/// What has a resource: a user or a group.
pub trait Item {
    fn resource(&self) -> Resource;
}

impl Item for User {
    fn resource(&self) -> Resource {
        mapping::resource_of(self)
    }
}

impl Item for Group {
    fn resource(&self) -> Resource {
        group_mapping::resource_of(self)
    }
}

/// Takes what a filter matches.
pub struct Window<'w, T> {
    filter: Option<&'w Filter>,
    /// How many are not in the answer, at its start.
    pub skip: u64,
    /// How many there are in the answer at most.
    count: usize,
    /// Whether it takes all, to count them or to put them in order.
    is_whole: bool,
    read: usize,
    matched: u64,
    rows: Vec<(T, Resource)>,
    bytes: usize,
    /// Changes a resource before the filter sees it.
    complete: Option<&'w dyn Fn(&mut Resource)>,
}

impl<'w, T> Window<'w, T> {
    /// For the list that is asked for. It takes all of it if `is_whole`.
    pub fn new(asked: &'w Asked, configuration: &Configuration, is_whole: bool) -> Self {
        let count = asked.count.unwrap_or(configuration.page_size);
        let count = count.min(Configuration::MAX_PAGE_SIZE) as usize;
        Window {
            filter: asked.filter.as_ref(),
            skip: asked.start - 1,
            count,
            is_whole,
            read: 0,
            matched: 0,
            rows: Vec::new(),
            bytes: 0,
            complete: None,
        }
    }

    /// With what is to be changed before the filter sees a resource.
    pub fn completed(mut self, complete: &'w dyn Fn(&mut Resource)) -> Self {
        self.complete = Some(complete);
        self
    }

    /// Begins where the page before ended, of a list that is taken as a whole: its cursor is the number of
    /// what comes before.
    pub fn skip_to(&mut self, asked: &Asked) -> Result<(), Problem> {
        if let Some(before) = read_cursor(asked.cursor.as_deref())? {
            self.skip = before;
        }
        Ok(())
    }

    /// How many there are in the answer at most.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether it has read as many as it may.
    pub fn is_exhausted(&self) -> bool {
        self.read >= MAX_READ
    }

    /// How many the filter has matched.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// What is in the answer, in the order that is asked for.
    pub fn into_rows(mut self, asked: &Asked) -> Vec<(T, Resource)> {
        if self.is_whole {
            if let Some((path, is_descending)) = asked.sort {
                self.rows = sorted(self.rows, path, is_descending);
            }
            let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
            self.rows.drain(..skip.min(self.rows.len()));
        }
        self.rows.truncate(self.count);
        self.rows
    }
}

impl<T: Item> Gather<T> for Window<'_, T> {
    fn push(&mut self, next: T) -> bool {
        self.read += 1;
        let mut resource = next.resource();
        if let Some(complete) = self.complete {
            complete(&mut resource);
        }
        if self.filter.is_some_and(|filter| !filter.matches(&resource)) {
            return false;
        }
        self.matched += 1;
        if self.is_whole || self.matched > self.skip {
            self.bytes += resource.values().map(weight).sum::<usize>();
            self.rows.push((next, resource));
        }
        true
    }

    fn is_full(&self) -> bool {
        let is_large = self.bytes >= MAX_PAGE_BYTES || self.rows.len() >= self.count.max(1);
        self.is_exhausted() || !self.is_whole && is_large
    }
}

/// The rows in the order of an attribute; those that have the same value stay as they were.
fn sorted<T>(
    rows: Vec<(T, Resource)>,
    path: AttributePath,
    is_descending: bool,
) -> Vec<(T, Resource)> {
    // Each is put in its place: to sort takes 5 KB of the component for each type that is sorted.
    let mut sorted: Vec<(T, Resource)> = Vec::with_capacity(rows.len());
    for row in rows {
        let place = sorted.partition_point(|other| {
            let order = order::by(path, &other.1, &row.1);
            match is_descending {
                true => order.is_ge(),
                false => order.is_le(),
            }
        });
        sorted.insert(place, row);
    }
    sorted
}

/// About how many bytes a value has as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
        Value::String(text) => text.len() + 8,
        Value::Array(elements) => elements.iter().map(weight).sum(),
        Value::Object(members) => {
            let weight = |(name, value): (&String, &Value)| name.len() + 4 + weight(value);
            members.iter().map(weight).sum()
        }
    }
}
