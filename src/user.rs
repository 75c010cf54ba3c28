//! A user, and the rules for its members. Values of these types are valid:
//! they can only be made from input that keeps the rules, or read from the store,
//! where it was valid when it was written.

mod attribute_path;
mod attributes;
mod email;
mod external_id;
mod filter;
mod id;
mod members;
mod name;
mod profile;
mod username;
mod version;
mod violation;

pub use attribute_path::AttributePath;
pub use attributes::Attributes;
pub use email::Email;
pub use external_id::ExternalId;
pub use filter::Filter;
pub use id::UserId;
pub(crate) use members::{attributes, object, optional};
pub use name::Name;
pub use profile::Profile;
pub use username::Username;
pub use version::Version;
pub(crate) use violation::check_visible;
pub use violation::{READ_ONLY, Rule, Violation};

use crate::timestamp::Timestamp;

/// A user, at one version.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: UserId,
    pub profile: Profile,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Names this version among all versions of all users.
    pub version: Version,
}
