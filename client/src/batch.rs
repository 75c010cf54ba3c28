//! Lines on their way to the service, and what is known of each.

use std::io;
use std::ops::RangeInclusive;

use serde::Deserialize;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// The most lines that are sent in one request.
const MAX_LINES: usize = 256;

/// How many bytes of a line are sent: as many as it takes for the service to refuse it, which
/// takes 64 KiB.
const MAX_LINE: usize = 64 * 1024 + 1;

/// Lines that stand together in the file.
pub struct Batch {
    /// The number of the first line.
    first: u64,
    lines: Vec<Line>,
    /// How many bytes of the file they are.
    pub bytes: u64,
}

/// A line, and what is known of it.
struct Line {
    /// Without its end. Nothing if it is blank.
    text: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It is to be sent.
    Open,
    /// It was sent, and may have been imported.
    Unsure,
    /// There is nothing more to do for it.
    Settled,
}

/// The members of a line that tell its user from others.
#[derive(Debug, Deserialize)]
pub struct Identity {
    pub email: Option<String>,
}

impl Batch {
    /// Reads the next lines of a file, of which `first` is the number of the first one; `None` at
    /// its end. Waits for no more than one of them.
    pub async fn read(
        file: &mut (impl AsyncBufRead + Unpin),
        first: u64,
    ) -> io::Result<Option<Batch>> {
        let mut batch = Batch {
            first,
            lines: Vec::new(),
            bytes: 0,
        };
        while batch.lines.len() < MAX_LINES {
            let Some(line) = batch.read_line(file).await? else {
                break;
            };
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
            // One byte more, for the end of a line that is as long as it may be.
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
            text.truncate(MAX_LINE);
            if text.trim_ascii().is_empty() {
                text.clear();
            }
            let state = if text.is_empty() {
                State::Settled
            } else {
                State::Open
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

    /// The number of the first line that is to be sent; `None` if there is none.
    pub fn next(&self) -> Option<u64> {
        let mut numbered = (self.first..).zip(&self.lines);
        numbered.find_map(|(number, line)| (line.state != State::Settled).then_some(number))
    }

    /// What to send: the lines from number `next` on, with those that are settled left blank.
    pub fn body(&self, next: u64) -> Vec<u8> {
        let mut body = Vec::new();
        for line in &self.lines[(next - self.first) as usize..] {
            if line.state != State::Settled {
                body.extend_from_slice(&line.text);
            }
            body.push(b'\n');
        }
        body
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

    /// A line may have been imported, or not.
    pub fn doubt(&mut self, number: u64) {
        if let Some(line) = self.line(number) {
            line.state = State::Unsure;
        }
    }

    /// The same of all lines in a range that are not settled.
    pub fn doubt_all(&mut self, numbers: RangeInclusive<u64>) {
        for number in numbers {
            self.doubt(number);
        }
    }

    /// Who an unsettled line is about, if an earlier request may have imported it.
    pub fn doubted(&mut self, number: u64) -> Option<&[u8]> {
        let line = self.line(number)?;
        (line.state == State::Unsure).then_some(&line.text[..])
    }

    /// Settles the lines that may have been imported and would be twice, if they were sent again:
    /// only an email keeps the service from that. Answers their numbers.
    pub fn give_up_unrepeatable(&mut self) -> Vec<u64> {
        let mut given_up = Vec::new();
        for (number, line) in (self.first..).zip(&mut self.lines) {
            if line.state == State::Unsure && !is_repeatable(&line.text) {
                line.state = State::Settled;
                given_up.push(number);
            }
        }
        given_up
    }

    /// Settles all lines; answers the numbers of those that were not.
    pub fn give_up(&mut self) -> Vec<u64> {
        let first = self.first;
        let open = |(number, line): (u64, &mut Line)| {
            let was = std::mem::replace(&mut line.state, State::Settled);
            (was != State::Settled).then_some(number)
        };
        (first..).zip(&mut self.lines).filter_map(open).collect()
    }
}

/// Whether the service makes no more than one user of a line, however often it is sent.
fn is_repeatable(text: &[u8]) -> bool {
    match serde_json::from_slice::<Identity>(text) {
        Ok(Identity { email }) => email.is_some(),
        // It makes none of what is no user.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn batches(mut file: &[u8]) -> Vec<Batch> {
        let mut batches = Vec::new();
        let mut next = 1;
        while let Some(batch) = Batch::read(&mut file, next).await.unwrap() {
            next = batch.end();
            batches.push(batch);
        }
        batches
    }

    #[tokio::test]
    async fn lines_are_numbered_and_blank_ones_are_settled() {
        let batches = batches(b"a\n\n \r\nb").await;
        assert_eq!(batches.len(), 1);
        let batch = &batches[0];
        assert_eq!((batch.end(), batch.bytes, batch.next()), (5, 7, Some(1)));
        assert_eq!(batch.body(1), b"a\n\n\nb\n");
    }

    #[tokio::test]
    async fn a_file_is_cut_into_batches() {
        let file = b"{}\n".repeat(600);
        let batches = batches(&file).await;
        let ends: Vec<u64> = batches.iter().map(Batch::end).collect();
        assert_eq!(ends, [257, 513, 601]);
        assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<u64>(), 1800);
    }

    #[tokio::test]
    async fn of_a_long_line_no_more_is_kept_than_the_service_refuses() {
        for length in [
            MAX_LINE - 1,
            MAX_LINE,
            MAX_LINE + 1,
            MAX_LINE + 2,
            5 * MAX_LINE,
        ] {
            let mut file = vec![b'x'; length];
            file.extend_from_slice(b"\nnext");
            let batches = batches(&file).await;
            let mut expected = vec![b'x'; length.min(MAX_LINE)];
            expected.extend_from_slice(b"\nnext\n");
            let body = batches[0].body(1);
            assert!(body == expected, "{length}: {}", body.len());
            assert_eq!(batches[0].bytes, file.len() as u64);
        }
    }

    #[tokio::test]
    async fn what_is_settled_is_not_sent_again() {
        let mut batch = batches(b"a\nb\nc\nd\n").await.remove(0);
        assert!(batch.settle(1) && batch.settle(3) && !batch.settle(3) && !batch.settle(9));
        assert_eq!(batch.next(), Some(2));
        assert_eq!(batch.body(2), b"b\n\nd\n");
        assert_eq!(batch.give_up(), [2, 4]);
        assert_eq!(batch.next(), None);
    }

    #[tokio::test]
    async fn in_doubt_only_lines_with_an_email_are_sent_again() {
        let file = b"{\"name\":\"A\"}\n{\"name\":\"B\",\"email\":\"b@example.com\"}\n{\"name\":\"C\"}\n[]\n";
        let mut batch = batches(file).await.remove(0);
        assert!(batch.doubted(2).is_none());
        batch.doubt_all(1..=2);
        batch.doubt(4);
        assert!(batch.doubted(2).is_some());
        assert_eq!(batch.give_up_unrepeatable(), [1]);
        assert_eq!(
            batch.body(2),
            file.splitn(2, |byte| *byte == b'\n').nth(1).unwrap()
        );
    }
}
