//! The file of a `sync`: rows of CSV or lines of NDJSON, as merge patches.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::fs::File;
use std::hash::BuildHasher as _;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::columns::Columns;
use super::csv::Records;
use crate::options::{FileFormat, SyncOptions};

/// The most bytes of a line of NDJSON: the service refuses longer ones.
const MAX_LINE: u64 = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A user in the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// The number of its line, or of its first one.
    pub line: u64,
    /// The value of the member by which it is matched.
    pub key: String,
    /// The merge patch: JSON without line ends.
    pub patch: Vec<u8>,
    /// Whether it was sent before, and refused as another user has what it wants.
    pub is_repeated: bool,
}

/// A part of the file that is no user.
#[derive(Debug, PartialEq)]
pub struct Bad {
    pub line: u64,
    pub why: String,
}

/// The rows of a file, one after the other.
pub struct Rows {
    source: Source,
    matching: &'static str,
    /// Whether a user of the file is switched on, if the file does not say otherwise.
    activates: bool,
    /// The line of each key, by a hash of the key.
    seen: HashMap<u64, u64>,
    hash: RandomState,
}

type Input = BufReader<Box<dyn Read + Send>>;

enum Source {
    /// With the number of cells of a row.
    Csv(Box<Records<Input>>, Columns, usize),
    /// With the number of the last line.
    Lines(Input, u64),
}

impl Rows {
    /// Opens the file. Fails if it can't be read, or has no column to match by. Answers also the
    /// columns that are not used, and how long the file is, if that is known.
    pub fn open(options: &SyncOptions) -> anyhow::Result<(Rows, Vec<String>, Option<u64>)> {
        let path = &options.file;
        let (file, length): (Box<dyn Read + Send>, _) = match path == Path::new("-") {
            true => (Box::new(io::stdin()), None),
            false => {
                let open = || {
                    let file = File::open(path)?;
                    let length = file.metadata()?.len();
                    io::Result::Ok((file, length))
                };
                let opened = open().with_context(|| format!("cannot read {}", path.display()));
                let (file, length) = opened?;
                (Box::new(file), Some(length))
            }
        };
        let file = BufReader::with_capacity(64 * 1024, file);
        let mut unused = Vec::new();
        let source = match format(options)? {
            FileFormat::Ndjson => {
                ensure!(options.columns.is_none(), "--columns is for CSV");
                Source::Lines(file, 0)
            }
            FileFormat::Csv => {
                let mut records = Records::new(file, delimiter(options)?);
                let header = records.next().context("the file can't be read")?;
                let header = header
                    .context("the file is empty: it needs a header")?
                    .cells;
                let header = header.map_err(|why| anyhow!("the header can't be used: {why}"))?;
                let mapping = options.columns.as_deref();
                let columns;
                (columns, unused) = Columns::of(&header, mapping, options.keep_empty)?;
                if !columns.have(options.matching.name()) {
                    let only = header.first().filter(|_| header.len() == 1);
                    let hint = match only.filter(|name| name.contains([';', '\t', '|'])) {
                        Some(_) => "; its header is one column: is --delimiter needed?",
                        None => ": give --columns 'Column=member,…'",
                    };
                    bail!("no column of the file is {}{hint}", options.matching.name());
                }
                Source::Csv(Box::new(records), columns, header.len())
            }
        };
        let rows = Rows {
            source,
            matching: options.matching.name(),
            activates: options.deactivate,
            seen: HashMap::new(),
            hash: RandomState::new(),
        };
        Ok((rows, unused, length))
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        match &self.source {
            Source::Csv(records, ..) => records.bytes,
            Source::Lines(..) => 0,
        }
    }

