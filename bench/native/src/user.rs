//! A user.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The members that clients set.
#[derive(Clone, Debug, Deserialize)]
pub struct NewUser {
    pub name: String,
    pub email: Option<String>,
    pub attributes: Option<Map<String, Value>>,
}

/// A user as clients get it.
#[derive(Clone, Debug, Serialize)]
pub struct User {
    pub id: u64,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Map<String, Value>>,
    pub created_at: String,
    pub updated_at: String,
}

impl NewUser {
    /// The user of that number whom every store of the benchmark has.
    pub fn of_benchmark(number: u64) -> NewUser {
        NewUser {
            name: format!("User {number:07}"),
            email: Some(format!("user{number:07}@example.com")),
            attributes: None,
        }
    }

    /// The user that it becomes now.
    pub fn with_id(self, id: u64) -> User {
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        User {
            id,
            name: self.name,
            email: self.email,
            attributes: self.attributes,
            created_at: now.clone(),
            updated_at: now,
        }
    }
}
