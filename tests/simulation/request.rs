//! The requests of clients over HTTP, and the answers.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use edge_users::timestamp::Timestamp;
use http::Request;
use serde_json::{Value, json};

use crate::scim;

/// A step of a client's program.
#[derive(Clone, Debug)]
pub enum Action {
    Create(Value),
    /// With an `Idempotency-Key`.
    CreateOnce(&'static str, Value),
    Get(Who),
    /// By the email.
    Find(String),
    FindUsername(String),
    /// All pages of so many users, one after another, from the one after this id.
    Walk(u64, usize),
    /// All pages of so many users whose names begin so.
    Search(String, usize),
    /// All pages of so many users with a word that begins so.
    SearchWord(String, usize),
    /// All pages of so many users with an external id.
    SearchExternalId(String, usize),
    /// All pages of so many users with a team.
    SearchAttribute(String, usize),
    /// All pages of so many users, by name.
    Sorted(Direction, usize),
    /// All pages of so many users who are found by something and are not switched off.
    Active(By, usize),
    /// All pages of so many users, by their last changes.
    Updated(Direction, usize),
    Put(Who, Value, Condition),
    Patch(Who, Value, Condition),
    Delete(Who, Condition),
    /// Several at once.
    DeleteMany(Vec<u64>),
    /// Of the user who has the same value of that member, or of nobody yet.
    Upsert(&'static str, Value),
    /// A request about groups.
    Group(GroupAsk),
    /// The same by SCIM: a create, a get or a change of a user, without attributes.
    Scim(Box<Action>),
    /// Whether the service is ready.
    Ready,
}

impl Action {
    /// The action, by whatever interface.
    pub fn plain(&self) -> &Action {
        match self {
            Action::Scim(action) => action,
            action => action,
        }
    }
}

/// A request about groups. It names groups and users by their ids.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupAsk {
    Create(&'static str),
    Rename(u64, &'static str),
    Remove(u64),
    /// By the name.
    Find(&'static str),
    /// The groups with a word that begins so; all, if it is empty. In the order of names.
    Search(&'static str),
    /// A search for groups or users, by its target, from the names on that begin so.
    SearchFrom(String, String),
    /// All groups in the reverse of that order.
    Backwards,
    /// Of a group and a user.
    Join(u64, u64),
    Leave(u64, u64),
    /// Users come into a group, or leave it, one after the other: by SCIM.
    Change(u64, Vec<(u64, bool)>),
    /// These users are to be the members, and nobody else: by SCIM.
    Set(u64, Vec<u64>),
    /// The users in a group.
    Members(u64),
    /// The groups that a user is in.
    Of(u64),
}

impl GroupAsk {
    pub fn target(&self) -> (&'static str, String) {
        match self {
            GroupAsk::Create(_) => ("POST", "/groups".to_owned()),
            GroupAsk::Rename(group, _) => ("PATCH", format!("/groups/{group}")),
            GroupAsk::Remove(group) => ("DELETE", format!("/groups/{group}")),
            GroupAsk::Find(name) => ("GET", format!("/groups?name={}", name.replace(' ', "+"))),
            GroupAsk::Search("") => ("GET", "/groups?sort=name&limit=9".to_owned()),
            GroupAsk::Search(start) => ("GET", format!("/groups?q={start}&limit=9")),
            GroupAsk::SearchFrom(path, name) => {
                let after = BASE64.encode(json!([name, 0]).to_string());
                ("GET", format!("{path}&after={after}"))
            }
            GroupAsk::Backwards => ("GET", "/groups?sort=-name&limit=9".to_owned()),
            GroupAsk::Join(group, user) => ("PUT", format!("/groups/{group}/members/{user}")),
            GroupAsk::Leave(group, user) => ("DELETE", format!("/groups/{group}/members/{user}")),
            GroupAsk::Change(group, _) | GroupAsk::Set(group, _) => {
                ("PATCH", format!("/scim/v2/Groups/{group}"))
            }
            GroupAsk::Members(group) => ("GET", format!("/groups/{group}/members?limit=9")),
            GroupAsk::Of(user) => ("GET", format!("/users/{user}/groups?limit=9")),
        }
    }

    /// The content of the request.
    fn content(&self) -> Option<Value> {
        match self {
            GroupAsk::Create(name) | GroupAsk::Rename(_, name) => Some(json!({ "name": name })),
            GroupAsk::Change(_, users) => Some(scim::member_changes(users)),
            GroupAsk::Set(_, users) => Some(scim::all_members(users)),
            _ => None,
        }
    }

    /// The users who may come into a group by it.
    pub fn joining(&self, group: u64) -> Vec<u64> {
        match self {
            GroupAsk::Join(to, user) if *to == group => vec![*user],
            GroupAsk::Change(to, users) if *to == group => {
                let come = users.iter().filter(|(_, comes)| *comes);
                come.map(|(user, _)| *user).collect()
            }
            GroupAsk::Set(to, users) if *to == group => users.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        matches!(self, GroupAsk::Find(_)) || self.reads_several()
    }

    /// The start of a word by which it searches; none if it does not search.
    pub fn searched(&self) -> Option<&'static str> {
        match self {
            GroupAsk::Search(start) => Some(start),
            GroupAsk::Backwards => Some(""),
            _ => None,
        }
    }

    /// Whether it reads one record after the other, so that the answer is of no one moment.
    pub fn reads_several(&self) -> bool {
        let several = matches!(
            self,
            GroupAsk::Members(_) | GroupAsk::Of(_) | GroupAsk::SearchFrom(..)
        );
        several || self.searched().is_some()
    }
}

/// Which user.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    Id(u64),
    /// The one that this client created last.
    Mine,
}

/// Whether a change is made to one version only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    Always,
    /// With `If-Match`: the version that this client saw last, if it saw one.
    AsSeen,
}

/// The direction of a list in the order of names, or of last changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    Forwards,
    Backwards,
}

/// What a search is by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// Nothing: it finds all, in the order of their names.
    Nothing(Direction),
    /// Nothing, in the order of last changes.
    Updates(Direction),
    /// How names begin.
    Name(String),
    /// How words of names begin.
    Word(String),
    ExternalId(String),
    /// The member `team` of the attributes.
    Attribute(String),
    /// That, and who is not switched off.
    Active(Box<By>),
}

/// What searches look at of a user.
pub struct Traits<'a> {
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub username: Option<&'a str>,
    pub external_id: Option<&'a str>,
    pub attributes: Option<&'a str>,
    pub active: bool,
    pub updated_at: Option<&'a str>,
}

