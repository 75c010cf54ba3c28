//! The sequential specification: what a directory of users does when requests
//! come one after another.
//!
//! It is exact but for this: an update is answered 409 if another user had the
//! email or the username at some moment, even if the updated user was gone by then.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use crate::request::{Ask, By, Cursor, GroupAsk, Outcome, Seen, Told, Traits, words};

/// All users that ever existed; `None` for deleted ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Model {
    users: BTreeMap<u64, Option<User>>,
    keys: BTreeMap<&'static str, Once>,
    /// All groups that ever existed, with their names; `None` for deleted ones.
    groups: BTreeMap<u64, Option<&'static str>>,
    /// Groups and the users in them.
    members: BTreeSet<(u64, u64)>,
}

/// No run has more groups.
pub const GROUPS: u64 = 10;

/// The use of an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Once {
    payload: Profile,
    id: u64,
    /// The first version of the user, once there is another or none.
    first: Option<User>,
}

/// A user. A member that is `None` beside the profile is not known until a client reads it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct User {
    profile: Profile,
    tag: Option<String>,
    created_at: Option<String>,
    updated_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Profile {
    name: String,
    email: Option<String>,
    username: Option<String>,
    external_id: Option<String>,
    attributes: Option<String>,
    active: bool,
}

impl Profile {
    fn new(value: &Value) -> Profile {
        let text = |member: &str| value[member].as_str().map(str::to_owned);
        let attributes = value.get("attributes").filter(|value| !value.is_null());
        Profile {
            name: text("name").expect("programs name their users"),
            email: text("email"),
            username: text("username"),
            external_id: text("external_id"),
            attributes: attributes.map(Value::to_string),
            active: value["active"].as_bool().unwrap_or(true),
        }
    }

    fn patched(&self, patch: &Value) -> Profile {
        let mut value = serde_json::json!({
            "name": self.name, "email": self.email, "username": self.username,
            "external_id": self.external_id, "active": self.active,
        });
        if let Some(text) = &self.attributes {
            value["attributes"] = serde_json::from_str(text).expect("kept as JSON");
        }
        merge(&mut value, patch);
        Profile::new(&value)
    }

    fn is(&self, seen: &Seen) -> bool {
        self.name == seen.name
            && self.email == seen.email
            && self.username == seen.username
            && self.external_id == seen.external_id
            && (self.attributes == seen.attributes || !seen.has_attributes)
            && self.active == seen.active
    }

    /// Whether both have one email, or one username.
    fn excludes(&self, other: &Profile) -> bool {
        self.shares_email(other) || self.shares_username(other)
    }

    fn shares_email(&self, other: &Profile) -> bool {
        is_same(&self.email, &other.email)
    }

    fn shares_username(&self, other: &Profile) -> bool {
        is_same(&self.username, &other.username)
    }
}

/// Whether both are there, and are the same without regard to case.
fn is_same(one: &Option<String>, other: &Option<String>) -> bool {
    let lower = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
    one.is_some() && lower(one) == lower(other)
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Default::default());
    }
    let target = target.as_object_mut().expect("made so above");
    for (name, value) in members {
        match value {
            Value::Null => drop(target.remove(name)),
            value => merge(target.entry(name).or_insert(Value::Null), value),
        }
    }
}

/// The effect and the answer of a request at one instant.
#[derive(Clone, Debug)]
pub enum Call {
    /// A request with its answer.
    Asked(Rc<Ask>, Told),
    /// An upsert by a member that is not unique, made while others wrote.
    Upserted(Rc<Ask>, Told),
    /// A list, taken while others wrote, showed this user.
    Listed(Seen),
    /// A list, taken while others wrote, left out this id.
    LeftOut(u64),
    /// A search, made while others wrote, did not find this user.
    NotFound(u64, Stretch),
    /// A search by the start of a word, made while others wrote, found this group, or did not.
    GroupFound(u64, &'static str, bool),
    /// One of these ids named no user.
    Missing(Vec<u64>),
}

/// A part of who is to be found by a search: from a position on, up to another.
#[derive(Clone, Debug)]
pub struct Stretch {
    pub by: By,
    pub from: (String, u64),
    pub to: Option<(String, u64)>,
}

impl Stretch {
    /// The users in the answer to a search.
    pub fn of(ask: &Ask, told: &Told) -> Option<Stretch> {
        let (Ask::Search { by, after, .. }, Told::Found { next, .. }) = (ask, told) else {
            return None;
        };
        let position = |cursor: &Option<Cursor>| Some(cursor.as_ref()?.position.clone());
        let (mut from, mut to) = (position(after), position(next));
        if by.is_backwards() {
            std::mem::swap(&mut from, &mut to);
        }
        Some(Stretch {
            by: by.clone(),
            from: from.unwrap_or_default(),
            to,
        })
    }

