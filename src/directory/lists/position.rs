//! Places in the order of a list.

use serde::{Deserialize, Serialize};

use crate::directory::Order;
use crate::folded_name::{FoldedName, MAX_CHARS, NamePrefix};
use crate::hexadecimal;
use crate::timestamp::Timestamp;
use crate::user::UserId;

/// What the text of a time begins with: no name has this character.
const TIME: char = '\u{7f}';

/// A place in the order of a list. In the list of names that is a folded name or the start of one,
/// and the id of the first user with that name after it: names are ordered by the code points of
/// their characters, users with the same name by their ids. In lists in the order of times the text
/// is a time, or the start of one, and in other lists it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(String, u64);

impl Position {
    /// Just before all names that begin with `prefix`.
    pub(in crate::directory) fn first(prefix: &NamePrefix) -> Position {
        Position(prefix.as_str().to_owned(), 0)
    }

    /// Just after all names.
    pub(in crate::directory) fn end() -> Position {
        // No name has more characters, or a character that comes after this one.
        let greatest = String::from_iter([char::MAX; MAX_CHARS]);
        Position(greatest, u64::MAX)
    }

    /// That of a user or a group with this name among all names.
    pub(in crate::directory) fn by_name(name: &str, id: UserId) -> Position {
        Position::named(name, id.get())
    }

    fn named(name: &str, id: u64) -> Position {
        Position(FoldedName::of(name).as_str().to_owned(), id)
    }

    /// Where a list in the order of names goes on behind one of this name and id.
    pub fn behind(name: &str, id: u64, order: Order) -> Position {
        let here = Position::named(name, id);
        match order {
            Order::Ascending => here.next(),
            Order::Descending => here,
        }
    }

    /// That of a user in a list in the order of ids.
    pub fn by_id(id: UserId) -> Position {
        Position(String::new(), id.get())
    }

    /// The id of the user whose position it is, or of one before whom it is.
    pub fn number(&self) -> u64 {
        self.1
    }

    /// That of a user among all times.
    pub(in crate::directory) fn by_time(time: Timestamp, id: UserId) -> Position {
        Position(time_text(time.0), id.get())
    }

    /// Just before all times that come after that one.
    pub(in crate::directory) fn after_time(time: Timestamp) -> Position {
        match time.0.checked_add(1) {
            Some(next) => Position(time_text(next), 0),
            None => Position::end(),
        }
    }

    /// Just after this one.
    pub(super) fn next(self) -> Position {
        Position(self.0, self.1.saturating_add(1))
    }

    /// Whether it is among the names that begin with `prefix`.
    pub fn is_within(&self, prefix: &NamePrefix) -> bool {
        self.starts_with(prefix.as_str())
    }

    /// Whether it can be in a list in the order of ids.
    pub fn is_of_ids(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it can be in a list in the order of times.
    pub fn is_of_times(&self) -> bool {
        self.0.is_empty() || self.0.starts_with(TIME)
    }

    /// Whether it contains no part of a name.
    pub(super) fn is_nameless(&self) -> bool {
        self.is_of_times()
    }

    /// Whether its text begins with `prefix`.
    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.0.starts_with(prefix)
    }

    /// The id of the user whose position it is.
    pub(super) fn user(&self) -> Option<UserId> {
        UserId::try_from(self.1).ok()
    }

    /// The bound between two users' positions, of which `left` comes first: the shortest start of
    /// a name that separates them, so that the index contains as little of names as possible.
    pub(super) fn between(left: &Position, right: &Position) -> Position {
        if left.0 == right.0 {
            return right.clone();
        }
        let same = left.0.chars().zip(right.0.chars());
        let same = same.take_while(|(left, right)| left == right).count();
        Position(right.0.chars().take(same + 1).collect(), 0)
    }

    /// Whether it is the first of all positions.
    pub(super) fn is_first(&self) -> bool {
        *self == Position::default()
    }

    /// Whether the name at `other` begins with the part of a name that is here, if one is.
    pub(super) fn starts(&self, other: &Position) -> bool {
        self.is_nameless() || other.0.starts_with(&self.0)
    }

    /// How much of a name a bound here contains, in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A time so that texts are ordered as times are, negative ones too.
fn time_text(millis: i64) -> String {
    let mut text = String::from(TIME);
    hexadecimal::push(&mut text, millis as u64 ^ (1 << 63));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(name: &str, id: u64) -> Position {
        Position(name.to_owned(), id)
    }

    #[test]
    fn the_end_is_after_every_name() {
        let greatest = "\u{10ffff}".repeat(MAX_CHARS + 1);
        for name in ["zoë", "\u{10ffff}", &greatest[..4 * MAX_CHARS], &greatest] {
            // A name with so many characters is not a `Name`, but folding may make more of fewer.
            let name: String = name.chars().take(MAX_CHARS).collect();
            assert!(position(&name, UserId::MAX_NUMBER) < Position::end());
        }
    }

    #[test]
    fn times_are_in_order_and_contain_no_part_of_a_name() {
        let id = UserId::try_from(7).unwrap();
        let times = [i64::MIN, -1, 0, 1, 1_795_384_420_125, i64::MAX];
        let positions = times.map(|time| Position::by_time(Timestamp(time), id));
        assert!(positions.is_sorted());
        for (time, position) in times.into_iter().zip(&positions) {
            assert!(position.is_nameless() && position.is_of_times() && !position.is_of_ids());
            assert!(Position::default() < *position && *position < Position::end());
            assert!(*position < Position::after_time(Timestamp(time)));
            let later = Timestamp(time.saturating_add(1));
            let after = Position::after_time(Timestamp(time));
            assert!(time == i64::MAX || after <= Position::by_time(later, id));
        }
        assert!(!position("ada", 7).is_of_times());
    }

    #[test]
    fn two_positions_are_parted_by_the_shortest_name_between_them() {
        for (left, right, between) in [
            (("ada", 9), ("bea", 1), ("b", 0)),
            (("ada", 9), ("adam", 1), ("adam", 0)),
            (("ada lovelace", 9), ("ada noether", 1), ("ada n", 0)),
            (("łą", 9), ("łż", 1), ("łż", 0)),
            (("", 9), ("ada", 1), ("a", 0)),
            (("ada", 1), ("ada", 2), ("ada", 2)),
        ] {
            let (left, right) = (position(left.0, left.1), position(right.0, right.1));
            let parted = Position::between(&left, &right);
            assert_eq!(parted, position(between.0, between.1));
            assert!(left < parted && parted <= right);
        }
    }
}
