//! Reads a filter. A text is read once, from left to right.

use serde_json::Value;

use super::super::error::Error;
use super::super::path::{AttributePath, Scope, shortened};
use super::super::schema::Type;
use super::{Comparison, Filter, Operator, invalid};
use crate::json;

pub(super) struct Parser<'a> {
    text: &'a str,
    /// How many bytes are read.
    at: usize,
    scope: Scope<'a>,
    /// How many parentheses and brackets are open.
    depth: usize,
    /// How many there are at most as the filter is written.
    deepest: usize,
    comparisons: usize,
}

impl<'a> Parser<'a> {
    /// Begins at a place in a text. Fails if it is too long.
    pub fn new(text: &'a str, at: usize, scope: Scope<'a>) -> Result<Parser<'a>, Error> {
        if text.len() > Filter::MAX_BYTES {
            let rule = format!("A filter has at most {} bytes.", Filter::MAX_BYTES);
            return Err(invalid(rule));
        }
        Ok(Parser {
            text,
            at,
            scope,
            depth: 0,
            deepest: 0,
            comparisons: 0,
        })
    }

    pub fn filter(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.conjunction()?];
        while self.skip_word("or") {
            parts.push(self.conjunction()?);
        }
        Ok(Filter::or(parts))
    }

    fn conjunction(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.term()?];
        while self.skip_word("and") {
            parts.push(self.term()?);
        }
        Ok(Filter::and(parts))
    }

    fn term(&mut self) -> Result<Filter, Error> {
        if self.skip('(') {
            return self.group(')');
        }
        let (start, word) = (self.at, self.word());
        if word.eq_ignore_ascii_case("not") && self.skip('(') {
            return Ok(Filter::Not(Box::new(self.group(')')?)));
        }
        if word.is_empty() {
            return Err(self.fault(start, "the name of an attribute is missing"));
        }
        let path = self.resolve(start, word)?;
        if self.rest().starts_with('[') {
            return self.values(start, path);
        }
        self.condition(path)
    }

    /// The attribute that a word names.
    fn resolve(&self, start: usize, word: &str) -> Result<AttributePath, Error> {
        let path = AttributePath::resolve(word, self.scope);
        let path = path.map_err(|why| self.fault(start, &why))?;
        match path.attribute.is_secret() || path.last().is_secret() {
            true => Err(self.fault(start, &format!("{path} is never told"))),
            false => Ok(path),
        }
    }

    /// What is between parentheses or brackets, up to the sign that closes it.
    fn group(&mut self, end: char) -> Result<Filter, Error> {
        self.depth += 1;
        self.reach(self.depth)?;
        let filter = self.filter()?;
        self.close(end)?;
        self.depth -= 1;
        Ok(filter)
    }

    fn reach(&mut self, depth: usize) -> Result<(), Error> {
        self.deepest = self.deepest.max(depth);
        match self.deepest > Filter::MAX_DEPTH {
            true => {
                let rule = format!("it has more than {} levels", Filter::MAX_DEPTH);
                Err(self.fault(self.at, &rule))
            }
            false => Ok(()),
        }
    }

    /// The filter of an attribute's values, in brackets. A condition of a sub-attribute may follow, though
    /// the grammar has it in paths of patches alone: Entra ID asks for users by
    /// `emails[type eq "work"].value eq "ada@example.com"`.
    fn values(&mut self, start: usize, path: AttributePath) -> Result<Filter, Error> {
        let around = self.scope;
        let is_complex = path.sub_attribute.is_none() && path.attribute.kind == Type::Complex;
        if !is_complex || matches!(around, Scope::Values(_)) {
            return Err(self.fault(start, &format!("{path} has no sub-attributes")));
        }
        self.skip('[');
        self.scope = Scope::Values(path.attribute);
        let mut parts = vec![self.group(']')?];
        if self.rest().starts_with('.') {
            // The filter is written with the condition in the brackets, and with what was in them in
            // parentheses.
            self.reach(self.deepest + 1)?;
            self.skip('.');
            let (start, word) = (self.at, self.word());
            let sub_attribute = self.resolve(start, word)?;
            parts.push(self.condition(sub_attribute)?);
        }
        self.scope = around;
        Ok(Filter::Values(path, Box::new(Filter::and(parts))))
    }

    /// What is said of an attribute.
    fn condition(&mut self, path: AttributePath) -> Result<Filter, Error> {
        let (start, word) = (self.at, self.word());
        self.comparisons += 1;
        if self.comparisons > Filter::MAX_COMPARISONS {
            let rule = format!("it has more than {} comparisons", Filter::MAX_COMPARISONS);
            return Err(self.fault(start, &rule));
        }
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let mut operators = Operator::ALL.into_iter();
        let operator = operators.find(|one| word.eq_ignore_ascii_case(one.as_str()));
        let operator = operator.ok_or_else(|| {
            let known = "eq, ne, co, sw, ew, gt, ge, lt, le or pr";
            let why = format!("{:?} is no operator: it must be {known}", shortened(word));
            self.fault(start, &why)
        })?;
        let (start, value) = (self.at, self.literal()?);
        let comparison = Comparison::new(path, operator, value);
        let comparison = comparison.map_err(|why| self.fault(start, &why))?;
        Ok(Filter::Compare(comparison))
    }

    /// A value of JSON that is no array and no object.
    fn literal(&mut self) -> Result<Value, Error> {
        self.skip_space();
        let start = self.at;
        match self.rest().starts_with('"') {
            true => self.string(),
            false => {
                self.word();
            }
        }
        let value = json::parse(&self.text.as_bytes()[start..self.at]);
        value.map_err(|_| {
            let rule = "a value must be a string in double quotes, a number, true, false or null";
            self.fault(start, rule)
        })
    }

    /// Goes to the end of a string, or to that of the text.
    fn string(&mut self) {
        let mut is_escaped = true;
        for (place, c) in self.rest().char_indices() {
            match c {
                '"' if !is_escaped => {
                    self.at += place + 1;
                    return;
                }
                // The first quote opens the string.
                _ => is_escaped = !is_escaped && c == '\\',
            }
        }
        self.at = self.text.len();
    }

    /// The characters up to a space, a bracket or a quote. There may be none.
    fn word(&mut self) -> &'a str {
        self.skip_space();
        let rest = self.rest();
        let ends = |c: char| is_space(c) || "()[]\"".contains(c);
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at += word.len();
        word
    }

    /// Goes past a word, in any case, if that is what comes next.
    fn skip_word(&mut self, word: &str) -> bool {
        let start = self.at;
        let is_next = self.word().eq_ignore_ascii_case(word);
        if !is_next {
            self.at = start;
        }
        is_next
    }

    /// Goes past a sign, if that is what comes next.
    fn skip(&mut self, sign: char) -> bool {
        self.skip_space();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len_utf8();
        }
        is_next
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// Goes past the sign that has to come next.
    pub fn close(&mut self, sign: char) -> Result<(), Error> {
        match self.skip(sign) {
            true => Ok(()),
            false => Err(self.fault(self.at, &format!("{:?} is missing", sign.to_string()))),
        }
    }

    /// Fails if there is more.
    pub fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        match self.rest().is_empty() {
            true => Ok(()),
            false => Err(self.fault(self.at, "\"and\" or \"or\" is missing")),
        }
    }

    /// What is not read yet.
    pub fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fault(&self, at: usize, what: &str) -> Error {
        let read = &self.text[..at];
        let spaces = self.text[at..].chars().take_while(|c| is_space(*c)).count();
        let place = read.chars().count() + spaces + 1;
        invalid(format!("The filter is wrong at character {place}: {what}."))
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}
