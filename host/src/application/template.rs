//! Templates: text with `{{ variable }}` in it.

use std::borrow::Cow;

use anyhow::bail;

/// A parsed template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses a template. The only mistake there is to make is `{{` without `}}`.
    pub fn parse(source: &str) -> anyhow::Result<Self> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((literal, after)) = rest.split_once("{{") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let Some((variable, after)) = after.split_once("}}") else {
                bail!("unmatched '{{{{' in template");
            };
            parts.push(Part::Variable(variable.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The variables it names.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text, with the value that `lookup` gives for each variable.
    pub fn render<'a, E>(
        &'a self,
        mut lookup: impl FnMut(&'a str) -> Result<&'a str, E>,
    ) -> Result<String, E> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Literal(literal) => Ok(Cow::Borrowed(literal.as_str())),
                Part::Variable(name) => lookup(name).map(Cow::Borrowed),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn render(source: &str) -> String {
        Template::parse(source)
            .unwrap()
            .render(|name| {
                Ok::<_, Infallible>(match name {
                    "host" => "db.test",
                    "port" => "5432",
                    other => panic!("asked for {other}"),
                })
            })
            .unwrap()
    }

    #[test]
    fn text_without_braces_is_itself() {
        assert_eq!(render(""), "");
        assert_eq!(render("plain } text {"), "plain } text {");
    }

    #[test]
    fn variables_take_their_place_whatever_the_spaces() {
        assert_eq!(render("{{ host }}:{{port}}/x"), "db.test:5432/x");
    }

    #[test]
    fn it_lists_the_variables_it_names() {
        let template = Template::parse("{{ host }}:{{port}}").unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["host", "port"]);
    }

    #[test]
    fn unmatched_braces_are_an_error() {
        assert!(Template::parse("a {{ b").is_err());
    }
}
