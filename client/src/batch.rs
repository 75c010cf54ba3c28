//! Lines on their way to the service, and the state of each.

use std::io;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use crate::kind::Kind;

/// The most lines that are sent in one request.
const MAX_LINES: usize = 256;

/// A batch of groups takes no more lines when it has so many bytes of them: each may have hundreds of
/// members, and what a request does not get to is sent again.
const ENOUGH_BYTES: usize = 256 * 1024;

/// How many bytes of a line are sent: as many as it takes for the service to refuse it, which
/// takes 64 KiB.
const MAX_LINE: usize = 64 * 1024 + 1;

/// What some programs put at the very beginning of a file (RFC 8259, section 8.1). The service
/// would skip it, and yet it is no part of the line that is looked up or sent again.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Lines that stand together in the file.
pub struct Batch {
    /// The number of the first line.
    first: u64,
    lines: Vec<Line>,
    /// How many bytes of the file they are.
    pub bytes: u64,
    /// The line by which an export says that it ended early, if it is in here: its number, and
    /// why.
    pub cut_off: Option<(u64, String)>,
}

/// A line and its state.
struct Line {
    /// Without its end. Nothing if there is no user in it.
    text: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The service has not imported it, as far as it was sent at all.
    Open,
    /// The request that is under way sends it.
    Sent,
    /// An earlier request sent it, and no answer tells whether it was imported.
    InDoubt,
    /// There is nothing more to do for it.
    Settled,
}

/// The last line of an export, as the service writes it (`GET /users/export`).
#[derive(Deserialize)]
struct ExportEnd {
    end: String,
    /// Then it is a user after all, if a wrong one.
    name: Option<serde::de::IgnoredAny>,
}

impl Batch {
    /// Reads the next lines of a file, of which `first` is the number of the first one; `None` at
    /// its end. Waits for no more than one of them.
    pub async fn read(
        file: &mut (impl AsyncBufRead + Unpin),
        first: u64,
        kind: Kind,
    ) -> io::Result<Option<Batch>> {
        let mut batch = Batch {
            first,
            lines: Vec::new(),
            bytes: 0,
            cut_off: None,
        };
        let enough = match kind {
            Kind::Users => usize::MAX,
            Kind::Groups => ENOUGH_BYTES,
        };
        let mut kept = 0;
        while batch.lines.len() < MAX_LINES && kept < enough {
            let Some(line) = batch.read_line(file).await? else {
                break;
            };
            kept += line.text.len();
            batch.lines.push(line);
            // A pipe may have nothing more for long.
            let rest = tokio::select! {
                biased;
                rest = file.fill_buf() => rest?,
                () = std::future::ready(()) => break,
            };
            if rest.is_empty() {
                break;
            }
        }
        Ok((!batch.lines.is_empty()).then_some(batch))
    }