    /// Whether a position in the order of the search is in it.
    pub fn has(&self, position: &(String, u64)) -> bool {
        *position >= self.from && self.to.as_ref().is_none_or(|to| position < to)
    }
}

impl Model {
    /// All that the directory may be after a call took effect; nothing if it can't have, with
    /// that answer. `nameless` are the ids of users whose creation nobody was told.
    pub fn after(&self, call: &Call, nameless: &[u64]) -> Vec<Model> {
        match call {
            Call::LeftOut(id) => self.unless(self.live(*id).is_some()),
            Call::NotFound(id, stretch) => {
                let position = self.live(*id).and_then(|user| user.position(*id, stretch));
                self.unless(position.is_some())
            }
            Call::Listed(seen) => self.observed(seen),
            Call::Missing(ids) => self.unless(ids.iter().all(|id| self.live(*id).is_some())),
            Call::GroupFound(id, start, found) => {
                self.unless(self.groups_with(start).contains(id) != *found)
            }
            Call::Upserted(ask, told) => self.upserted(ask, told, nameless, false),
            Call::Asked(ask, told) => match &**ask {
                Ask::Create(profile) => self.created(&Profile::new(profile), told, nameless),
                Ask::CreateOnce(key, profile) => {
                    self.created_once(key, &Profile::new(profile), told, nameless)
                }
                Ask::Get(id) => match told {
                    Told::User(200, seen) if seen.id == *id => self.observed(seen),
                    Told::Status(404) => self.unless(self.live(*id).is_some()),
                    told => self.unless(*told != Told::Unknown),
                },
                Ask::Find(email) => {
                    let email = Some(email.clone());
                    let wanted = Profile {
                        email,
                        ..Profile::nobody()
                    };
                    self.found(&wanted, told)
                }
                Ask::FindUsername(name) => {
                    let username = Some(name.clone());
                    let wanted = Profile {
                        username,
                        ..Profile::nobody()
                    };
                    self.found(&wanted, told)
                }
                Ask::List { after, .. } => self.listed(*after, told),
                Ask::Search { .. } => self.searched(ask, told),
                Ask::Put(id, profile, tag) => {
                    self.updated(*id, |_| Profile::new(profile), tag, told)
                }
                Ask::Patch(id, patch, tag) => {
                    self.updated(*id, |before| before.patched(patch), tag, told)
                }
                Ask::Delete(id, tag) => self.deleted(*id, tag, told),
                Ask::DeleteMany(_) => unreachable!("each delete is a call of its own"),
                Ask::Upsert(..) => self.upserted(ask, told, nameless, true),
                Ask::Group(ask) => self.grouped(ask, told),
                Ask::Scim(ask) => self.by_scim(ask, told, nameless),
                Ask::Ready => vec![self.clone()],
            },
        }
    }

    fn unless(&self, contradicted: bool) -> Vec<Model> {
        match contradicted {
            true => Vec::new(),
            false => vec![self.clone()],
        }
    }

    fn with(&self, id: u64, user: Option<User>) -> Model {
        let mut model = self.clone();
        if user.is_none() {
            model.members.retain(|(_, member)| *member != id);
        }
        model.users.insert(id, user);
        model
    }

