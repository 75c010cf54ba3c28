//! Reading a value, and where in the text that is.

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Where the reader is. Where it fails it stays.
#[derive(Default)]
pub(super) struct Place {
    steps: Vec<Step>,
    /// What is wrong there, if it is not the parser that says so.
    pub flaw: Option<&'static str>,
}

enum Step {
    Member(String),
    Element(usize),
}

impl Place {
    /// The place as a JSON Pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        let mut pointer = String::new();
        for step in &self.steps {
            match step {
                Step::Member(name) => push_name(&mut pointer, name),
                Step::Element(index) => {
                    write!(pointer, "/{index}").expect("a String takes all that is written");
                }
            }
        }
        pointer
    }
}

/// Adds the name of a member to a JSON Pointer (RFC 6901, section 3).
fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

/// Reads a value like `serde_json`, but refuses duplicate names in an object.
pub(super) struct Reader<'a>(pub &'a mut Place);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let Reader(place) = self;
        let mut array = Vec::new();
        loop {
            place.steps.push(Step::Element(array.len()));
            let element = elements.next_element_seed(Reader(place))?;
            place.steps.pop();
            match element {
                Some(element) => array.push(element),
                None => return Ok(array.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let Reader(place) = self;
        let mut object = Map::new();
        while let Some(name) = members.next_key()? {
            place.steps.push(Step::Member(name));
            let value = members.next_value_seed(Reader(place))?;
            let Some(Step::Member(name)) = place.steps.pop() else {
                unreachable!("it was put there");
            };
            match object.entry(name) {
                Entry::Vacant(vacant) => {
                    vacant.insert(value);
                }
                Entry::Occupied(first) => {
                    place.steps.push(Step::Member(first.key().clone()));
                    place.flaw = Some("is there more than once");
                    return Err(A::Error::custom("a name is there twice"));
                }
            }
        }
        Ok(object.into())
    }
}
