//! Errors that name the line they are about.

use std::ops::Range;
use std::path::Path;

/// A text and where it is from, to say at which line of it something is.
#[derive(Clone, Copy, Debug)]
pub struct SourceLine<'a> {
    source: &'a str,
    path: &'a Path,
}

impl<'a> SourceLine<'a> {
    /// The text `source`, read from `path`.
    pub fn new(source: &'a str, path: &'a Path) -> Self {
        Self { source, path }
    }

    /// `message`, preceded by the file and the line that `span` begins at.
    pub fn error(&self, span: Range<usize>, message: impl std::fmt::Display) -> anyhow::Error {
        let before = self.source.get(..span.start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        anyhow::anyhow!("{}:{line}: {message}", self.path.display())
    }

    /// The parser's message, in the same form.
    pub fn toml_error(&self, error: &toml::de::Error) -> anyhow::Error {
        let message = error.message().trim().replace('\n', "; ");
        match error.span() {
            Some(span) => self.error(span, message),
            None => anyhow::anyhow!("{}: {message}", self.path.display()),
        }
    }
}