    async fn read_line(
        &mut self,
        file: &mut (impl AsyncBufRead + Unpin),
    ) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        loop {
            // One byte more, for the end of a line of the maximal length.
            let room = (MAX_LINE + 1).saturating_sub(text.len());
            let length = match room {
                0 => {
                    let mut beyond = Vec::new();
                    let mut limited = (&mut *file).take(MAX_LINE as u64);
                    let length = limited.read_until(b'\n', &mut beyond).await?;
                    if beyond.last() == Some(&b'\n') {
                        text.push(b'\n');
                    }
                    length
                }
                room => {
                    let mut limited = (&mut *file).take(room as u64);
                    limited.read_until(b'\n', &mut text).await?
                }
            };
            self.bytes += length as u64;
            if length == 0 && text.is_empty() {
                return Ok(None);
            }
            let ended = text.last() == Some(&b'\n');
            if length > 0 && !ended {
                continue;
            }
            if ended {
                text.pop();
            }
            if self.end() == 1 && text.starts_with(BYTE_ORDER_MARK) {
                text.drain(..BYTE_ORDER_MARK.len());
            }
            text.truncate(MAX_LINE);
            if let Some(end) = export_end(&text) {
                let number = self.end();
                let is_complete = end == "complete";
                self.cut_off = self
                    .cut_off
                    .take()
                    .or((!is_complete).then_some((number, end)));
                text.clear();
            }
            if text.trim_ascii().is_empty() {
                text.clear();
            }
            let state = match text.is_empty() {
                true => State::Settled,
                false => State::Open,
            };
            return Ok(Some(Line { text, state }));
        }
    }

    /// The number of the line that comes after the last one.
    pub fn end(&self) -> u64 {
        self.first + self.len()
    }

    /// How many lines there are.
    pub fn len(&self) -> u64 {
        self.lines.len() as u64
    }

    /// How many lines there is something to do for.
    pub fn unsettled(&self) -> usize {
        let unsettled = |line: &&Line| line.state != State::Settled;
        self.lines.iter().filter(unsettled).count()
    }

    /// What to send next, and the number of its first line: all lines that are not settled, with
    /// blank ones where others stand between them. `None` if there are none.
    ///
    /// From now on the lines may be imported, until the answer says of each that it was not.
    pub fn send(&mut self) -> Option<(u64, Vec<u8>)> {
        let unsettled = |line: &Line| line.state != State::Settled;
        let start = self.lines.iter().position(unsettled)?;
        let mut body = Vec::new();
        for line in &mut self.lines[start..] {
            if line.state != State::Settled {
                body.extend_from_slice(&line.text);
            }
            body.push(b'\n');
            if line.state == State::Open {
                line.state = State::Sent;
            }
        }
        Some((self.first + start as u64, body))
    }

    /// The request under way did not get to the line.
    pub fn not_reached(&mut self, number: u64) {
        if let Some(line) = self.line(number)
            && line.state == State::Sent
        {
            line.state = State::Open;
        }
    }

    /// The request under way did not get to the lines from this number on.
    pub fn not_reached_from(&mut self, number: u64) {
        for number in number.max(self.first)..self.end() {
            self.not_reached(number);
        }
    }

    /// No more is known from the request under way: what it sent, and its answer doesn't tell of,
    /// is in doubt.
    pub fn end_request(&mut self) {
        for line in &mut self.lines {
            if line.state == State::Sent {
                line.state = State::InDoubt;
            }
        }
    }

    fn line(&mut self, number: u64) -> Option<&mut Line> {
        let index = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let line = self.lines.get_mut(index)?;
        (line.state != State::Settled).then_some(line)
    }

    /// There is nothing more to do for a line; answers false if there was nothing to do before.
    pub fn settle(&mut self, number: u64) -> bool {
        let line = self.line(number);
        line.map(|line| line.state = State::Settled).is_some()
    }

    /// The text of a line that an earlier request may have imported.
    pub fn in_doubt(&mut self, number: u64) -> Option<&[u8]> {
        let line = self.line(number)?;
        (line.state == State::InDoubt).then_some(&line.text[..])
    }

    /// The numbers of all lines that may have been imported.
    pub fn all_in_doubt(&self) -> Vec<u64> {
        self.numbers(State::InDoubt)
    }

    /// Settles the lines that may have been imported and would be twice, if they were sent again:
    /// only an email or a username keeps the service from that. Answers their numbers.
    pub fn give_up_unrepeatable(&mut self) -> Vec<u64> {
        let mut given_up = Vec::new();
        for (number, line) in (self.first..).zip(&mut self.lines) {
            if line.state == State::InDoubt && !is_repeatable(&line.text) {
                line.state = State::Settled;
                given_up.push(number);
            }
        }
        given_up
    }

    /// Settles all lines; answers the numbers of those that were not imported, and of those that
    /// may have been.
    pub fn give_up(&mut self) -> (Vec<u64>, Vec<u64>) {
        let given_up = (self.numbers(State::Open), self.numbers(State::InDoubt));
        for line in &mut self.lines {
            line.state = State::Settled;
        }
        given_up
    }

    fn numbers(&self, state: State) -> Vec<u64> {
        let numbered = (self.first..).zip(&self.lines);
        let having = numbered.filter(|(_, line)| line.state == state);
        having.map(|(number, _)| number).collect()
    }
}

/// How an export ended, if this is its last line.
fn export_end(text: &[u8]) -> Option<String> {
    if !text.trim_ascii_start().starts_with(b"{\"end\"") {
        return None;
    }
    match serde_json::from_slice(text) {
        Ok(ExportEnd { end, name: None }) => Some(end),
        _ => None,
    }
}

/// Whether the service makes no more than one user of a line, however often it is sent. Not if it
/// may read the line otherwise than we do.
fn is_repeatable(text: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(text) {
        Ok(Value::Object(_)) => Unique::of(text).is_some(),
        // The service makes no user of a text that is no object.
        Ok(_) => true,
        Err(_) => false,
    }
}

/// A member of a line that no two users have the same of.
#[derive(Debug, PartialEq, Eq)]
pub enum Unique {
    Email(String),
    Username(String),
}

impl Unique {
    /// The name of the member.
    pub fn name(&self) -> &'static str {
        match self {
            Unique::Email(_) => "email",
            Unique::Username(_) => "username",
        }
    }

    /// The email of a line, or else its username, if it surely has one: of two members of one name,
    /// either may count.
    pub fn of(text: &[u8]) -> Option<Unique> {
        #[derive(Deserialize)]
        struct Identity {
            email: Option<String>,
            username: Option<String>,
        }
        // serde refuses the second of two members of one name.
        let Identity { email, username } = serde_json::from_slice(text).ok()?;
        email.map(Unique::Email).or(username.map(Unique::Username))
    }
}

#[cfg(test)]
mod tests;
