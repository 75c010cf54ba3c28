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
    use Bidi::{ArabicNumber, EuropeanNumber, Left, Mark, Neutral, Right};
    let classes: Vec<Bidi> = label.chars().map(|c| properties(c).bidi).collect();
    let has_only = |allowed: &[Bidi]| classes.iter().all(|class| allowed.contains(class));
    let ends_with_one_of = |allowed: &[Bidi]| {
        let last = classes.iter().rfind(|class| **class != Mark);
        last.is_some_and(|class| allowed.contains(class))
    };
    let mixes_numbers = || classes.contains(&EuropeanNumber) && classes.contains(&ArabicNumber);
    match classes.first() {
        Some(Right) => {
            has_only(&[Right, ArabicNumber, EuropeanNumber, Neutral, Mark])
                && ends_with_one_of(&[Right, ArabicNumber, EuropeanNumber])
                && !mixes_numbers()
        }
        Some(Left) => {
            has_only(&[Left, EuropeanNumber, Neutral, Mark])
                && ends_with_one_of(&[Left, EuropeanNumber])
        }
        _ => false,
    }
}
