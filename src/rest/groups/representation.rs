//! Groups as clients see them.

use serde::Serialize;
use serde::ser::SerializeMap;

use super::super::listing::Listing;
use super::super::patch::Patched;
use crate::directory::Gather;
use crate::group::{Group, GroupProfile};
use crate::message::problem::Problem;
use crate::user::Violation;

/// A group, as it is represented.
pub(super) struct Representation<'a>(pub &'a Group);

impl Serialize for Representation<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        push_members(&mut map, self.0)?;
        map.end()
    }
}

/// Adds a group as JSON text.
fn push(group: &Group, text: &mut Vec<u8>) {
    serde_json::to_writer(text, &Representation(group)).expect("it has string keys only");
}

/// Adds the members of a group to an object.
pub(super) fn push_members<M: SerializeMap>(map: &mut M, group: &Group) -> Result<(), M::Error> {
    let Group {
        id,
        profile,
        created_at,
        updated_at,
        version: _,
    } = group;
    map.serialize_entry("id", id)?;
    map.serialize_entry("name", &profile.name)?;
    if let Some(description) = &profile.description {
        map.serialize_entry("description", description)?;
    }
    if let Some(external_id) = &profile.external_id {
        map.serialize_entry("external_id", external_id)?;
    }
    if let Some(attributes) = &profile.attributes {
        map.serialize_entry("attributes", attributes)?;
    }
    map.serialize_entry("created_at", &created_at.to_rfc3339())?;
    map.serialize_entry("updated_at", &updated_at.to_rfc3339())
}

impl Gather<Group> for Listing {
    fn push(&mut self, group: Group) -> bool {
        self.add(group.version, |text| push(&group, text));
        true
    }

    fn is_full(&self) -> bool {
        self.is_full()
    }
}

impl Patched for Group {
    type Profile = GroupProfile;

    fn profile(&self) -> &GroupProfile {
        &self.profile
    }

    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        push(self, &mut text);
        text
    }

    fn read(value: serde_json::Value) -> Result<GroupProfile, Problem> {
        GroupProfile::from_json(value).map_err(Problem::invalid_group)
    }

    fn refuse(violations: Vec<Violation>) -> Problem {
        Problem::invalid_group(violations)
    }
}