    /// A request about groups.
    fn grouped(&self, ask: &GroupAsk, told: &Told) -> Vec<Model> {
        let is_group = |id: &u64| matches!(self.groups.get(id), Some(Some(_)));
        let holder = |name: &str| {
            let mut groups = self.groups.iter();
            let found = groups.find(|(_, held)| **held == Some(name));
            found.map(|(id, _)| *id)
        };
        let with = |id: u64, name: Option<&'static str>| {
            let mut model = self.clone();
            if name.is_none() {
                model.members.retain(|(group, _)| *group != id);
            }
            model.groups.insert(id, name);
            model
        };
        let joined = |group: u64, user: u64, is_member: bool| {
            let mut model = self.clone();
            match is_member {
                true => model.members.insert((group, user)),
                false => model.members.remove(&(group, user)),
            };
            vec![model]
        };
        match (ask, told) {
            (GroupAsk::Create(name), Told::Ids(ids)) => match &ids[..] {
                [id] if holder(name).is_none() && !self.groups.contains_key(id) => {
                    vec![with(*id, Some(name))]
                }
                _ => Vec::new(),
            },
            // Nobody was told the id.
            (GroupAsk::Create(name), Told::Unknown) if holder(name).is_none() => {
                let ids = (1..=GROUPS).filter(|id| !self.groups.contains_key(id));
                ids.map(|id| with(id, Some(name))).collect()
            }
            (GroupAsk::Create(name), Told::Status(409)) => self.unless(holder(name).is_none()),
            (GroupAsk::Rename(id, name), Told::Ids(_) | Told::Unknown)
                if is_group(id) && holder(name).is_none_or(|holder| holder == *id) =>
            {
                vec![with(*id, Some(name))]
            }
            (GroupAsk::Rename(id, name), Told::Status(409)) => {
                self.unless(holder(name).is_none_or(|holder| holder == *id))
            }
            (GroupAsk::Remove(id), Told::Status(204) | Told::Unknown) if is_group(id) => {
                vec![with(*id, None)]
            }
            (GroupAsk::Join(group, user), Told::Status(204) | Told::Unknown)
                if is_group(group) && self.live(*user).is_some() =>
            {
                joined(*group, *user, true)
            }
            (GroupAsk::Join(group, user), Told::Status(404)) => {
                self.unless(is_group(group) && self.live(*user).is_some())
            }
            (GroupAsk::Leave(group, user), Told::Status(204) | Told::Unknown)
                if is_group(group) =>
            {
                joined(*group, *user, false)
            }
            (
                GroupAsk::Rename(id, _)
                | GroupAsk::Remove(id)
                | GroupAsk::Leave(id, _)
                | GroupAsk::Members(id),
                Told::Status(404),
            ) => self.unless(is_group(id)),
            (GroupAsk::Of(user), Told::Status(404)) => self.unless(self.live(*user).is_some()),
            (GroupAsk::Find(name), Told::Ids(ids)) => {
                self.unless(!holder(name).iter().eq(ids.iter()))
            }
            (GroupAsk::Search(start), Told::Ids(ids)) => {
                self.unless(self.groups_with(start) != *ids)
            }
            // It is asked so that the lists forget a name.
            (GroupAsk::SearchFrom(..), Told::Ids(_)) => vec![self.clone()],
            (GroupAsk::Backwards, Told::Ids(ids)) => {
                self.unless(!self.groups_with("").iter().rev().eq(ids))
            }
            (GroupAsk::Members(group), Told::Ids(ids)) => {
                let members = self.members.iter();
                let members = members.filter(|(other, _)| other == group);
                let same = members.map(|(_, user)| user).eq(ids.iter());
                self.unless(!is_group(group) || !same)
            }
            (GroupAsk::Of(user), Told::Ids(ids)) => {
                let members = self.members.iter();
                let groups = members.filter(|(_, other)| other == user);
                let same = groups.map(|(group, _)| group).eq(ids.iter());
                self.unless(self.live(*user).is_none() || !same)
            }
            _ => Vec::new(),
        }
    }

