//! The columns of a spreadsheet, and the members of users that they are.

use anyhow::{bail, ensure};
use serde_json::{Map, Number, Value};

use super::csv::Records;

/// The members that a column can be. A member of `attributes` has a path, as `attributes.team`.
const MEMBERS: [&str; 5] = ["name", "email", "username", "external_id", "active"];

const ATTRIBUTES: &str = "attributes.";

/// Members that the service sets. An exported file may have them.
const READ_ONLY: [&str; 4] = ["id", "created_at", "updated_at", "etag"];

/// The columns that are members.
#[derive(Debug)]
pub struct Columns {
    columns: Vec<Column>,
    /// Whether a member stays as it is where its cell is empty. Otherwise it is removed.
    keeps_empty: bool,
}

#[derive(Debug)]
struct Column {
    index: usize,
    /// The names of the member and of those that it is in.
    path: Vec<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Number,
    Boolean,
}

impl Columns {
    /// The columns of a file with that header. `mapping` is `Column=member,…`; without it, columns
    /// that are called as members are them. Answers also the names of columns that are not used.
    pub fn of(
        header: &[String],
        mapping: Option<&str>,
        keeps_empty: bool,
    ) -> anyhow::Result<(Columns, Vec<String>)> {
        let mut columns: Vec<Column> = Vec::new();
        let mut unused = Vec::new();
        match mapping {
            Some(mapping) => {
                for (name, member) in pairs(mapping)? {
                    let mut found = (0..).zip(header).filter(|(_, given)| **given == name);
                    let Some((index, _)) = found.next() else {
                        let header = header.join(", ");
                        bail!("the file has no column {name:?}; it has {header}");
                    };
                    ensure!(found.next().is_none(), "the file has two columns {name:?}");
                    columns.push(Column::of(index, &member)?);
                }
            }
            None => {
                for (index, name) in header.iter().enumerate() {
                    match Column::of(index, name) {
                        Ok(column) => columns.push(column),
                        Err(_) if READ_ONLY.contains(&name.as_str()) => {}
                        Err(_) => unused.push(name.to_owned()),
                    }
                }
            }
        }
        for (place, column) in columns.iter().enumerate() {
            let path = &column.path;
            let is_in =
                |other: &Column| other.path.starts_with(path) || path.starts_with(&other.path);
            ensure!(
                !columns[..place].iter().any(is_in),
                "two columns are {}",
                path.join(".")
            );
        }
        let columns = Columns {
            columns,
            keeps_empty,
        };
        Ok((columns, unused))
    }

    /// Whether a column is that member.
    pub fn have(&self, member: &str) -> bool {
        self.columns.iter().any(|column| column.path == [member])
    }

    /// The members of a row, as a merge patch. Fails if a cell is not of its kind.
    pub fn members(&self, row: &[String]) -> Result<Map<String, Value>, String> {
        let mut members = Map::new();
        for column in &self.columns {
            let cell = row.get(column.index).map_or("", String::as_str);
            if cell.is_empty() && self.keeps_empty {
                continue;
            }
            let value = column.value(cell)?;
            let (last, parents) = column.path.split_last().expect("it has a name");
            let mut object = &mut members;
            for parent in parents {
                let member = object
                    .entry(parent.clone())
                    .or_insert_with(|| Map::new().into());
                object = member
                    .as_object_mut()
                    .expect("no column is a part of another");
            }
            object.insert(last.clone(), value);
        }
        Ok(members)
    }
}

impl Column {
    fn of(index: usize, member: &str) -> anyhow::Result<Column> {
        let (member, kind) = match member.rsplit_once(':') {
            None => (member, Kind::Text),
            Some((member, "text")) => (member, Kind::Text),
            Some((member, "number")) => (member, Kind::Number),
            Some((member, "boolean")) => (member, Kind::Boolean),
            Some((_, kind)) => bail!("{kind:?} is not text, number or boolean"),
        };
        let kind = match member {
            "active" => Kind::Boolean,
            _ => kind,
        };
        let path: Vec<String> = match member.strip_prefix(ATTRIBUTES) {
            Some(_) => member.split('.').map(str::to_owned).collect(),
            None => vec![member.to_owned()],
        };
        let is_attribute = path.len() > 1 && path.iter().all(|name| !name.is_empty());
        ensure!(
            is_attribute || MEMBERS.contains(&member),
            "{member:?} is not a member of a user: it must be one of {} or {ATTRIBUTES}… such as \
             {ATTRIBUTES}team",
            MEMBERS.join(", ")
        );
        let is_text = is_attribute || kind == Kind::Text || member == "active";
        ensure!(is_text, "{member} is a text");
        Ok(Column { index, path, kind })
    }

