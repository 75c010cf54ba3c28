//! Variables on the command line.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};

use crate::application::source_line::SourceLine;

/// One `--variable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableSource {
    /// `KEY=VALUE`
    Literal(String, String),
    /// `KEY=@FILE`: the value is the contents of the file, to the last byte.
    File(String, PathBuf),
    /// `@FILE.json`: an object of strings.
    Json(PathBuf),
    /// `@FILE.toml`: a table of strings.
    Toml(PathBuf),
}

impl VariableSource {
    /// The values it gives.
    pub fn read(&self) -> anyhow::Result<HashMap<String, String>> {
        match self {
            Self::Literal(key, value) => Ok([(key.clone(), value.clone())].into()),
            Self::File(key, path) => Ok([(key.clone(), read(path)?)].into()),
            // The messages of the parsers quote values, which may be secrets.
            Self::Json(path) => serde_json::from_str(&read(path)?).map_err(|error| {
                let (path, line) = (path.display(), error.line());
                anyhow::anyhow!("{path}:{line}: this is not a JSON object of strings")
            }),
            Self::Toml(path) => {
                let source = read(path)?;
                toml::from_str(&source).map_err(|error: toml::de::Error| {
                    SourceLine::new(&source, path).error(
                        error.span().unwrap_or_default(),
                        "this is not a TOML table of strings",
                    )
                })
            }
        }
    }
}

/// The values of all sources; of two for the same variable the later counts.
pub fn merge(sources: &[VariableSource]) -> anyhow::Result<HashMap<String, String>> {
    let mut values = HashMap::new();
    for source in sources {
        values.extend(source.read()?);
    }
    Ok(values)
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

impl FromStr for VariableSource {
    type Err = anyhow::Error;

    fn from_str(argument: &str) -> anyhow::Result<Self> {
        if let Some(path) = argument.strip_prefix('@') {
            let path = PathBuf::from(path);
            return match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => Ok(Self::Json(path)),
                Some("toml") => Ok(Self::Toml(path)),
                _ => bail!("variable files must end in .json or .toml"),
            };
        }
        let Some((key, value)) = argument.split_once('=') else {
            bail!("variables must be in the form 'key=value' or '@file'");
        };
        Ok(match value.strip_prefix('@') {
            Some(path) => Self::File(key.to_owned(), path.into()),
            None => Self::Literal(key.to_owned(), value.to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argument: &str) -> VariableSource {
        argument.parse().unwrap()
    }

    #[test]
    fn an_argument_says_where_its_values_are() {
        assert_eq!(
            parse("k=v"),
            VariableSource::Literal("k".into(), "v".into())
        );
        assert_eq!(
            parse("k=a=b"),
            VariableSource::Literal("k".into(), "a=b".into())
        );
        assert_eq!(
            parse("k=@v.txt"),
            VariableSource::File("k".into(), "v.txt".into())
        );
        assert_eq!(parse("@v.json"), VariableSource::Json("v.json".into()));
        assert_eq!(parse("@v.toml"), VariableSource::Toml("v.toml".into()));
        assert!("nope".parse::<VariableSource>().is_err());
        assert!("@wrong.kind".parse::<VariableSource>().is_err());
    }

    #[test]
    fn values_come_from_files_and_the_last_one_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, contents: &str| {
            let path = directory.path().join(name);
            fs::write(&path, contents).unwrap();
            path
        };
        let values = merge(&[
            VariableSource::Json(file("a.json", r#"{"a": "1", "b": "1"}"#)),
            VariableSource::Toml(file("b.toml", "b = '2'")),
            VariableSource::File("c".into(), file("c.txt", "3\n")),
            VariableSource::Literal("a".into(), "4".into()),
        ])
        .unwrap();
        assert_eq!(values["a"], "4");
        assert_eq!(values["b"], "2");
        assert_eq!(values["c"], "3\n");
    }

    #[test]
    fn a_file_of_something_else_is_an_error_that_names_it_and_not_its_values() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("values");
        for (contents, source) in [
            ("\n\"53cret\"", VariableSource::Json(path.clone())),
            ("a = '1'\nb = 53", VariableSource::Toml(path.clone())),
        ] {
            fs::write(&path, contents).unwrap();
            let error = format!("{:#}", source.read().unwrap_err());
            assert!(error.contains("values:2: "), "{error}");
            assert!(!error.contains("53"), "{error}");
        }
    }
}
