//! Reading the query of a request.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::problem::Problem;

/// Decodes percent-encoded UTF-8; `None` if it is something else.
pub fn percent_decode(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// The characters that don't go into a URL in a header `Link` as they are, though some clients send
/// them so (RFC 3986, section 2).
const UNFIT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');

/// The parameters of a query, each of which may be given once.
#[derive(Debug)]
pub struct Query(Vec<Parameter>);

#[derive(Debug)]
struct Parameter {
    /// As it was sent.
    text: String,
    name: String,
    /// As forms write it: a `+` stands for a space.
    value: String,
    /// The same, if each `+` stands for itself (RFC 3986).
    with_plus: String,
}

impl Parameter {
    /// Reads a parameter; `None` if it is not percent-encoded UTF-8.
    fn read(text: &str) -> Option<Parameter> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Some(Parameter {
            text: text.to_owned(),
            name: form_decode(name)?,
            value: form_decode(value)?,
            with_plus: percent_decode(value)?,
        })
    }
}

/// Decodes a text as forms write it (WHATWG URL, section 5.1); `None` if it is not UTF-8.
fn form_decode(text: &str) -> Option<String> {
    percent_decode(&text.replace('+', " "))
}

fn is_among(known: &[&str], name: &str) -> bool {
    let is = |known: &&str| *known == name || known.ends_with('.') && name.starts_with(known);
    known.iter().any(is)
}

