//! Sorting short lists, in few bytes of the component.

/// Sorts a list by a key of its items. It compares each item with those before it, so it is for
/// lists of about a hundred items. The standard library's sort takes 3 KB of the component for each
/// type of items.
pub fn sort_by_key<T, K: Ord + ?Sized>(items: &mut [T], key: impl Fn(&T) -> &K) {
    for end in 1..items.len() {
        let mut place = end;
        while place > 0 && key(&items[place]) < key(&items[place - 1]) {
            items.swap(place, place - 1);
            place -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_is_sorted_and_equal_items_keep_their_order(keys in prop::collection::vec(0..9_u8, 0..40)) {
            let mut items: Vec<_> = keys.into_iter().zip(0..).collect();
            let mut expected: Vec<(u8, usize)> = items.clone();
            expected.sort_by_key(|(key, _)| *key);
            sort_by_key(&mut items, |(key, _)| key);
            prop_assert_eq!(items, expected);
        }
    }
}
