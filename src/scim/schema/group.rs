//! The schema of groups (RFC 7643, section 4.2).

use super::{Attribute, Mutability, Returned, Schema};

/// The schema of groups.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of users.",
    attributes: &[
        Attribute::text("displayName", "The name of the group.")
            .required()
            .unique(),
        Attribute::complex("members", "The users in the group.", MEMBER).many(),
    ],
};

const MEMBER: &[Attribute] = &[
    Attribute::text("value", "The id of the user.")
        .exact()
        .set(Mutability::Immutable),
    Attribute::reference("$ref", "Where the user is.", &["User"]).set(Mutability::Immutable),
    Attribute::text("display", "The user's name.")
        .set(Mutability::ReadOnly)
        .returned(Returned::Request),
    Attribute::text("type", "What the member is: a group has users alone.")
        .usually(&["User"])
        .set(Mutability::Immutable),
];