impl Traits<'_> {
    fn words(&self) -> impl Iterator<Item = String> {
        let others = [self.email, self.username].into_iter().flatten();
        [self.name].into_iter().chain(others).flat_map(words)
    }
}

/// The words of a name, a username, or what stands in an email before the `@`. Digits are words of
/// their own.
pub fn words(text: &str) -> Vec<String> {
    let (text, _) = text.split_once('@').unwrap_or((text, ""));
    let text = text.to_lowercase();
    let letters = text.split(|c: char| !c.is_alphabetic());
    let words = letters.chain(text.split(|c: char| !c.is_numeric()));
    let words = words.filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

impl By {
    /// The request for all pages of so many users.
    pub fn action(self, limit: usize) -> Action {
        match self {
            By::Name(prefix) => Action::Search(prefix, limit),
            By::Word(prefix) => Action::SearchWord(prefix, limit),
            By::ExternalId(id) => Action::SearchExternalId(id, limit),
            By::Attribute(value) => Action::SearchAttribute(value, limit),
            By::Nothing(direction) => Action::Sorted(direction, limit),
            By::Updates(direction) => Action::Updated(direction, limit),
            By::Active(by) => Action::Active(*by, limit),
        }
    }

    pub fn is_backwards(&self) -> bool {
        match self {
            By::Active(by) => by.is_backwards(),
            By::Nothing(direction) | By::Updates(direction) => *direction == Direction::Backwards,
            _ => false,
        }
    }

    /// The parameters of the request.
    fn parameters(&self) -> String {
        match self {
            By::Name(prefix) => format!("name={prefix}"),
            By::Word(prefix) => format!("q={prefix}"),
            By::ExternalId(id) => format!("external_id={id}"),
            By::Attribute(value) => format!("attributes.team={value}"),
            By::Nothing(Direction::Forwards) => "sort=name".to_owned(),
            By::Nothing(Direction::Backwards) => "sort=-name".to_owned(),
            By::Updates(Direction::Forwards) => "sort=updated_at".to_owned(),
            By::Updates(Direction::Backwards) => "sort=-updated_at".to_owned(),
            By::Active(by) => format!("{}&active=true", by.parameters()),
        }
    }

    /// Whether a user who is changed by this patch may get another position, or none.
    pub fn is_touched_by(&self, patch: &Value) -> bool {
        let members = match self {
            By::Name(_) | By::Nothing(_) => &["name"][..],
            By::Word(_) => &["name", "email", "username"],
            By::ExternalId(_) => &["external_id"],
            By::Attribute(_) => &["attributes"],
            // By any change.
            By::Updates(_) => return true,
            By::Active(by) if by.is_touched_by(patch) => return true,
            By::Active(_) => &["active"],
        };
        members.iter().any(|member| patch.get(member).is_some())
    }

    /// Where a user is in the order of the search; `None` if it is not found.
    pub fn position(&self, user: &Traits, id: u64) -> Option<(String, u64)> {
        // Names of programs are plain.
        let name = user.name.to_lowercase();
        match self {
            By::Nothing(_) => Some((name, id)),
            By::Updates(_) => {
                let time = Timestamp::from_rfc3339(user.updated_at?).expect("a time");
                let ordered = time.0 as u64 ^ (1 << 63);
                Some((format!("\u{7f}{ordered:016x}"), id))
            }
            By::Name(prefix) => name.starts_with(prefix).then_some((name, id)),
            By::Word(prefix) => {
                let has = user.words().any(|word| word.starts_with(prefix));
                has.then_some((name, id))
            }
            By::ExternalId(wanted) => {
                (user.external_id == Some(wanted)).then(|| (String::new(), id))
            }
            By::Attribute(wanted) => {
                let attributes: Value = serde_json::from_str(user.attributes?).expect("JSON");
                (attributes["team"] == **wanted).then(|| (String::new(), id))
            }
            By::Active(by) => by.position(user, id).filter(|_| user.active),
        }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    Create(Value),
    CreateOnce(&'static str, Value),
    Get(u64),
    Find(String),
    FindUsername(String),
    List {
        after: u64,
        limit: usize,
    },
    Search {
        by: By,
        after: Option<Cursor>,
        limit: usize,
    },
    Put(u64, Value, Option<String>),
    Patch(u64, Value, Option<String>),
    Delete(u64, Option<String>),
    DeleteMany(Vec<u64>),
    Upsert(&'static str, Value),
    Group(GroupAsk),
    /// The same by SCIM.
    Scim(Box<Ask>),
    Ready,
}

impl Ask {
    /// The request, by whatever interface.
    pub fn plain(&self) -> &Ask {
        match self {
            Ask::Scim(ask) => ask,
            ask => ask,
        }
    }

    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        if let Ask::Group(ask) = self {
            return ask.reads();
        }
        matches!(
            self.plain(),
            Ask::Get(_)
                | Ask::Find(_)
                | Ask::FindUsername(_)
                | Ask::List { .. }
                | Ask::Search { .. }
                | Ask::Ready
        )
    }

    /// The request on the wire.
    pub fn request(&self) -> Request<Vec<u8>> {
        let (method, path) = self.target();
        let content = match self {
            Ask::Group(ask) => ask.content(),
            Ask::DeleteMany(ids) => Some(json!({ "ids": ids })),
            Ask::Scim(ask) => scim::content(ask),
            _ => None,
        };
        let (body, media_type) = match self {
            Ask::Group(_) | Ask::DeleteMany(_) => (content.as_ref(), "application/json"),
            Ask::Scim(_) => (content.as_ref(), "application/scim+json"),
            Ask::Upsert(_, profile) => (Some(profile), "application/x-ndjson"),
            Ask::Create(profile) | Ask::CreateOnce(_, profile) | Ask::Put(_, profile, _) => {
                (Some(profile), "application/json")
            }
            Ask::Patch(_, patch, _) => (Some(patch), "application/merge-patch+json"),
            Ask::Delete(..)
            | Ask::Get(_)
            | Ask::Find(_)
            | Ask::FindUsername(_)
            | Ask::List { .. }
            | Ask::Search { .. }
            | Ask::Ready => (None, ""),
        };
        let mut request = Request::builder().method(method).uri(path);
        if let Some(tag) = self.condition() {
            request = request.header("if-match", tag);
        }
        if let Ask::CreateOnce(key, _) = self {
            request = request.header("idempotency-key", *key);
        }
        if body.is_some() {
            request = request.header("content-type", media_type);
        }
        let body = body.map(|value| value.to_string().into_bytes());
        request.body(body.unwrap_or_default()).expect("a request")
    }

    /// The tag of the version to which the change is to be made.
    fn condition(&self) -> Option<&String> {
        match self.plain() {
            Ask::Put(.., tag) | Ask::Patch(.., tag) | Ask::Delete(_, tag) => tag.as_ref(),
            _ => None,
        }
    }

    pub fn target(&self) -> (&'static str, String) {
        match self {
            Ask::Scim(ask) => scim::target(ask),
            Ask::Create(_) | Ask::CreateOnce(..) => ("POST", "/users".to_owned()),
            Ask::Get(id) => ("GET", format!("/users/{id}")),
            Ask::Find(email) => ("GET", format!("/users?email={email}")),
            Ask::FindUsername(name) => ("GET", format!("/users?username={name}")),
            Ask::List { after, limit } => ("GET", format!("/users?after={after}&limit={limit}")),
            Ask::Search { by, after, limit } => {
                let after = after.iter().map(|cursor| format!("&after={}", cursor.text));
                let after = after.collect::<String>();
                let by = by.parameters();
                ("GET", format!("/users?{by}&limit={limit}{after}"))
            }
            Ask::Put(id, ..) => ("PUT", format!("/users/{id}")),
            Ask::Patch(id, ..) => ("PATCH", format!("/users/{id}")),
            Ask::Delete(id, _) => ("DELETE", format!("/users/{id}")),
            Ask::DeleteMany(_) => ("POST", "/users/delete".to_owned()),
            Ask::Upsert(member, _) => ("POST", format!("/users/import?match={member}")),
            Ask::Group(ask) => ask.target(),
            Ask::Ready => ("GET", "/readyz".to_owned()),
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, path) = self.target();
        write!(f, "{method} {path}")?;
        match self.plain() {
            Ask::Create(value)
            | Ask::Put(_, value, _)
            | Ask::Patch(_, value, _)
            | Ask::Upsert(_, value) => write!(f, " {value}")?,
            Ask::DeleteMany(ids) => write!(f, " {ids:?}")?,
            Ask::CreateOnce(key, value) => write!(f, " {value} Idempotency-Key: {key}")?,
            Ask::Group(ask) => {
                if let Some(content) = ask.content() {
                    write!(f, " {content}")?;
                }
            }
            _ => {}
        }
        match self.condition() {
            Some(tag) => write!(f, " If-Match: {tag}"),
            None => Ok(()),
        }
    }
}

/// Where a search goes on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub text: String,
    /// The meaning of the text: a folded name, or a time, and the least id.
    pub position: (String, u64),
}

impl Cursor {
    fn read(text: &str) -> Option<Cursor> {
        Some(Cursor {
            text: text.to_owned(),
            position: serde_json::from_slice(&BASE64.decode(text).ok()?).ok()?,
        })
    }
}

/// A user as a response represents it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Seen {
    pub id: u64,
    pub name: String,
    pub email: Option<String>,
    pub username: Option<String>,
    pub external_id: Option<String>,
    pub attributes: Option<String>,
    /// False by SCIM, which does not show them.
    pub has_attributes: bool,
    pub active: bool,
    pub created_at: String,
    pub updated_at: String,
    /// Not in lists, and not in answers to PUT.
    pub tag: Option<String>,
}

impl Seen {
    fn new(value: &Value, tag: Option<String>) -> Seen {
        let text = |member: &str| value[member].as_str().map(str::to_owned);
        Seen {
            id: value["id"].as_u64().expect("an id"),
            name: text("name").expect("a name"),
            email: text("email"),
            username: text("username"),
            external_id: text("external_id"),
            attributes: value.get("attributes").map(Value::to_string),
            has_attributes: true,
            active: value["active"].as_bool().expect("a flag"),
            created_at: text("created_at").expect("a time"),
            updated_at: text("updated_at").expect("a time"),
            tag,
        }
    }

    pub fn traits(&self) -> Traits<'_> {
        Traits {
            name: &self.name,
            email: self.email.as_deref(),
            username: self.username.as_deref(),
            external_id: self.external_id.as_deref(),
            attributes: self.attributes.as_deref(),
            active: self.active,
            updated_at: Some(&self.updated_at),
        }
    }
}

