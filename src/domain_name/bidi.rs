//! Labels that are read from right to left (RFC 5893).

use crate::unicode::{Bidi, properties};

/// Whether the label is read from right to left in part, so that the rule holds for all
/// labels of its name (RFC 5893, section 1.4).
pub(super) fn has_right_to_left(label: &str) -> bool {
    let is_right = |c| matches!(properties(c).bidi, Bidi::Right | Bidi::ArabicNumber);
    !label.is_ascii() && label.chars().any(is_right)
}

/// Whether the label keeps the six conditions of RFC 5893, section 2.
pub(super) fn is_valid(label: &str) -> bool {
    let classes: Vec<Bidi> = label.chars().map(|c| properties(c).bidi).collect();
    let has = |class: Bidi| classes.contains(&class);
    let last = classes.iter().rev().find(|class| **class != Bidi::Mark);
    match classes.first() {
        Some(Bidi::Right) => {
            !has(Bidi::Left)
                && !has(Bidi::Other)
                && !(has(Bidi::EuropeanNumber) && has(Bidi::ArabicNumber))
                && last.is_some_and(|class| {
                    matches!(
                        class,
                        Bidi::Right | Bidi::EuropeanNumber | Bidi::ArabicNumber
                    )
                })
        }
        Some(Bidi::Left) => {
            !has(Bidi::Right)
                && !has(Bidi::ArabicNumber)
                && !has(Bidi::Other)
                && last.is_some_and(|class| matches!(class, Bidi::Left | Bidi::EuropeanNumber))
        }
        _ => false,
    }
}
