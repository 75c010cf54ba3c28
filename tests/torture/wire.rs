//! Requests and answers as HTTP carries them, and markers as members carry them.

use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{ETAG, IF_MATCH, LINK};
use serde_json::{Map, Value, json};

use crate::history::{Ask, Email, Seen, Sought, State, Told, Write};

/// Longer than the host lets a request take.
const REQUEST_TIME_LIMIT: Duration = Duration::from_secs(40);

/// The letters of an email or a username in which its spelling shows the marker, one bit each.
/// Both are the same without regard to case, and kept as they were written.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// Why a request was not answered.
#[derive(Debug)]
pub enum Failure {
    /// It was never sent: there was no connection.
    NotSent,
    /// It may have been carried out.
    Lost,
}

/// A client of the service.
pub struct Wire {
    url: String,
    client: Client,
}

impl Wire {
    pub fn to(url: &str) -> Wire {
        let client = Client::builder().timeout(REQUEST_TIME_LIMIT).build();
        Wire {
            url: url.to_owned(),
            client: client.expect("a client needs nothing that can be missing"),
        }
    }

    pub fn send(&self, ask: &Ask) -> Result<Told, Failure> {
        let response = self.request(ask).send();
        let response = response.map_err(|error| match error.is_connect() {
            true => Failure::NotSent,
            false => Failure::Lost,
        })?;
        told(response, ask).ok_or(Failure::Lost)
    }

    fn request(&self, ask: &Ask) -> RequestBuilder {
        let url = &self.url;
        let user = |id: &u64| format!("{url}/users/{id}");
        let request = match ask {
            Ask::Create(write) => {
                let body = members(write, Some(write.marker));
                self.client.post(format!("{url}/users")).json(&body)
            }
            Ask::Put {
                id, made, write, ..
            } => self.client.put(user(id)).json(&members(write, Some(*made))),
            Ask::Patch { id, write, .. } => {
                let patch = self.client.patch(user(id));
                patch
                    .header("content-type", "application/merge-patch+json")
                    .body(members(write, None).to_string())
            }
            Ask::Delete { id, .. } => self.client.delete(user(id)),
            Ask::Get(id) => self.client.get(user(id)),
            Ask::Find(address) => {
                let (member, value) = (member_of(*address), lower(*address));
                self.client.get(format!("{url}/users?{member}={value}"))
            }
            Ask::Page { after, limit, .. } => {
                let page = format!("{url}/users?limit={limit}&after={after}");
                self.client.get(page)
            }
            // One page shows all: there are never so many.
            Ask::Search(Sought::Word(marker)) => {
                let words = format!("{url}/users?limit=1000&q=name%20{marker}");
                self.client.get(words)
            }
            Ask::Search(Sought::A(marker)) => {
                let value = format!("{url}/users?limit=1000&attributes.a=a%20{marker}");
                self.client.get(value)
            }
            Ask::Group(ask) => {
                let (method, path, content) = ask.request();
                let method = method.parse().expect("a method");
                let request = self.client.request(method, format!("{url}{path}"));
                match content {
                    Some(content) => request.json(&content),
                    None => request,
                }
            }
        };
        match ask.if_match() {
            Some(tag) => request.header(IF_MATCH, tag),
            None => request,
        }
    }
}

/// The answer; `None` if it did not arrive whole.
fn told(response: Response, ask: &Ask) -> Option<Told> {
    let status = response.status().as_u16();
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(value.to_str().ok()?.to_owned())
    };
    let tag = header(ETAG);
    let next = header(LINK);
    let total = header(reqwest::header::HeaderName::from_static("x-total-count"));
    let body = response.text().ok()?;
    let whole = match (ask, status) {
        (_, 503) if body.contains("\"/problems/contended\"") => Some(Told::Contended),
        (Ask::Delete { .. }, 200..300) | (_, 300..) => Some(Told::Status(status)),
        (Ask::Find(_) | Ask::Page { .. }, _) => users(&body, next, total),
        (Ask::Search(_), _) if next.is_none() => found(&body),
        (Ask::Search(_), _) => None,
        (Ask::Group(_), 204) => Some(Told::Status(status)),
        (Ask::Group(_), _) => ids(&body),
        // PUT is answered without one.
        _ if tag.is_none() != matches!(ask, Ask::Put { .. }) => None,
        _ => user(&body).map(|seen| Told::User { status, tag, seen }),
    };
    Some(whole.unwrap_or(Told::Garbled { status, body }))
}

fn users(body: &str, link: Option<String>, total: Option<String>) -> Option<Told> {
    let users: Vec<Value> = serde_json::from_str(body).ok()?;
    let next = match link {
        Some(link) => Some(after(&link)?),
        None => None,
    };
    Some(Told::Users {
        users: users.iter().map(seen).collect::<Option<_>>()?,
        next,
        total: total?.parse().ok()?,
    })
}

fn found(body: &str) -> Option<Told> {
    let users: Vec<Value> = serde_json::from_str(body).ok()?;
    let users = users.iter().map(seen).collect::<Option<_>>();
    users.map(Told::Found)
}

/// The ids of one, or of several.
fn ids(body: &str) -> Option<Told> {
    let body: Value = serde_json::from_str(body).ok()?;
    let all = match &body {
        Value::Array(all) => &all[..],
        one => std::slice::from_ref(one),
    };
    let ids = all
        .iter()
        .map(|one| one["id"].as_u64())
        .collect::<Option<_>>();
    ids.map(Told::Ids)
}

