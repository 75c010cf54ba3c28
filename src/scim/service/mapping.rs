//! Users as SCIM resources, and back.
//!
//! | SCIM | here |
//! |---|---|
//! | `id` | `id`, as a string |
//! | `userName` | `username` |
//! | `displayName` | `name` |
//! | the primary email's `value` | `email` |
//! | `active` | `active` |
//! | `externalId` | `external_id` |
//! | `meta` | `created_at`, `updated_at` and the version |
//! | all others | `attributes.scim` |
//!
//! What is kept has the form in which SCIM has it, less the values that members of the user have. So a
//! change of these by another interface is seen at once, and everything else survives it. Two things
//! can't be told by absence alone, so `absent` names them: attributes that the client did not give,
//! while a user always has a value.

use serde_json::{Map, Value, json};

use super::BASE;
use super::refusal::{INVALID_VALUE, invalid_value};
use crate::message::problem::Problem;
use crate::scim::schema::USER;
use crate::user::{Attributes, Email, ExternalId, Name, Profile, User, Username};

/// A resource as JSON.
pub type Resource = Map<String, Value>;

/// The member of what is kept that names the attributes which the client did not give.
const ABSENT: &str = "absent";

/// What is kept of a resource in its attributes; nothing if it is no object.
pub fn kept(attributes: Option<&Attributes>) -> Resource {
    let kept = attributes.and_then(Attributes::of_scim);
    kept.cloned().unwrap_or_default()
}

/// The attributes with what is kept of a resource in place of what was.
pub fn with_kept(
    attributes: Option<&Attributes>,
    kept: Resource,
) -> Result<Option<Attributes>, Problem> {
    let mut members: Map<_, _> = attributes.cloned().map(Map::from).unwrap_or_default();
    members.remove(Attributes::SCIM);
    if !kept.is_empty() {
        members.insert(Attributes::SCIM.to_owned(), kept.into());
    } else if attributes.is_none() {
        return Ok(None);
    }
    let attributes = Attributes::try_from(members);
    attributes.map(Some).map_err(|rule| {
        let detail = format!("The attributes that REST shows as attributes.scim {rule}.");
        Problem::new(INVALID_VALUE, detail)
    })
}

/// Adds the names of the schemas of a resource: the one of its type, and its extensions.
pub fn add_schemas(resource: &mut Resource, schema: &str) {
    let extensions = resource.keys().filter(|name| name.contains(':'));
    let schemas = [schema].into_iter().map(str::to_owned);
    let schemas: Vec<_> = schemas.chain(extensions.cloned()).collect();
    resource.insert("schemas".to_owned(), schemas.into());
}

/// The path of a user.
pub fn location(id: impl std::fmt::Display) -> String {
    format!("{BASE}/Users/{id}")
}

/// A user as a resource.
pub fn resource_of(user: &User) -> Resource {
    let profile = &user.profile;
    let mut resource = kept(profile.attributes.as_ref());
    let absent = resource.remove(ABSENT).unwrap_or_default();
    let is_absent = |name: &str| {
        let mut names = absent.as_array().into_iter().flatten();
        names.any(|absent| absent == name)
    };
    let emails = emails(resource.remove("emails"), profile.email.as_ref());
    let mut put = |name: &str, value: Value| resource.insert(name.to_owned(), value);
    if !emails.is_empty() {
        put("emails", emails.into());
    }
    if let Some(username) = &profile.username {
        put("userName", username.as_str().into());
    }
    if let Some(external_id) = &profile.external_id {
        put("externalId", external_id.as_str().into());
    }
    if !(is_absent("active") && profile.active) {
        put("active", profile.active.into());
    }
    put("id", user.id.to_string().into());
    put(
        "meta",
        json!({
            "resourceType": "User",
            "created": user.created_at.to_rfc3339(),
            "lastModified": user.updated_at.to_rfc3339(),
            "location": location(user.id),
            "version": user.version.entity_tag(),
        }),
    );
    let name = profile.name.as_str();
    if !is_absent("displayName") || derived_name(&resource).is_none_or(|own| own != profile.name) {
        resource.insert("displayName".to_owned(), name.into());
    }
    add_schemas(&mut resource, USER.id);
    resource
}

/// The name of a user for whom none is given to be displayed: the formatted name, or the parts of the
/// name, or the username.
fn derived_name(resource: &Resource) -> Option<Name> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = resource.get("name").unwrap_or(&Value::Null);
    let parts = ["givenName", "middleName", "familyName"].map(|part| text(&name[part]));
    let parts = Vec::from_iter(parts.into_iter().flatten()).join(" ");
    let username = resource.get("userName").and_then(text);
    let candidates = [text(&name["formatted"]), Some(parts), username];
    let mut candidates = candidates.into_iter().flatten();
    candidates.find_map(|candidate| Name::try_from(candidate).ok())
}

