//! Groups as SCIM resources, and back.
//!
//! | SCIM | here |
//! |---|---|
//! | `id` | `id`, as a string |
//! | `displayName` | `name` |
//! | `externalId` | `external_id` |
//! | `members` | the members, which are no part of a group's record |
//! | `meta` | `created_at`, `updated_at` and the version |
//! | all others | `attributes.scim` |

use serde_json::json;

use super::BASE;
use super::mapping::{Resource, add_schemas, kept, read, text, with_kept};
use super::refusal::invalid_value;
use crate::group::{Group, GroupName, GroupProfile};
use crate::message::problem::Problem;
use crate::scim::schema::GROUP;
use crate::user::ExternalId;

/// The path of a group.
pub fn location(id: impl std::fmt::Display) -> String {
    format!("{BASE}/Groups/{id}")
}

/// A group as a resource, without its members.
pub fn resource_of(group: &Group) -> Resource {
    let profile = &group.profile;
    let mut resource = kept(profile.attributes.as_ref());
    resource.remove("members");
    let mut put = |name: &str, value| resource.insert(name.to_owned(), value);
    put("displayName", profile.name.as_str().into());
    if let Some(external_id) = &profile.external_id {
        put("externalId", external_id.as_str().into());
    }
    put("id", group.id.to_string().into());
    put(
        "meta",
        json!({
            "resourceType": "Group",
            "created": group.created_at.to_rfc3339(),
            "lastModified": group.updated_at.to_rfc3339(),
            "location": location(group.id),
            "version": group.version.entity_tag(),
        }),
    );
    add_schemas(&mut resource, GROUP.id);
    resource
}

/// What a resource makes of a group, or of a new one. The description, and attributes beside those of
/// SCIM, stay.
pub fn profile_of(mut resource: Resource, before: Option<&Group>) -> Result<GroupProfile, Problem> {
    for name in ["schemas", "id", "meta", "members"] {
        resource.remove(name);
    }
    let name = text(&mut resource, "displayName")?;
    let name = name.ok_or_else(|| invalid_value("displayName", "is required"))?;
    let external_id = text(&mut resource, "externalId")?;
    let external_id = external_id.map(|id| read::<ExternalId>("externalId", id));
    let before = before.map(|group| &group.profile);
    let attributes = before.and_then(|before| before.attributes.as_ref());
    Ok(GroupProfile {
        name: read::<GroupName>("displayName", name)?,
        description: before.and_then(|before| before.description.clone()),
        external_id: external_id.transpose()?,
        attributes: with_kept(attributes, resource)?,
    })
}