/// How an upsert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// 200 or 201, with a user.
    User(u16, Seen),
    /// 200, with a list of users, their number, and where the next page starts.
    Users {
        users: Vec<Seen>,
        total: u64,
        next: Option<u64>,
    },
    /// 200, with users whose names begin alike or who have one external id, and where the next page
    /// starts.
    Found {
        users: Vec<Seen>,
        next: Option<Cursor>,
    },
    /// The result of an upsert that was made, and the user's id.
    Upserted(Outcome, u64),
    /// The answers to each of several deletes that were reached.
    Each(Vec<(u64, Told)>),
    /// 201 with the user that an earlier request with the same key made.
    Replayed(Seen),
    /// 200 or 201, with groups, or with users in a group: their ids.
    Ids(Vec<u64>),
    /// 409, for another request with the same key runs.
    InProgress,
    /// 204, 400, 404, 409, 410, 412 or 422, or 200 without a user.
    Status(u16),
    /// 503, or none at all: the request took effect or did not.
    Unknown,
}

impl Told {
    /// Reads the result of the one line of an import.
    fn upserted(content: &[u8]) -> Result<Told, String> {
        let lines = content.split(|byte| *byte == b'\n').take(2);
        let lines = lines.map(|line| serde_json::from_slice::<Value>(line).unwrap_or_default());
        let lines: Vec<Value> = lines.collect();
        let unknown = || format!("no result: {}", String::from_utf8_lossy(content));
        let [line, end] = &lines[..] else {
            return Err(unknown());
        };
        if end["end"] != "complete" {
            return Err(unknown());
        }
        let outcome = match (line["status"].as_u64(), line["outcome"].as_str()) {
            (Some(201), Some("created")) => Outcome::Created,
            (Some(200), Some("updated")) => Outcome::Updated,
            (Some(200), Some("unchanged")) => Outcome::Unchanged,
            (Some(503), None) => return Ok(Told::Unknown),
            (Some(409), None) => return Ok(Told::Status(409)),
            _ => return Err(unknown()),
        };
        let id = line["id"].as_u64().ok_or_else(unknown)?;
        Ok(Told::Upserted(outcome, id))
    }