/// Where `</users?limit=5&after=17>; rel="next"` leads.
fn after(link: &str) -> Option<u64> {
    let (_, rest) = link.split_once("after=")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn user(body: &str) -> Option<Seen> {
    seen(&serde_json::from_str(body).ok()?)
}

/// A representation, if it is made of markers and nothing else.
fn seen(user: &Value) -> Option<Seen> {
    const MEMBERS: [&str; 8] = [
        "id",
        "name",
        "email",
        "username",
        "active",
        "attributes",
        "created_at",
        "updated_at",
    ];
    let attributes = user["attributes"].as_object()?;
    let known = |member: &String| MEMBERS.contains(&member.as_str());
    let is_active = user["active"] == true;
    if !user.as_object()?.keys().all(known) || attributes.len() != 3 || !is_active {
        return None;
    }
    let attribute = |name: &str| marker(name, attributes.get(name)?.as_str()?);
    user["updated_at"].as_str()?;
    Some(Seen {
        id: user["id"].as_u64()?,
        made: attribute("made")?,
        state: State {
            name: marker("name", user["name"].as_str()?)?,
            email: match (user.get("email"), user.get("username")) {
                (None, None) => None,
                (Some(email), None) => Some(parse(email.as_str()?, "email")?),
                (None, Some(name)) => Some(parse(name.as_str()?, "username")?),
                (Some(_), Some(_)) => return None,
            },
            a: attribute("a")?,
            b: attribute("b")?,
        },
        created_at: user["created_at"].as_str()?.to_owned(),
    })
}

/// The members that a write sends. The member's name stands before each marker,
/// so that one that got into another's place is noticed.
fn members(write: &Write, made: Option<u64>) -> Value {
    let marker = write.marker;
    let mut members = Map::new();
    if write.name {
        members.insert("name".to_owned(), json!(format!("name {marker}")));
    }
    match &write.email {
        None => {}
        Some(email) => {
            // Of the other kind it has none afterwards.
            for member in ["email", "username"] {
                let of_kind = email.filter(|email| member_of(email.address) == member);
                let value = of_kind.as_ref().map(spell);
                members.insert(member.to_owned(), json!(value));
            }
        }
    }
    let mut attributes = Map::new();
    let made = made.map(|made| ("made", made));
    let a = write.a.then_some(("a", marker));
    let b = write.b.then_some(("b", marker));
    for (name, marker) in [made, a, b].into_iter().flatten() {
        attributes.insert(name.to_owned(), json!(format!("{name} {marker}")));
    }
    if !attributes.is_empty() {
        members.insert("attributes".to_owned(), Value::Object(attributes));
    }
    Value::Object(members)
}

fn marker(member: &str, text: &str) -> Option<u64> {
    text.strip_prefix(member)?.strip_prefix(' ')?.parse().ok()
}

/// Whether it is an email or a username.
fn member_of(address: usize) -> &'static str {
    ["email", "username"][address % 2]
}

fn lower(address: usize) -> String {
    let domain = ["@example.com", ""][address % 2];
    format!("{LETTERS}{address}{domain}")
}

fn spell(email: &Email) -> String {
    let spelled = LETTERS.char_indices().map(|(bit, letter)| {
        let upper = email.spelling >> bit & 1 == 1;
        if upper {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    let spelled: String = spelled.collect();
    lower(email.address).replace(LETTERS, &spelled)
}

/// The email or the username that a member of that name has as its value.
fn parse(text: &str, member: &str) -> Option<Email> {
    let (letters, rest) = text.split_at_checked(LETTERS.len())?;
    if !letters.eq_ignore_ascii_case(LETTERS) {
        return None;
    }
    let bits = letters.char_indices();
    let address = rest.strip_suffix("@example.com").unwrap_or(rest);
    let address = address.parse().ok()?;
    let is_whole = text.to_lowercase() == lower(address) && member_of(address) == member;
    is_whole.then(|| Email {
        address,
        spelling: bits.fold(0, |sum, (bit, letter)| {
            sum | u64::from(letter.is_ascii_uppercase()) << bit
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_write_sends_is_read_as_what_it_makes() {
        // An email, and a username.
        for address in [2, 3] {
            let write = Write::all(77, Some(address));
            let mut user = members(&write, Some(77));
            let users = user.as_object_mut().unwrap();
            users.retain(|_, value| !value.is_null());
            for (member, value) in [
                ("id", json!(5)),
                ("active", json!(true)),
                ("created_at", json!("then")),
                ("updated_at", json!("then")),
            ] {
                user[member] = value;
            }
            let read = seen(&user).unwrap();
            assert_eq!((read.id, read.made), (5, 77));
            assert_eq!(read.state, write.whole());
            user["active"] = json!(false);
            assert_eq!(seen(&user), None);
            user["active"] = json!(true);
            user["name"] = user["attributes"]["a"].clone();
            assert_eq!(seen(&user), None);
        }
    }

    #[test]
    fn an_email_shows_its_marker_in_its_spelling() {
        let email = Email {
            address: 2,
            spelling: 0b101,
        };
        let text = spell(&email);
        assert_eq!(text, "AbCdefghijklmnopqrstuvwxyz2@example.com");
        assert_eq!(parse(&text, "email"), Some(email));
        assert_eq!(parse(&text, "username"), None);
        assert_eq!(text.to_lowercase(), lower(2));
        let username = Email {
            address: 3,
            ..email
        };
        let text = spell(&username);
        assert_eq!(text, "AbCdefghijklmnopqrstuvwxyz3");
        assert_eq!(parse(&text, "username"), Some(username));
    }

    #[test]
    fn a_link_leads_to_the_next_page() {
        let link = "</users?limit=5&after=17>; rel=\"next\"";
        assert_eq!(after(link), Some(17));
    }
}