    /// The groups with a word that begins so, in the order of their names.
    fn groups_with(&self, start: &str) -> Vec<u64> {
        let names = self
            .groups
            .iter()
            .filter_map(|(id, name)| Some((*id, (*name)?)));
        // Names of programs are plain.
        let has =
            |name: &str| start.is_empty() || words(name).iter().any(|word| word.starts_with(start));
        let found = names.filter(|(_, name)| has(name));
        let mut found: Vec<(String, u64)> =
            found.map(|(id, name)| (name.to_lowercase(), id)).collect();
        found.sort();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// The model after a change of a user.
    fn changed(&self, id: u64, user: Option<User>) -> Model {
        let mut model = self.with(id, user);
        let once = model.keys.values_mut().find(|once| once.id == id);
        if let Some(once) = once.filter(|once| once.first.is_none()) {
            once.first = self.users.get(&id).cloned().flatten();
        }
        model
    }

    fn live(&self, id: u64) -> Option<&User> {
        self.users.get(&id)?.as_ref()
    }

    /// A user other than `own` who has the email or the username of a profile.
    fn holder(&self, wanted: &Profile, own: Option<u64>) -> Option<u64> {
        let mut users = self.users.iter().filter(|(id, _)| Some(**id) != own);
        let holds = |user: &User| user.profile.excludes(wanted);
        let found = users.find(|(_, user)| user.as_ref().is_some_and(holds));
        found.map(|(id, _)| *id)
    }

    fn observed(&self, seen: &Seen) -> Vec<Model> {
        let user = self.live(seen.id).and_then(|user| user.observed(seen));
        let model = user.map(|user| self.with(seen.id, Some(user)));
        model.into_iter().collect()
    }

    /// A create with a key: it makes a user once.
    fn created_once(
        &self,
        key: &'static str,
        payload: &Profile,
        told: &Told,
        nameless: &[u64],
    ) -> Vec<Model> {
        let Some(once) = self.keys.get(key) else {
            let made = self.created(payload, told, nameless).into_iter();
            return made.map(|model| model.with_key(key, self)).collect();
        };
        let same = once.payload == *payload;
        match told {
            Told::Replayed(seen) if same && seen.id == once.id && self.live(once.id).is_some() => {
                self.replayed(key, seen)
            }
            Told::Status(410) => self.unless(self.live(once.id).is_some()),
            Told::Status(422) => self.unless(same || self.live(once.id).is_none()),
            _ => Vec::new(),
        }
    }

    /// Notes with which key the user was created whom `before` does not have.
    fn with_key(mut self, key: &'static str, before: &Model) -> Model {
        let mut users = self.users.iter();
        if let Some((id, Some(user))) = users.find(|(id, _)| !before.users.contains_key(id)) {
            let once = Once {
                payload: user.profile.clone(),
                id: *id,
                first: None,
            };
            self.keys.insert(key, once);
        }
        self
    }

    /// The first answer again.
    fn replayed(&self, key: &'static str, seen: &Seen) -> Vec<Model> {
        let once = &self.keys[key];
        let Some(first) = &once.first else {
            return self.observed(seen);
        };
        let Some(first) = first.observed(seen) else {
            return Vec::new();
        };
        let mut model = self.clone();
        let once = Once {
            first: Some(first),
            ..once.clone()
        };
        model.keys.insert(key, once);
        vec![model]
    }

    /// The model after a create of that user; `None` if another one has the email or the username.
    fn made(&self, id: u64, profile: &Profile) -> Option<Model> {
        let user = User {
            profile: profile.clone(),
            tag: None,
            created_at: None,
            updated_at: None,
        };
        let free = self.holder(profile, None).is_none();
        free.then(|| self.with(id, Some(user)))
    }

    fn created(&self, profile: &Profile, told: &Told, nameless: &[u64]) -> Vec<Model> {
        let free = self.holder(profile, None).is_none();
        match told {
            Told::User(201, seen) if !self.users.contains_key(&seen.id) => {
                let made = self.made(seen.id, profile);
                made.map_or(Vec::new(), |model| model.observed(seen))
            }
            Told::Status(409) => self.unless(free),
            Told::Unknown => {
                let ids = nameless.iter().filter(|_| free);
                let ids = ids.filter(|id| !self.users.contains_key(id));
                ids.filter_map(|id| self.made(*id, profile)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// An upsert. Unless it is `exact`, it may have found fewer users, or more, than there are at
    /// this moment.
    fn upserted(&self, ask: &Ask, told: &Told, nameless: &[u64], exact: bool) -> Vec<Model> {
        let Ask::Upsert(member, patch) = ask else {
            unreachable!("it is one");
        };
        let new = Profile::nobody().patched(patch);
        let has = |user: &User| match *member {
            "email" => new.shares_email(&user.profile),
            "username" => new.shares_username(&user.profile),
            _ => new.external_id == user.profile.external_id,
        };
        let users = self.users.iter();
        let found = users.filter(|(_, user)| user.as_ref().is_some_and(has));
        let found: Vec<u64> = found.map(|(id, _)| *id).collect();
        let create = |told: &Told| match found.is_empty() || !exact {
            true => self.created(&new, told, nameless),
            false => Vec::new(),
        };
        // Nothing is told of the version that there is then.
        let update = |id: u64, is_changed: bool| {
            let user = self.live(id).filter(|user| has(user));
            let before = user.map(|user| &user.profile);
            let fits =
                before.is_some_and(|before| (before.patched(patch) != *before) == is_changed);
            match fits && (!exact || found == [id]) {
                true => self.updated(id, |before| before.patched(patch), &None, &Told::Unknown),
                false => Vec::new(),
            }
        };
        match told {
            Told::Upserted(Outcome::Created, id) => match self.users.contains_key(id) {
                false => self.made(*id, &new).filter(|_| found.is_empty() || !exact),
                true => None,
            }
            .into_iter()
            .collect(),
            Told::Upserted(Outcome::Updated, id) => update(*id, true),
            Told::Upserted(Outcome::Unchanged, id) => update(*id, false),
            Told::Unknown => {
                let updated = found.iter().flat_map(|id| update(*id, true));
                create(told).into_iter().chain(updated).collect()
            }
            // Of several users with the external id, none is meant.
            Told::Status(409) if *member == "external_id" && (found.len() > 1 || !exact) => {
                vec![self.clone()]
            }
            Told::Status(409) => match found[..] {
                [] => create(told),
                [id] => self.updated(id, |before| before.patched(patch), &None, told),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn found(&self, wanted: &Profile, told: &Told) -> Vec<Model> {
        match (told, self.holder(wanted, None)) {
            (Told::Unknown, _) => vec![self.clone()],
            (Told::Users { users, total, .. }, holder) if *total == users.len() as u64 => {
                match (&users[..], holder) {
                    ([], None) => vec![self.clone()],
                    ([seen], Some(id)) if seen.id == id => self.observed(seen),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// A list without concurrent changes: exactly these users, and their number.
    fn listed(&self, after: u64, told: &Told) -> Vec<Model> {
        let (users, total, next) = match told {
            Told::Users { users, total, next } => (users, *total, next.unwrap_or(u64::MAX)),
            told => return self.unless(*told != Told::Unknown),
        };
        let live = self.users.iter().filter(|(_, user)| user.is_some());
        let live: Vec<u64> = live.map(|(id, _)| *id).collect();
        let here = live.iter().filter(|id| (after + 1..=next).contains(id));
        let complete = here.eq(users.iter().map(|seen| &seen.id));
        if !complete || total != live.len() as u64 {
            return Vec::new();
        }
        self.all_observed(users).into_iter().collect()
    }

    /// A search without concurrent changes: exactly these users, in order.
    fn searched(&self, ask: &Ask, told: &Told) -> Vec<Model> {
        let (Told::Found { users, .. }, Some(stretch)) = (told, Stretch::of(ask, told)) else {
            return self.unless(*told != Told::Unknown);
        };
        // The times of some are known by this answer.
        let Some(model) = self.all_observed(users) else {
            return Vec::new();
        };
        let live = model.users.iter();
        let live = live.filter_map(|(id, user)| user.as_ref()?.position(*id, &stretch));
        let mut live: Vec<_> = live.collect();
        live.sort();
        if stretch.by.is_backwards() {
            live.reverse();
        }
        if !live
            .iter()
            .map(|(_, id)| id)
            .eq(users.iter().map(|seen| &seen.id))
        {
            return Vec::new();
        }
        vec![model]
    }

    fn all_observed(&self, users: &[Seen]) -> Option<Model> {
        let mut seen = users.iter();
        seen.try_fold(self.clone(), |model, seen| model.observed(seen).pop())
    }

    fn updated(
        &self,
        id: u64,
        change: impl Fn(&Profile) -> Profile,
        condition: &Option<String>,
        told: &Told,
    ) -> Vec<Model> {
        let user = self.live(id);
        let after = user.map(|user| change(&user.profile));
        let taken = |profile: &Profile| self.holder(profile, Some(id)).is_some();
        let changed = || {
            let (before, profile) = (user?, after.clone()?);
            if taken(&profile) || !before.fits(condition) {
                return None;
            }
            if profile == before.profile {
                return Some(self.clone());
            }
            let (tag, updated_at) = (None, None);
            let user = User {
                profile,
                tag,
                updated_at,
                ..before.clone()
            };
            Some(self.changed(id, Some(user)))
        };
        match told {
            Told::User(200, seen) if seen.id == id => {
                // Tags and times of versions that were seen differ and ascend. Where nothing
                // changes there is no other version.
                let fits = user.is_some_and(|user| {
                    let time = user.updated_at.as_ref();
                    let is_new = (seen.tag.is_none() || user.tag != seen.tag)
                        && time.is_none_or(|time| *time <= seen.updated_at);
                    is_new || after.as_ref() == Some(&user.profile)
                });
                let after = changed().filter(|_| fits);
                after.map_or(Vec::new(), |model| model.observed(seen))
            }
            Told::Status(409) => {
                // Whoever may be gone wanted the same email and username when it was still there,
                // unless it was patched between: then they are those of the patch.
                let wanted = after.unwrap_or_else(|| change(&Profile::nobody()));
                self.unless(!taken(&wanted))
            }
            told => self.otherwise(user, condition, told, changed()),
        }
    }

    /// The same by SCIM, where a change leaves the attributes as they are.
    fn by_scim(&self, ask: &Ask, told: &Told, nameless: &[u64]) -> Vec<Model> {
        match ask {
            Ask::Put(id, profile, tag) => {
                let change = |before: &Profile| Profile {
                    attributes: before.attributes.clone(),
                    ..Profile::new(profile)
                };
                self.updated_by_scim(*id, change, tag, told)
            }
            Ask::Patch(id, patch, tag) => {
                self.updated_by_scim(*id, |before| before.patched(patch), tag, told)
            }
            ask => {
                let call = Call::Asked(ask.clone().into(), told.clone());
                self.after(&call, nameless)
            }
        }
    }

    /// A change by SCIM is refused with 400 if it leaves the user without a username.
    fn updated_by_scim(
        &self,
        id: u64,
        change: impl Fn(&Profile) -> Profile,
        condition: &Option<String>,
        told: &Told,
    ) -> Vec<Model> {
        let user = self.live(id).filter(|user| user.fits(condition));
        let is_refused = user.is_some_and(|user| change(&user.profile).username.is_none());
        match told {
            Told::Status(400) => self.unless(!is_refused),
            _ if is_refused => Vec::new(),
            told => self.updated(id, change, condition, told),
        }
    }

    fn deleted(&self, id: u64, condition: &Option<String>, told: &Told) -> Vec<Model> {
        let user = self.live(id);
        let gone = user
            .filter(|user| user.fits(condition))
            .map(|_| self.changed(id, None));
        match told {
            Told::Status(204) => gone.into_iter().collect(),
            told => self.otherwise(user, condition, told, gone),
        }
    }

    /// The answers that updates and deletes have in common.
    fn otherwise(
        &self,
        user: Option<&User>,
        condition: &Option<String>,
        told: &Told,
        changed: Option<Model>,
    ) -> Vec<Model> {
        match told {
            Told::Status(404) => self.unless(user.is_some() || condition.is_some()),
            Told::Status(412) => {
                let fits = user.is_some_and(|user| user.fits(condition));
                self.unless(condition.is_none() || fits)
            }
            Told::Unknown => changed.into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

impl User {
    /// The user with all that was seen of it; `None` if that is not how it is.
    fn observed(&self, seen: &Seen) -> Option<User> {
        let fits = |known: &Option<String>, seen: &String| known.as_ref().is_none_or(|k| k == seen);
        let same = self.profile.is(seen)
            && fits(&self.created_at, &seen.created_at)
            && fits(&self.updated_at, &seen.updated_at)
            && seen.tag.as_ref().is_none_or(|tag| fits(&self.tag, tag));
        same.then(|| User {
            profile: self.profile.clone(),
            tag: seen.tag.clone().or(self.tag.clone()),
            created_at: Some(seen.created_at.clone()),
            updated_at: Some(seen.updated_at.clone()),
        })
    }

    /// Where the user is in the answer to a search; `None` if it is not.
    fn position(&self, id: u64, stretch: &Stretch) -> Option<(String, u64)> {
        if self.updated_at.is_none() && matches!(stretch.by, By::Updates(_)) {
            // Whoever is in the list is somewhere in the whole of it.
            let is_whole = stretch.from.0.is_empty() && stretch.to.is_none();
            return is_whole.then_some(stretch.from.clone());
        }
        let traits = Traits {
            name: &self.profile.name,
            email: self.profile.email.as_deref(),
            username: self.profile.username.as_deref(),
            external_id: self.profile.external_id.as_deref(),
            attributes: self.profile.attributes.as_deref(),
            active: self.profile.active,
            updated_at: self.updated_at.as_deref(),
        };
        let position = stretch.by.position(&traits, id);
        position.filter(|position| stretch.has(position))
    }

    /// Whether `If-Match` lets a change through. A version that nobody saw yet is
    /// not the one that the client saw.
    fn fits(&self, condition: &Option<String>) -> bool {
        condition.is_none() || *condition == self.tag
    }
}

impl Profile {
    fn nobody() -> Profile {
        Profile {
            name: String::new(),
            email: None,
            username: None,
            external_id: None,
            attributes: None,
            active: true,
        }
    }
}
