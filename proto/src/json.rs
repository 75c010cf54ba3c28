//! JSON of messages as protobuf maps it, where serde by itself would have it otherwise. Each module
//! is a kind of field.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::edgeusers::v1::{ImportUsersResponse, import_users_response};

/// Reads a message. A field that is null counts as absent, as the mapping has it, but for what is
/// in a [`Struct`](crate::Struct). Fails with what is wrong, in a sentence without its subject.
pub fn read<M: DeserializeOwned>(mut value: Value) -> Result<M, String> {
    drop_nulls(&mut value);
    message::read_value(value).map_err(|error: serde_json::Error| error.to_string())
}

fn drop_nulls(value: &mut Value) {
    let Value::Object(members) = value else {
        return;
    };
    members.retain(|_, member| !member.is_null());
    for (name, member) in members {
        if name != "attributes" {
            drop_nulls(member);
        }
    }
}

/// A field of a oneof is a member like any other.
impl Serialize for ImportUsersResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use import_users_response::Result;
        let mut map = serializer.serialize_map(None)?;
        match &self.result {
            None => {}
            Some(Result::User(user)) => map.serialize_entry("user", user)?,
            Some(Result::Error(error)) => map.serialize_entry("error", error)?,
        }
        map.end()
    }
}

/// Whether a field has its default, and is left out.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An integer as a number or as a string, both of which may be written with a fraction of zero.
fn integer<E: Error>(value: &Value) -> Result<i128, E> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(E::custom("an integer was expected")),
    };
    let whole = |text: &str| text.parse::<i128>().ok();
    let float = |text: &str| {
        let number: f64 = text.parse().ok()?;
        let is_whole = number.fract() == 0.0 && number.abs() < 1e20;
        is_whole.then_some(number as i128)
    };
    let plain = text.trim() == text && !text.starts_with('+');
    let number = plain.then(|| whole(&text).or_else(|| float(&text)));
    number
        .flatten()
        .ok_or_else(|| E::custom(format!("{text:?} is no integer")))
}

fn within<T: TryFrom<i128>, E: Error>(value: &Value) -> Result<T, E> {
    let number = integer(value)?;
    T::try_from(number).map_err(|_| E::custom(format!("{number} is out of range")))
}

/// A message within a message. By itself serde takes an array of the fields for one too.
pub(crate) mod message {
    use super::{DeserializeOwned, Deserializer, Error, Value};

    pub fn read<'de, D: Deserializer<'de>, M: DeserializeOwned>(
        deserializer: D,
    ) -> Result<Option<M>, D::Error> {
        let value = <Value as super::Deserialize>::deserialize(deserializer)?;
        read_value(value).map(Some)
    }

    pub fn read_value<M: DeserializeOwned, E: Error>(value: Value) -> Result<M, E> {
        match value {
            Value::Object(_) => M::deserialize(value).map_err(E::custom),
            _ => Err(E::custom("a JSON object was expected")),
        }
    }
}

pub(crate) mod uint64 {
    use super::{Deserialize, Deserializer, Serializer, Value, within};

    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        within(&Value::deserialize(deserializer)?)
    }

    pub fn write<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }
}

pub(crate) mod uint64s {
    use super::{Deserialize, Deserializer, Value, within};

    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
        let values: Vec<Value> = Deserialize::deserialize(deserializer)?;
        values.iter().map(within).collect()
    }
}

pub(crate) mod int32 {
    use super::{Deserialize, Deserializer, Value, within};

    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
        within(&Value::deserialize(deserializer)?)
    }
}

/// RFC 3339, in UTC.
pub(crate) mod timestamp {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use chrono::{DateTime, SecondsFormat, Utc};
    use prost_types::Timestamp;

    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text)
            .map_err(|_| D::Error::custom(format!("{text:?} is no time as RFC 3339 has it")))?;
        Ok(Some(Timestamp {
            seconds: time.timestamp(),
            nanos: time.timestamp_subsec_nanos() as i32,
        }))
    }

    pub fn write<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let Some(Timestamp { seconds, nanos }) = *time else {
            return serializer.serialize_none();
        };
        let time = DateTime::<Utc>::from_timestamp(seconds, u32::try_from(nanos).unwrap_or(0));
        let time = time.unwrap_or_default();
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

/// Paths in lower camel case, separated by commas.
pub(crate) mod field_mask {
    use super::{Deserialize, Deserializer};
    use prost_types::FieldMask;

    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<FieldMask>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let paths = text.split(',').filter(|path| !path.is_empty());
        let paths = paths.map(snake_case).collect();
        Ok(Some(FieldMask { paths }))
    }

    fn snake_case(path: &str) -> String {
        let mut snake = String::new();
        for c in path.chars() {
            if c.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        }
        snake
    }
}

pub(crate) mod serving_status {
    use super::Serializer;
    use crate::grpc::health::v1::health_check_response::ServingStatus;

    pub fn write<S: Serializer>(status: &i32, serializer: S) -> Result<S::Ok, S::Error> {
        let known = ServingStatus::try_from(*status).unwrap_or_default();
        serializer.serialize_str(known.as_str_name())
    }
}
