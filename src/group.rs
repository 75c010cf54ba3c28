//! A group of users, and the rules for its members. As in [`user`](crate::user), values of these
//! types are valid.

mod description;
mod id;
mod name;
mod profile;

pub use description::Description;
pub use id::GroupId;
pub use name::GroupName;
pub use profile::GroupProfile;

use crate::timestamp::Timestamp;
use crate::user::Version;

/// A group, at one version. Who is in it, the users say.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub id: GroupId,
    pub profile: GroupProfile,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Names this version among all versions of all groups. Users who come and go don't change it.
    pub version: Version,
}
