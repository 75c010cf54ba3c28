//! The answers of the service: lines, and problem documents.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use http::Response;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

/// How long the service may say nothing. Imports and exports say something after 20 s at the latest.
pub const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// The most bytes of a line.
const MAX_LINE: usize = 1 << 20;

/// The most characters that are shown of an answer that is not the service's.
const MAX_SHOWN: usize = 80;

/// Why there is no answer, or not all of it.
#[derive(Debug)]
pub struct Failure {
    /// For a person.
    pub why: String,
    /// Whether the service may have fulfilled the request.
    pub may_be_done: bool,
    pub again: Again,
    /// The status of the answer, if that is the reason.
    pub status: Option<u16>,
}

/// Whether the same request may be answered another time.
#[derive(Clone, Copy, Debug)]
pub enum Again {
    Never,
    /// The service may say after which time.
    Later(Option<Duration>),
}

impl Failure {
    /// The request was not sent, or refused without anything done.
    pub fn refused(why: String, again: Again) -> Failure {
        Failure {
            why,
            may_be_done: false,
            again,
            status: None,
        }
    }

    /// The request was sent, and the answer did not come, or not to its end.
    pub fn broken_off(why: String) -> Failure {
        Failure {
            why,
            may_be_done: true,
            again: Again::Later(None),
            status: None,
        }
    }

    pub fn silent() -> Failure {
        Failure::broken_off(format!("the service says nothing for {READ_TIMEOUT:?}"))
    }
}

/// The innermost cause.
pub fn reason(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A problem document, as far as it is shown.
#[derive(Debug, Deserialize)]
pub struct Problem {
    /// Its type.
    #[serde(rename = "type", default)]
    pub kind: String,
    pub detail: String,
    #[serde(default)]
    pub errors: Vec<Violation>,
}

#[derive(Debug, Deserialize)]
pub struct Violation {
    pub pointer: String,
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)?;
        for Violation { pointer, detail } in &self.errors {
            write!(f, " {pointer} {detail}.")?;
        }
        Ok(())
    }
}

/// The lines of an answer, as they arrive.
pub struct Lines {
    body: Incoming,
    bytes: Vec<u8>,
}

impl Lines {
    pub fn of(response: Response<Incoming>) -> Self {
        Self {
            body: response.into_body(),
            bytes: Vec::new(),
        }
    }

    /// The next line, with its end, and what it says; `None` when there is no other. What was cut
    /// off is no line.
    pub async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<(Vec<u8>, T)>, Failure> {
        let Some(bytes) = self.next_bytes().await? else {
            return Ok(None);
        };
        match serde_json::from_slice(&bytes) {
            Ok(line) => Ok(Some((bytes, line))),
            Err(_) => Err(Failure::broken_off(format!(
                "the answer goes on with what the service does not write, as if something between \
                 broke it off: {}",
                beginning(&bytes)
            ))),
        }
    }

    async fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let mut searched = 0;
        loop {
            if let Some(length) = self.bytes[searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            {
                let rest = self.bytes.split_off(searched + length + 1);
                return Ok(Some(std::mem::replace(&mut self.bytes, rest)));
            }
            searched = self.bytes.len();
            if searched > MAX_LINE {
                return Err(Failure {
                    why: "the answer is not made of lines".to_owned(),
                    may_be_done: true,
                    again: Again::Never,
                    status: None,
                });
            }
            match timeout(READ_TIMEOUT, self.body.frame()).await {
                // Other frames are trailers, which the service does not send.
                Ok(Some(Ok(frame))) => {
                    self.bytes.extend(frame.into_data().unwrap_or_default());
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(Failure::broken_off(reason(&error))),
                Err(_) => return Err(Failure::silent()),
            }
        }
    }
}

/// The beginning of a text, for a person.
fn beginning(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Why an export ended, if it is not complete: nothing if its time was up. Sets `after`, the parameter by
/// which the next one goes on.
pub fn export_ended(
    end: &str,
    next: Option<&str>,
    problem: Option<Problem>,
    after: &mut String,
) -> Option<String> {
    if end == "complete" {
        return None;
    }
    if let Some(next) = next.and_then(|next| value_of(next, "after")) {
        next.clone_into(after);
    }
    Some(problem.map_or(String::new(), |problem| problem.to_string()))
}

/// The value of the parameter `name` of a path.
pub fn value_of<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let (_, query) = path.split_once('?')?;
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    Some(parameters.find(|(given, _)| *given == name)?.1)
}