    /// Reads the results of several deletes.
    fn each(body: &Value) -> Result<Told, String> {
        let result = |result: &Value| {
            let told = match result["status"].as_u64()? {
                503 => Told::Unknown,
                status @ (204 | 404) => Told::Status(status as u16),
                _ => return None,
            };
            Some((result["id"].as_u64()?, told))
        };
        let results = body["results"].as_array();
        let results = results.and_then(|results| results.iter().map(result).collect());
        results
            .map(Told::Each)
            .ok_or_else(|| format!("no results: {body}"))
    }

    /// Reads a response; fails if no request may ever get such a one.
    pub fn read(ask: &Ask, response: &http::Response<Vec<u8>>) -> Result<Told, String> {
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let body = || serde_json::from_slice::<Value>(response.body()).unwrap_or(json!(null));
        let status = response.status().as_u16();
        match status {
            200 if matches!(ask, Ask::Upsert(..)) => Told::upserted(response.body()),
            200 if matches!(ask, Ask::DeleteMany(_)) => Told::each(&body()),
            200 if matches!(ask, Ask::Find(_) | Ask::FindUsername(_) | Ask::List { .. }) => {
                let body = body();
                let users = body.as_array().ok_or("a list that is none")?;
                let next = header("link").map(|link| {
                    let (_, after) = link.split_once("after=").expect("a next link");
                    let digits = after.split(|c: char| !c.is_ascii_digit()).next();
                    digits.and_then(|id| id.parse().ok()).expect("an id")
                });
                Ok(Told::Users {
                    users: users.iter().map(|user| Seen::new(user, None)).collect(),
                    total: header("x-total-count")
                        .and_then(|total| total.parse().ok())
                        .ok_or("a list without X-Total-Count")?,
                    next,
                })
            }
            200 if matches!(ask, Ask::Search { .. }) => {
                let body = body();
                let users = body.as_array().ok_or("a list that is none")?;
                let next = header("link").map(|link| {
                    let (_, after) = link.split_once("after=").expect("a next link");
                    let (text, _) = after.split_once('>').expect("a next link");
                    Cursor::read(text).expect("a cursor")
                });
                Ok(Told::Found {
                    users: users.iter().map(|user| Seen::new(user, None)).collect(),
                    next,
                })
            }
            200 | 201 if matches!(ask, Ask::Group(_)) => {
                let body = body();
                let all = match &body {
                    Value::Array(all) => &all[..],
                    one => std::slice::from_ref(one),
                };
                let ids = all.iter().map(|one| one["id"].as_u64());
                let ids: Option<Vec<u64>> = ids.collect();
                Ok(Told::Ids(ids.ok_or("a group without an id")?))
            }
            200 if *ask == Ask::Ready => Ok(Told::Status(status)),
            200 | 201 if matches!(ask, Ask::Scim(_)) => scim::told(status, &body(), header("etag")),
            400 if matches!(ask, Ask::Scim(_)) => Ok(Told::Status(status)),
            400 if matches!(ask, Ask::Group(GroupAsk::Change(..) | GroupAsk::Set(..))) => {
                Ok(Told::Status(status))
            }
            200 | 201 => {
                let tag = header("etag");
                if tag.is_none() != matches!(ask, Ask::Put(..)) {
                    return Err(format!("an ETag too many, or too few: {response:?}"));
                }
                let user = Seen::new(&body(), tag);
                if status == 201 && header("location") != Some(format!("/users/{}", user.id)) {
                    return Err(format!("201 without its Location: {response:?}"));
                }
                match header("idempotency-replayed").as_deref() {
                    None => Ok(Told::User(status, user)),
                    Some("true") if status == 201 => Ok(Told::Replayed(user)),
                    Some(_) => Err(format!("not replayed, and yet: {response:?}")),
                }
            }
            503 if header("retry-after").is_some() => Ok(Told::Unknown),
            409 if body()["type"] == "/problems/idempotency-in-progress" => {
                header("retry-after").ok_or("409 without Retry-After")?;
                Ok(Told::InProgress)
            }
            410 | 422 if matches!(ask, Ask::CreateOnce(..)) => Ok(Told::Status(status)),
            204 | 404 | 409 | 412 => Ok(Told::Status(status)),
            _ => Err(format!(
                "{status} is no answer to {ask}: {}",
                String::from_utf8_lossy(response.body())
            )),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Told::User(status, user) => write!(f, "{status} {user}"),
            Told::Users { users, total, next } => {
                let users: Vec<_> = users.iter().map(Seen::to_string).collect();
                write!(f, "200 [{}] of {total}", users.join(", "))?;
                match next {
                    Some(id) => write!(f, ", more after {id}"),
                    None => Ok(()),
                }
            }
            Told::Replayed(user) => write!(f, "201 again {user}"),
            Told::Upserted(outcome, id) => write!(f, "{outcome:?} {id}"),
            Told::Each(results) => {
                let results = results.iter();
                let results = results.map(|(id, told)| format!("{id}: {told}"));
                write!(f, "200 [{}]", results.collect::<Vec<_>>().join(", "))
            }
            Told::Ids(ids) => write!(f, "200 {ids:?}"),
            Told::InProgress => write!(f, "409, in progress"),
            Told::Found { users, next } => {
                let users: Vec<_> = users.iter().map(Seen::to_string).collect();
                write!(f, "200 [{}]", users.join(", "))?;
                match next {
                    Some(next) => write!(f, ", more from {:?}", next.position),
                    None => Ok(()),
                }
            }
            Told::Status(status) => write!(f, "{status}"),
            Told::Unknown => write!(f, "503, or none"),
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{} {:?}", self.id, self.name)?;
        for member in [
            &self.email,
            &self.username,
            &self.external_id,
            &self.attributes,
            &self.tag,
        ]
        .into_iter()
        .flatten()
        {
            write!(f, " {member}")?;
        }
        if !self.active {
            write!(f, " off")?;
        }
        write!(f, "}}")
    }
}