impl Query {
    /// Reads a query that may have the parameters `known` and no others. A known name that ends with a
    /// dot stands for all names that begin so.
    pub fn parse(query: Option<&str>, known: &[&str]) -> Result<Query, Problem> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let pairs = query.unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let Some(parameter) = Parameter::read(pair) else {
                return Err(Problem::invalid_query("is not percent-encoded UTF-8", pair));
            };
            let name = &parameter.name;
            if !is_among(known, name) {
                return Err(Problem::invalid_query("is not a parameter here", name));
            }
            if parameters.iter().any(|present| present.name == *name) {
                return Err(Problem::invalid_query("may be given only once", name));
            }
            parameters.push(parameter);
        }
        Ok(Query(parameters))
    }

    /// The value of a parameter, if it was given. A `+` stands for a space there, as forms and
    /// most libraries write it.
    pub fn get(&self, name: &str) -> Option<&str> {
        Some(&self.find(name)?.value)
    }

    /// The value of a parameter, if it was given, where each `+` stands for itself.
    pub fn get_with_plus(&self, name: &str) -> Option<&str> {
        Some(&self.find(name)?.with_plus)
    }

    /// The parameters whose names begin with `start`: the rest of each name, and the value.
    pub fn all<'q>(&'q self, start: &'q str) -> impl Iterator<Item = (&'q str, &'q str)> {
        let rest = move |given: &'q Parameter| {
            let name = given.name.strip_prefix(start)?;
            Some((name, given.value.as_str()))
        };
        self.0.iter().filter_map(rest)
    }

    fn find(&self, name: &str) -> Option<&Parameter> {
        self.0.iter().find(|parameter| parameter.name == name)
    }

    /// Fails if a parameter is given with others than `name` and those it goes with.
    pub fn alone(&self, name: &str, with: &[&[&str]]) -> Result<(), Problem> {
        let goes = |given: &str| given == name || with.iter().any(|with| is_among(with, given));
        match self.0.iter().find(|given| !goes(&given.name)) {
            None => Ok(()),
            Some(other) => {
                let rule = format!("does not go with {name}");
                Err(Problem::invalid_query(&rule, &other.name))
            }
        }
    }

    /// The parameters as they were sent, but those of the names `without`, to be sent again: each with
    /// an `&` before it.
    pub fn again(&self, without: &[&str]) -> String {
        let mut again = String::new();
        for parameter in &self.0 {
            if !without.contains(&parameter.name.as_str()) {
                again.push('&');
                again.extend(utf8_percent_encode(&parameter.text, UNFIT));
            }
        }
        again
    }

    /// The value of a parameter that is true or false.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::invalid_query("must be true or false", name)),
        }
    }

    /// The value of a parameter that is a number of at least `min` and at most `max`.
    pub fn number(&self, name: &str, min: u64, max: u64) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if digits && (min..=max).contains(&number) => Ok(Some(number)),
            _ => {
                let rule = format!("must be a whole number from {min} to {max}");
                Err(Problem::invalid_query(&rule, name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    #[test]
    fn a_parameter_is_percent_decoded() {
        let query = Query::parse(Some("email=a%2Bb+c%40d.example&"), &["email"]).unwrap();
        assert_eq!(query.get("email"), Some("a+b c@d.example"));
        assert_eq!(query.get_with_plus("email"), Some("a+b+c@d.example"));
        assert_eq!(query.get("limit"), None);
        assert_eq!(query.get_with_plus("limit"), None);
    }

    #[test]
    fn unknown_repeated_and_broken_parameters_are_refused() {
        for text in ["color=red", "a=1&a=1", "a=%ff", "%ff=1", "A=1"] {
            assert!(Query::parse(Some(text), &["a"]).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_that_ends_with_a_dot_stands_for_those_that_begin_so() {
        let query = Query::parse(Some("x=1&a.b=2&a.=3"), &["a.", "x"]).unwrap();
        assert_eq!(Vec::from_iter(query.all("a.")), [("b", "2"), ("", "3")]);
        assert!(query.alone("x", &[&["a."]]).is_ok());
        assert!(query.alone("a.b", &[&["x"]]).is_err());
        assert!(Query::parse(Some("a=1"), &["a."]).is_err());
        assert!(Query::parse(Some("a.b=1&a.b=2"), &["a."]).is_err());
    }

    #[test]
    fn parameters_are_sent_again_as_they_were() {
        let text = "limit=2&a=b+c%2Bd&&l%69mit2=%C3%9F&b=\"ß\"&c";
        let query = Query::parse(Some(text), &["limit", "a", "limit2", "b", "c"]).unwrap();
        let again = query.again(&["limit", "after"]);
        assert_eq!(again, "&a=b+c%2Bd&l%69mit2=%C3%9F&b=%22%C3%9F%22&c");
        assert_eq!(query.again(&["limit", "a", "limit2", "b", "c"]), "");
    }

    #[test]
    fn a_number_is_decimal_and_within_its_bounds() {
        let number = |text: &str| Query::parse(Some(text), &["n"]).unwrap().number("n", 1, 10);
        assert_eq!(number("n=10").ok(), Some(Some(10)));
        assert_eq!(number("n=010").ok(), Some(Some(10)));
        assert_eq!(number("").ok(), Some(None));
        for text in [
            "n=",
            "n",
            "n=0",
            "n=11",
            "n=-1",
            "n=+1",
            "n=1.0",
            "n=99999999999999999999",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_value_comes_through_when_it_is_encoded(value in any::<String>()) {
            let text = format!("a={}&b=1", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            let query = Query::parse(Some(&text), &["a", "b"]).unwrap();
            prop_assert_eq!(query.get("a"), Some(value.as_str()));
            prop_assert_eq!(query.get_with_plus("a"), Some(value.as_str()));
            let form = text.replace("%20", "+");
            let query = Query::parse(Some(&form), &["a", "b"]).unwrap();
            prop_assert_eq!(query.get("a"), Some(value.as_str()));
        }

        #[test]
        fn any_query_is_read_or_refused(text in "[ -~]*") {
            if let Ok(query) = Query::parse(Some(&text), &["limit"]) {
                let number = query.number("limit", 1, 1000);
                prop_assert!(number.is_err() || number.is_ok_and(|n| n.is_none_or(|n| n <= 1000)));
            }
        }
    }
}
