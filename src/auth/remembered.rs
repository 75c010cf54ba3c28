//! Configuration, read once.

use std::cell::RefCell;
use std::rc::Rc;

/// What was made of a text, for as long as the text stays the same. A host may use
/// an instance for many requests, and may change a variable between two of them.
pub struct Remembered<T>(RefCell<Option<(String, Rc<T>)>>);

impl<T> Remembered<T> {
    pub const fn new() -> Remembered<T> {
        Remembered(RefCell::new(None))
    }

    /// What `make` makes of the text, or made of it before.
    pub fn of(&self, text: String, make: impl FnOnce(&str) -> T) -> Rc<T> {
        if let Some((known, made)) = &*self.0.borrow()
            && *known == text
        {
            return made.clone();
        }
        let made = Rc::new(make(&text));
        self.0.replace(Some((text, made.clone())));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_again_when_it_has_changed() {
        let remembered = Remembered::new();
        let mut readings = 0;
        for (text, expected, expected_readings) in [("a", 1, 1), ("a", 1, 1), ("bc", 2, 2)] {
            let length = remembered.of(text.to_owned(), |text| {
                readings += 1;
                text.len()
            });
            assert_eq!((*length, readings), (expected, expected_readings));
        }
    }
}
