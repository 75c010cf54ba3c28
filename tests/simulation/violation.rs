//! A promise that is broken.

/// A broken promise: a sentence that says which.
#[derive(Clone, Debug)]
pub struct Violation(pub String);
