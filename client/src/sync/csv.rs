//! Records of CSV (RFC 4180), as spreadsheets write them.

use std::io::{self, BufRead};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The records of a file, one after the other.
pub struct Records<R> {
    file: R,
    core: Reader,
    delimiter: u8,
    quoting: Quoting,
    /// How many bytes were read.
    pub bytes: u64,
    /// How many line ends they have.
    lines: u64,
}

/// A record.
#[derive(Debug, PartialEq)]
pub struct Record {
    /// The number of its first line.
    pub line: u64,
    /// Without white space around them; or why the record can't be used.
    pub cells: Result<Vec<String>, &'static str>,
}

const NOT_UTF_8: &str = "it is not UTF-8: save the file as \"CSV UTF-8\"";
const FALSE_QUOTE: &str = "it has a quote that is not closed, or that text follows: a quote within a cell is written twice";

/// Where a record is. `csv_core` takes any text for CSV: without this, a quote that is not closed
/// would make one record of all that follow.
#[derive(Clone, Copy, Default, PartialEq)]
enum Quoting {
    /// At the beginning of a cell.
    #[default]
    Begin,
    Bare,
    Quoted,
    /// After a quote within quotes: it ends the cell, or is one of two.
    Closing,
    /// A cell goes on after its closing quote.
    False,
}

impl Quoting {
    fn after(self, byte: u8, delimiter: u8) -> Quoting {
        match (self, byte) {
            (Quoting::False, _) => Quoting::False,
            (Quoting::Begin | Quoting::Closing, b'"') => Quoting::Quoted,
            (Quoting::Quoted, b'"') => Quoting::Closing,
            (Quoting::Quoted, _) => Quoting::Quoted,
            (_, b'\r' | b'\n') => Quoting::Begin,
            (_, byte) if byte == delimiter => Quoting::Begin,
            (Quoting::Closing, _) => Quoting::False,
            (Quoting::Begin | Quoting::Bare, _) => Quoting::Bare,
        }
    }
}

impl<R: BufRead> Records<R> {
    pub fn new(file: R, delimiter: u8) -> Records<R> {
        Records {
            file,
            core: ReaderBuilder::new().delimiter(delimiter).build(),
            delimiter,
            quoting: Quoting::default(),
            bytes: 0,
            lines: 0,
        }
    }

    /// The next record; `None` at the end. Blank lines are none.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        self.skip_line_ends()?;
        let line = self.lines + 1;
        self.quoting = Quoting::Begin;
        let (mut text, mut length) = (vec![0; 1024], 0);
        let (mut ends, mut count) = (vec![0; 64], 0);
        loop {
            let input = self.file.fill_buf()?;
            let (output, places) = (&mut text[length..], &mut ends[count..]);
            let (result, read, written, ended) = self.core.read_record(input, output, places);
            length += written;
            count += ended;
            self.consume(read)?;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => text.resize(text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => ends.resize(ends.len() * 2, 0),
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
            }
        }
        let mut start = 0;
        let cells = ends[..count].iter().map(|&end| {
            let cell = &text[std::mem::replace(&mut start, end)..end];
            let cell = str::from_utf8(cell).map_err(|_| NOT_UTF_8)?;
            Ok(cell.trim().to_owned())
        });
        let cells = match self.quoting {
            Quoting::Quoted | Quoting::False => Err(FALSE_QUOTE),
            Quoting::Begin | Quoting::Bare | Quoting::Closing => cells.collect(),
        };
        Ok(Some(Record { line, cells }))
    }

    /// Goes to the beginning of a record, so that its line is known.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let input = self.file.fill_buf()?;
            if self.bytes == 0 && input.starts_with(BYTE_ORDER_MARK) {
                self.consume(BYTE_ORDER_MARK.len())?;
                continue;
            }
            let line_ends = input
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'));
            let count = line_ends.count();
            let is_over = count < input.len() || count == 0;
            self.consume(count)?;
            if is_over {
                return Ok(());
            }
        }
    }

    fn consume(&mut self, count: usize) -> io::Result<()> {
        if count > 0 {
            let read = &self.file.fill_buf()?[..count];
            self.lines += read.iter().filter(|byte| **byte == b'\n').count() as u64;
            for byte in read {
                self.quoting = self.quoting.after(*byte, self.delimiter);
            }
            self.bytes += count as u64;
            self.file.consume(count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn records(text: &[u8], capacity: usize) -> Vec<(u64, Result<Vec<String>, &'static str>)> {
        let mut records = Records::new(BufReader::with_capacity(capacity, text), b',');
        let next = || records.next().expect("it can be read");
        std::iter::from_fn(next)
            .map(|record| (record.line, record.cells))
            .collect()
    }

    #[test]
    fn records_are_the_same_however_they_arrive() {
        let long = "x".repeat(5000);
        let many = ",".repeat(200);
        let text =
            format!("\u{feff}a, b \r\n\r\n\"c\r\n,\"\"\",d\n{long},\n\n{many}\r\n\"\u{e9}\",last");
        let cells = |cells: &[&str]| Ok(cells.iter().map(|cell| (*cell).to_owned()).collect());
        let expected = [
            (1, cells(&["a", "b"])),
            (3, cells(&["c\r\n,\"", "d"])),
            (5, cells(&[&long, ""])),
            (7, cells(&[""; 201])),
            (8, cells(&["\u{e9}", "last"])),
        ];
        for capacity in [3, 7, 1000, 100_000] {
            assert_eq!(records(text.as_bytes(), capacity), expected, "{capacity}");
        }
        assert_eq!(records(b"a\nb\xf6,c\nd", 8)[1], (2, Err(NOT_UTF_8)));
        assert_eq!(records(b"", 8), []);
        assert_eq!(records("\u{feff}\r\n".as_bytes(), 8), []);
    }

    #[test]
    fn a_quote_that_is_not_closed_makes_no_record_of_others() {
        for (text, line) in [
            ("a,b\nc,\"d\ne,f\n", 2),
            ("a,b\nc,\"d\ne,\"f\"\n", 2),
            ("a,b\n\"c\"d,e\n", 2),
            ("\"a\" ,b\n", 1),
            ("\"", 1),
        ] {
            for capacity in [1, 3, 100] {
                let records = records(text.as_bytes(), capacity);
                let last = records.last().expect("a record");
                assert_eq!(*last, (line, Err(FALSE_QUOTE)), "{text} {capacity}");
            }
        }
        let text = "a\"b,\"\",\"\"\"\"\n";
        let cells = vec!["a\"b".to_owned(), String::new(), "\"".to_owned()];
        assert_eq!(records(text.as_bytes(), 2), [(1, Ok(cells))]);
    }
}
