//! `google.protobuf.Struct`, kept as the JSON object that it stands for.
//!
//! Its numbers are doubles, where JSON has integers of 64 bits too. What a double can't hold is
//! never rounded: see [`Struct::of`].

use prost::bytes::{Buf, BufMut};
use prost::encoding::{
    DecodeContext, WireType, bool, double, encode_key, encode_varint, encoded_len_varint, int32,
    key_len, message, skip_field,
};
use prost::{DecodeError, Message};
use prost_types::value::Kind;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Number, Value};

/// Up to here each whole number is a double.
const MAX_SAFE: f64 = 9_007_199_254_740_992.0;

/// A JSON object whose numbers are all doubles.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Struct {
    members: Map<String, Value>,
    /// It was sent with a value that JSON has not: a number that is none, or nothing at all.
    #[serde(skip)]
    is_flawed: bool,
}

impl Struct {
    /// The object as it is; gives it back if a number in it is no double.
    pub fn of(members: Map<String, Value>) -> Result<Struct, Map<String, Value>> {
        match members.values().all(is_exact) {
            true => Ok(Struct {
                members,
                is_flawed: false,
            }),
            false => Err(members),
        }
    }

    /// The object; `None` if it has a value that JSON has not.
    pub fn into_members(self) -> Option<Map<String, Value>> {
        (!self.is_flawed).then_some(self.members)
    }
}

/// Whether no number in the value is rounded where all numbers are doubles.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => is_exact_integer(number.into()),
            (_, Some(number)) => is_exact_integer(number.into()),
            _ => true,
        },
        Value::Array(elements) => elements.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

fn is_exact_integer(number: i128) -> bool {
    number as f64 as i128 == number
}

/// In JSON a number that is no double would be rounded by most readers: it is refused.
impl<'de> Deserialize<'de> for Struct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Struct, D::Error> {
        let members = Map::deserialize(deserializer)?;
        Struct::of(members).map_err(|_| {
            D::Error::custom(
                "a google.protobuf.Struct has no integer that is not a double: \
                 send the attributes as text, in attributesJson",
            )
        })
    }
}

/// The fields of `Struct`, of an entry of it, of `Value` and of `ListValue`.
const FIELDS: u32 = 1;
const NAME: u32 = 1;
const VALUE: u32 = 2;
const NULL: u32 = 1;
const NUMBER: u32 = 2;
const STRING: u32 = 3;
const BOOL: u32 = 4;
const STRUCT: u32 = 5;
const LIST: u32 = 6;
const VALUES: u32 = 1;

impl Message for Struct {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        encode_members(&self.members, buf);
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        if tag != FIELDS {
            return skip_field(wire_type, tag, buf, ctx);
        }
        let mut entry = Entry::default();
        message::merge(wire_type, &mut entry, buf, ctx)?;
        let value = entry.value.and_then(json_value);
        self.is_flawed |= value.is_none();
        self.members.insert(entry.name, value.unwrap_or_default());
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        members_len(&self.members)
    }

    fn clear(&mut self) {
        *self = Struct::default();
    }
}

/// The length of a field whose content has that length.
fn field_len(tag: u32, content: usize) -> usize {
    key_len(tag) + encoded_len_varint(content as u64) + content
}

fn members_len(members: &Map<String, Value>) -> usize {
    let members = members.iter();
    members
        .map(|(name, value)| field_len(FIELDS, entry_len(name, value)))
        .sum()
}

fn entry_len(name: &str, value: &Value) -> usize {
    field_len(NAME, name.len()) + field_len(VALUE, value_len(value))
}

fn value_len(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 2,
        Value::Number(_) => 9,
        Value::String(text) => field_len(STRING, text.len()),
        Value::Object(members) => field_len(STRUCT, members_len(members)),
        Value::Array(elements) => field_len(LIST, elements_len(elements)),
    }
}

fn elements_len(elements: &[Value]) -> usize {
    let elements = elements.iter();
    elements
        .map(|element| field_len(VALUES, value_len(element)))
        .sum()
}

fn encode_head(tag: u32, length: usize, buf: &mut impl BufMut) {
    encode_key(tag, WireType::LengthDelimited, buf);
    encode_varint(length as u64, buf);
}

fn encode_text(tag: u32, text: &str, buf: &mut impl BufMut) {
    encode_head(tag, text.len(), buf);
    buf.put_slice(text.as_bytes());
}

fn encode_members(members: &Map<String, Value>, buf: &mut impl BufMut) {
    for (name, value) in members {
        encode_head(FIELDS, entry_len(name, value), buf);
        encode_text(NAME, name, buf);
        encode_head(VALUE, value_len(value), buf);
        encode_value(value, buf);
    }
}