    /// The next row, or a part that is none. `None` at the end. Fails if the file can't be read on.
    pub fn next(&mut self) -> io::Result<Option<Result<Row, Bad>>> {
        loop {
            let (line, read) = match &mut self.source {
                Source::Csv(records, columns, length) => {
                    let Some(record) = records.next()? else {
                        return Ok(None);
                    };
                    let read = match record.cells {
                        Err(why) => Err(why.to_owned()),
                        // Spreadsheets write such rows after the last one.
                        Ok(cells) if cells.iter().all(String::is_empty) => continue,
                        Ok(cells) if cells.len() != *length => {
                            let count = cells.len();
                            Err(format!("it has {count} cells, and the header has {length}"))
                        }
                        Ok(cells) => columns.members(&cells).map(Text::Members),
                    };
                    (record.line, read)
                }
                Source::Lines(file, line) => {
                    *line += 1;
                    let mut text = Vec::new();
                    let length = (&mut *file)
                        .take(MAX_LINE + 2)
                        .read_until(b'\n', &mut text)?;
                    if length == 0 {
                        return Ok(None);
                    }
                    if length as u64 > MAX_LINE && text.last() != Some(&b'\n') {
                        file.skip_until(b'\n')?;
                        (*line, Err("it is longer than 64 KiB".to_owned()))
                    } else {
                        match object(&text, *line == 1) {
                            Ok(None) => continue,
                            Ok(Some(text)) => (*line, Ok(text)),
                            Err(why) => (*line, Err(why)),
                        }
                    }
                }
            };
            let row = read.and_then(|text| self.row(line, text));
            return Ok(Some(row.map_err(|why| Bad { line, why })));
        }
    }

    fn row(&mut self, line: u64, text: Text) -> Result<Row, String> {
        let matching = self.matching;
        let (members, raw) = match text {
            Text::Members(members) => (members, None),
            Text::Object(members, raw) => (members, Some(raw)),
        };
        let key = members.get(matching).and_then(Value::as_str).map(str::trim);
        let key = key.filter(|key| !key.is_empty());
        let key = key
            .ok_or_else(|| format!("it has no {matching}"))?
            .to_owned();
        let folded = match matching {
            "external_id" => key.clone(),
            _ => key.to_lowercase(),
        };
        match self.seen.entry(self.hash.hash_one(&folded)) {
            Entry::Occupied(first) => {
                let first = first.get();
                return Err(format!("it has the {matching} of line {first}"));
            }
            Entry::Vacant(vacant) => vacant.insert(line),
        };
        let switches_on = self.activates && !members.contains_key("active");
        let patch = match raw {
            // As it was written: a number may have more digits than a double.
            Some(raw) if switches_on => {
                let members = raw
                    .trim_ascii_start()
                    .strip_prefix(b"{")
                    .unwrap_or_default();
                [br#"{"active":true,"#, members].concat()
            }
            Some(raw) => raw,
            None => {
                let mut members = members;
                if switches_on {
                    members.insert("active".to_owned(), true.into());
                }
                Value::Object(members).to_string().into_bytes()
            }
        };
        let is_repeated = false;
        Ok(Row {
            line,
            key,
            patch,
            is_repeated,
        })
    }
}

/// What is known of a user in the file.
enum Text {
    Members(Map<String, Value>),
    /// With the text that it was read from.
    Object(Map<String, Value>, Vec<u8>),
}

/// Reads a line of NDJSON; `None` if there is no user in it, as in the last line of an export.
fn object(text: &[u8], is_first: bool) -> Result<Option<Text>, String> {
    #[derive(Deserialize)]
    struct End {
        end: String,
        name: Option<serde::de::IgnoredAny>,
    }
    let text = match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) if is_first => rest,
        _ => text,
    };
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(End { end, name: None }) = serde_json::from_slice(text) {
        return match &end[..] {
            "complete" => Ok(None),
            end => Err(format!(
                "the export was cut off there ({end}): users are missing"
            )),
        };
    }
    match serde_json::from_slice(text) {
        Ok(Value::Object(members)) => Ok(Some(Text::Object(members, text.to_vec()))),
        _ => Err("it is not a JSON object".to_owned()),
    }
}

/// The format of the file: the option, or by the name.
fn format(options: &SyncOptions) -> anyhow::Result<FileFormat> {
    let extension = options
        .file
        .extension()
        .and_then(|extension| extension.to_str());
    match (options.format, extension.map(str::to_lowercase).as_deref()) {
        (Some(format), _) => Ok(format),
        (None, Some("csv" | "tsv")) => Ok(FileFormat::Csv),
        (None, Some("ndjson" | "jsonl")) => Ok(FileFormat::Ndjson),
        (None, _) => bail!("the name does not say what the file is: give --format csv or ndjson"),
    }
}

fn delimiter(options: &SyncOptions) -> anyhow::Result<u8> {
    let is_tsv = options
        .file
        .extension()
        .is_some_and(|extension| extension == "tsv");
    match options.delimiter.as_deref() {
        None if is_tsv => Ok(b'\t'),
        None => Ok(b','),
        Some("tab" | "\\t") => Ok(b'\t'),
        Some(text) => match *text.as_bytes() {
            [byte] => Ok(byte),
            _ => bail!("--delimiter must be one character, or tab"),
        },
    }
}
