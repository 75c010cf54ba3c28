//! Members of stored values that this version of the service does not know.
//!
//! A newer version may add members to a value without a new format. An older version that
//! replaces the value then keeps them where they are. See `CONTRIBUTING.md`, "The stored format".

use serde_json::Value;

use crate::json;

/// The `replacement` of a `stored` value, with the members of the stored one that this version
/// does not know. `understood` is the stored value as this version would write it: a member that
/// is missing there is unknown. All three are JSON texts.
pub(super) fn keep(stored: &[u8], understood: &[u8], replacement: Vec<u8>) -> Vec<u8> {
    // So it is nearly always, and costs no parsing.
    if stored == understood {
        return replacement;
    }
    let (Ok(stored), Ok(understood), Ok(mut new)) = (
        json::parse(stored),
        json::parse(understood),
        json::parse(&replacement),
    ) else {
        return replacement;
    };
    add(&stored, &understood, &mut new);
    new.to_string().into_bytes()
}

/// Adds to `new` what is in `stored` and not in `understood`. What this version removed stays
/// removed, with all that is in it.
fn add(stored: &Value, understood: &Value, new: &mut Value) {
    match (stored, understood, new) {
        (Value::Object(stored), Value::Object(understood), Value::Object(new)) => {
            for (name, member) in stored {
                match (understood.get(name), new.get_mut(name)) {
                    (Some(understood), Some(new)) => add(member, understood, new),
                    (None, None) => {
                        new.insert(name.clone(), member.clone());
                    }
                    (Some(_), None) | (None, Some(_)) => {}
                }
            }
        }
        // An element is known again by what this version understands of it.
        (Value::Array(stored), Value::Array(understood), Value::Array(new)) => {
            for element in new {
                let place = understood.iter().position(|known| known == element);
                if let Some(stored) = place.and_then(|place| stored.get(place)) {
                    element.clone_from(stored);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(stored: &str, understood: &str, replacement: &str) -> String {
        let kept = keep(
            stored.as_bytes(),
            understood.as_bytes(),
            replacement.as_bytes().to_vec(),
        );
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn unknown_members_stay_where_they_are_at_every_depth() {
        let stored = r#"{"a":1,"new":0,"of":{"b":2,"new":[1]}}"#;
        let understood = r#"{"a":1,"of":{"b":2}}"#;
        assert_eq!(
            kept(stored, understood, r#"{"a":9,"of":{"b":8}}"#),
            r#"{"a":9,"new":0,"of":{"b":8,"new":[1]}}"#
        );
    }

    #[test]
    fn removed_members_stay_removed_with_all_that_is_in_them() {
        let stored = r#"{"a":1,"of":{"b":2,"new":3}}"#;
        let understood = r#"{"a":1,"of":{"b":2}}"#;
        assert_eq!(kept(stored, understood, r#"{"else":{}}"#), r#"{"else":{}}"#);
    }

    #[test]
    fn elements_of_lists_keep_theirs_while_they_are_in_the_list() {
        let stored = r#"[{"id":1,"new":"a"},{"id":2,"new":"b"}]"#;
        let understood = r#"[{"id":1},{"id":2}]"#;
        assert_eq!(
            kept(stored, understood, r#"[{"id":2},{"id":3}]"#),
            r#"[{"id":2,"new":"b"},{"id":3}]"#
        );
    }

    #[test]
    fn a_value_without_unknown_members_is_replaced_byte_for_byte() {
        assert_eq!(
            kept(r#"{"a": 1}"#, r#"{"a": 1}"#, r#"{"b": 2}"#),
            r#"{"b": 2}"#
        );
    }
}