fn encode_value(value: &Value, buf: &mut impl BufMut) {
    match value {
        Value::Null => int32::encode(NULL, &0, buf),
        Value::Bool(truth) => bool::encode(BOOL, truth, buf),
        Value::Number(number) => {
            double::encode(NUMBER, &number.as_f64().unwrap_or_default(), buf);
        }
        Value::String(text) => encode_text(STRING, text, buf),
        Value::Object(members) => {
            encode_head(STRUCT, members_len(members), buf);
            encode_members(members, buf);
        }
        Value::Array(elements) => {
            encode_head(LIST, elements_len(elements), buf);
            for element in elements {
                encode_head(VALUES, value_len(element), buf);
                encode_value(element, buf);
            }
        }
    }
}

/// An entry of a `Struct`, as it is read.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct Entry {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, tag = "2")]
    value: Option<prost_types::Value>,
}

/// The value in JSON; `None` if JSON has none such.
fn json_value(value: prost_types::Value) -> Option<Value> {
    Some(match value.kind? {
        Kind::NullValue(_) => Value::Null,
        Kind::BoolValue(truth) => Value::Bool(truth),
        Kind::NumberValue(number) => Value::Number(json_number(number)?),
        Kind::StringValue(text) => Value::String(text),
        Kind::ListValue(list) => {
            let elements: Option<_> = list.values.into_iter().map(json_value).collect();
            Value::Array(elements?)
        }
        Kind::StructValue(object) => {
            let members = object.fields.into_iter();
            let members: Option<_> = members
                .map(|(name, value)| Some((name, json_value(value)?)))
                .collect();
            Value::Object(members?)
        }
    })
}

/// The number as a client means it who has doubles only: whole numbers are integers.
fn json_number(number: f64) -> Option<Number> {
    let is_integer = number.fract() == 0.0 && number.abs() <= MAX_SAFE;
    match is_integer && !(number == 0.0 && number.is_sign_negative()) {
        true => Some(Number::from(number as i64)),
        false => Number::from_f64(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).expect("an object")
    }

    /// What others' code makes of the bytes.
    fn read(bytes: &[u8]) -> Option<Map<String, Value>> {
        let read = prost_types::Struct::decode(bytes).expect("a Struct");
        let read = read.fields.into_iter();
        read.map(|(name, value)| Some((name, json_value(value)?)))
            .collect()
    }

    #[test]
    fn any_object_is_written_as_others_read_it_and_read_again() {
        let wide = json!({ "": null, "a": [true, false, [], {}, "\u{e9}", -1, 0.5, 1e300, -0.0],
            "long": "x".repeat(300), "o": { "p": { "q": [[1], { "r": 9_007_199_254_740_992_i64 }] } } });
        let deep = (1..32).fold(json!({}), |inner, _| json!({ "a": inner }));
        let array = (1..31).fold(json!([]), |inner, _| json!([inner]));
        for value in [json!({}), wide, deep, json!({ "a": array })] {
            let members = object(value);
            let sent = Struct::of(members.clone()).expect("doubles");
            let bytes = sent.encode_to_vec();
            assert_eq!(bytes.len(), sent.encoded_len());
            assert_eq!(read(&bytes).as_ref(), Some(&members));
            let back = Struct::decode(&*bytes).expect("a Struct");
            assert_eq!(back.into_members(), Some(members));
        }
    }

    #[test]
    fn no_integer_is_rounded() {
        let beyond = [
            "9007199254740993",
            "-9007199254740993",
            "18446744073709551615",
        ];
        for number in beyond {
            let text = format!(r#"{{"a":[{{"b":{number}}}]}}"#);
            let members = object(serde_json::from_str(&text).expect("JSON"));
            assert_eq!(Struct::of(members.clone()), Err(members), "{number}");
            let refused = serde_json::from_str::<Struct>(&text)
                .map(|_| ())
                .unwrap_err();
            assert!(refused.to_string().contains("attributesJson"), "{refused}");
        }
        for number in [
            "9007199254740992",
            "1152921504606846976",
            "9223372036854775808",
        ] {
            let members = object(serde_json::from_str(&format!(r#"{{"a":{number}}}"#)).unwrap());
            let sent = Struct::of(members).expect("a double");
            let bytes = sent.encode_to_vec();
            let read = prost_types::Struct::decode(&*bytes).unwrap().fields;
            let Some(Kind::NumberValue(read)) = read["a"].kind else {
                panic!("{number} is no number");
            };
            assert_eq!(format!("{read:.0}"), number);
        }
    }

    #[test]
    fn a_value_that_json_has_not_is_known() {
        let value = |kind| prost_types::Value { kind };
        for flawed in [
            value(None),
            value(Some(Kind::NumberValue(f64::NAN))),
            value(Some(Kind::NumberValue(f64::INFINITY))),
            value(Some(Kind::ListValue(prost_types::ListValue {
                values: vec![value(None)],
            }))),
        ] {
            let sent = prost_types::Struct {
                fields: [("a".to_owned(), flawed)].into(),
            };
            let read = Struct::decode(&*sent.encode_to_vec()).expect("a Struct");
            assert_eq!(read.into_members(), None);
        }
    }
}
