//! A promise that is broken.

/// What must never happen, happened: a sentence that says what.
#[derive(Clone, Debug)]
pub struct Violation(pub String);