/// The emails as SCIM has them, of those that are kept and the user's own. Of these, the one without
/// a value has the value of the user's own.
fn emails(kept: Option<Value>, own: Option<&Email>) -> Vec<Value> {
    let mut emails = match kept {
        Some(Value::Array(emails)) => emails,
        _ => Vec::new(),
    };
    emails.retain(Value::is_object);
    let place = emails.iter().position(|email| email["value"].is_null());
    match (place, own) {
        (Some(place), Some(own)) => emails[place]["value"] = own.as_str().into(),
        (Some(place), None) => {
            emails.remove(place);
        }
        (None, Some(own)) => {
            for email in &mut emails {
                if email["primary"] == true {
                    email["primary"] = false.into();
                }
            }
            emails.insert(0, json!({ "value": own.as_str(), "primary": true }));
        }
        (None, None) => {}
    }
    emails
}

/// What a resource makes of a user, or of a new one. Attributes beside those of SCIM stay.
pub fn profile_of(mut resource: Resource, before: Option<&User>) -> Result<Profile, Problem> {
    for name in ["schemas", "id", "meta", "groups", "password"] {
        resource.remove(name);
    }
    let shown = before.map(resource_of).unwrap_or_default();
    let before = before.map(|user| &user.profile);
    let derived = derived_name(&resource);
    let username = text(&mut resource, "userName")?;
    let username = username.ok_or_else(|| invalid_value("userName", "is required"))?;
    let username = read::<Username>("userName", username)?;
    let external_id = text(&mut resource, "externalId")?;
    let external_id = external_id.map(|id| read::<ExternalId>("externalId", id));
    let mut absent = Vec::new();
    let name = match text(&mut resource, "displayName")? {
        Some(name) => read::<Name>("displayName", name)?,
        None => {
            absent.push("displayName");
            derived.ok_or_else(|| invalid_value("displayName", "is required"))?
        }
    };
    let active = match resource.remove("active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(active),
        Some(_) => return Err(invalid_value("active", "must be true or false")),
    };
    let email = match (before, resource.get("emails")) {
        // They are as they were: so the email is, even where it was changed by another interface.
        (Some(before), emails) if emails == shown.get("emails") => {
            let mut kept = kept(before.attributes.as_ref());
            match kept.remove("emails") {
                Some(emails) => resource.insert("emails".to_owned(), emails),
                None => resource.remove("emails"),
            };
            before.email.clone()
        }
        _ => take_email(&mut resource)?,
    };
    // A client that takes the attribute away sees that it is gone.
    if active.is_none() && before.is_some() {
        absent.push("active");
    }
    if !absent.is_empty() {
        resource.insert(ABSENT.to_owned(), absent.into());
    }
    let attributes = before.and_then(|before| before.attributes.as_ref());
    Ok(Profile {
        name,
        email,
        username: Some(username),
        external_id: external_id.transpose()?,
        active: active.unwrap_or(true),
        attributes: with_kept(attributes, resource)?,
    })
}

/// Takes an attribute that is a string.
pub fn text(resource: &mut Resource, name: &str) -> Result<Option<String>, Problem> {
    match resource.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(invalid_value(name, "must be a string")),
    }
}

/// Reads the value of an attribute.
pub fn read<T: TryFrom<String, Error = crate::user::Rule>>(
    name: &str,
    text: String,
) -> Result<T, Problem> {
    T::try_from(text).map_err(|rule| invalid_value(name, &rule))
}

/// Takes the value of the primary email, or of the first one if none is primary. An email without a
/// value is none. What is left of the emails stays.
fn take_email(resource: &mut Resource) -> Result<Option<Email>, Problem> {
    let Some(Value::Array(mut emails)) = resource.remove("emails") else {
        return Ok(None);
    };
    emails.retain(|email| email["value"].as_str().is_some_and(|text| !text.is_empty()));
    let primary = emails.iter().position(|email| email["primary"] == true);
    let Some(Value::Object(own)) = emails.get_mut(primary.unwrap_or(0)) else {
        return Ok(None);
    };
    let email = text(own, "value")?.unwrap_or_default();
    let email = read("emails.value", email)?;
    let is_plain = own.len() == 1 && primary.is_some() && emails.len() == 1;
    if !is_plain {
        resource.insert("emails".to_owned(), emails.into());
    }
    Ok(Some(email))
}
