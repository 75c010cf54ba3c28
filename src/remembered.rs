//! A value that was computed from a text, kept as long as the text stays the same. A host may use
//! an instance for many requests, and may change the configuration between two of them.

use std::cell::RefCell;
use std::rc::Rc;

/// The last text and its value.
pub struct Remembered<T>(RefCell<Option<(String, Rc<T>)>>);

impl<T> Remembered<T> {
    pub const fn new() -> Remembered<T> {
        Remembered(RefCell::new(None))
    }

    /// The value that `make` computes from the text, or computed before. A failure is not kept.
    pub fn of<E>(&self, text: &str, make: impl FnOnce(&str) -> Result<T, E>) -> Result<Rc<T>, E> {
        if let Some((known, made)) = &*self.0.borrow()
            && known == text
        {
            return Ok(made.clone());
        }
        let made = Rc::new(make(text)?);
        self.0.replace(Some((text.to_owned(), made.clone())));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_again_when_it_has_changed() {
        let remembered = Remembered::new();
        let mut readings = 0;
        for (text, expected, expected_readings) in [
            ("1", Some(1), 1),
            ("1", Some(1), 1),
            ("x", None, 2),
            ("x", None, 3),
            ("1", Some(1), 3),
            ("2", Some(2), 4),
        ] {
            let number = remembered.of(text, |text| {
                readings += 1;
                text.parse::<u32>()
            });
            assert_eq!(number.ok().as_deref(), expected.as_ref(), "{text}");
            assert_eq!(readings, expected_readings, "{text}");
        }
    }
}