    fn value(&self, cell: &str) -> Result<Value, String> {
        if cell.is_empty() {
            return Ok(Value::Null);
        }
        let name = || self.path.join(".");
        match self.kind {
            Kind::Text => Ok(cell.into()),
            Kind::Number => {
                let number: Result<Number, _> = cell.parse();
                let number = number.map(Value::Number);
                number.map_err(|_| format!("{} is not a number, such as 1.5", name()))
            }
            Kind::Boolean => match &cell.to_lowercase()[..] {
                "true" | "yes" | "1" => Ok(true.into()),
                "false" | "no" | "0" => Ok(false.into()),
                _ => Err(format!("{} is none of true, false, yes, no, 1, 0", name())),
            },
        }
    }
}

/// Reads `Column=member,…`. A name with a comma stands in double quotes, as in a file.
fn pairs(mapping: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut records = Records::new(mapping.as_bytes(), b',');
    let mut pairs = Vec::new();
    while let Some(record) = records.next()? {
        for pair in record.cells.unwrap_or_default() {
            let Some((name, member)) = pair.rsplit_once('=') else {
                bail!("{pair:?} must be the name of a column, =, and a member, such as Mail=email");
            };
            pairs.push((name.trim().to_owned(), member.trim().to_owned()));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn members(header: &[&str], mapping: Option<&str>, row: &[&str]) -> Value {
        let header = texts(header);
        let (columns, _) = Columns::of(&header, mapping, false).unwrap();
        columns.members(&texts(row)).unwrap().into()
    }

    #[test]
    fn columns_are_members_by_their_names_or_by_the_mapping() {
        let header = [
            "id",
            "email",
            "name",
            "attributes.a.b",
            "attributes.n:number",
            "Salary",
        ];
        let row = ["7", "a@b.example", "Ada", "", "1.50", "9"];
        assert_eq!(
            members(&header, None, &row),
            json!({ "email": "a@b.example", "name": "Ada", "attributes": { "a": { "b": null }, "n": 1.5 } })
        );
        assert_eq!(
            members(
                &["Last, first", "On"],
                Some("\"Last, first=name\", On = active"),
                &["Ada", "No"]
            ),
            json!({ "name": "Ada", "active": false })
        );
        let record = texts(&header);
        assert_eq!(Columns::of(&record, None, false).unwrap().1, ["Salary"]);
        let (columns, _) = Columns::of(&record, None, true).unwrap();
        let row = texts(&["", "a@b.example", "", "", "", ""]);
        assert_eq!(
            Value::from(columns.members(&row).unwrap()),
            json!({ "email": "a@b.example" })
        );
    }

    #[test]
    fn what_is_no_mapping_is_told() {
        let header = texts(&["a", "b", "b"]);
        for (mapping, why) in [
            ("a", "must be the name of a column"),
            ("c=name", "the file has no column \"c\"; it has a, b, b"),
            ("b=name", "two columns"),
            ("a=nick", "not a member of a user"),
            ("a=attributes.", "not a member"),
            ("a=name:number", "name is a text"),
            ("a=attributes.x:date", "not text, number or boolean"),
            ("a=name,a=name", "two columns are name"),
            ("a=attributes.x,a=attributes.x.y", "two columns are"),
        ] {
            let error = Columns::of(&header, Some(mapping), false).unwrap_err();
            assert!(error.to_string().contains(why), "{mapping}: {error}");
        }
        let (columns, _) = Columns::of(&header, Some("a=active"), false).unwrap();
        assert!(columns.members(&texts(&["maybe"])).is_err());
    }
}
