//! Searches among thousands of users, with an index of the sizes that are used:
//! the right answers, and store operations that don't grow with the users.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use edge_users::directory::{
    Directory, Error, Gather, Membership, Order, Position, Sizes, TimeSpan,
};
use edge_users::folded_name::NamePrefix;
use edge_users::group::GroupProfile;
use edge_users::store::{Report, Store, StoreError};
use edge_users::user::{Profile, User, UserId};
use serde_json::json;

use crate::backend::Backend;
use crate::client::{Moment, SimPlatform, mix, poll};
use crate::operation::{Answer, Operation, Watch};
use crate::store::SimStore;

const USERS: u64 = 5_000;

/// A store of which each operation happens at once.
struct Prompt {
    store: RefCell<SimStore>,
    operations: Cell<usize>,
}

impl Prompt {
    fn new() -> Prompt {
        Prompt {
            store: RefCell::new(SimStore::new(Backend::Sqlite)),
            operations: Cell::new(0),
        }
    }

    fn perform(&self, operation: Operation) -> Answer {
        self.operations.set(self.operations.get() + 1);
        self.store.borrow_mut().perform(&operation)
    }
}

impl Store for Prompt {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.perform(Operation::Get(key.to_owned())) {
            Answer::Value(value) => Ok(value),
            answer => unreachable!("{answer:?} to get"),
        }
    }

    async fn set(&self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        self.perform(Operation::Set(key.to_owned(), value.to_owned()));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.perform(Operation::Delete(key.to_owned()));
        Ok(())
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match self.perform(Operation::Increment(key.to_owned(), delta)) {
            Answer::Sum(sum) => Ok(sum),
            answer => unreachable!("{answer:?} to increment"),
        }
    }

    async fn current(&self, key: &str) -> Result<(Option<Vec<u8>>, Watch), StoreError> {
        match self.perform(Operation::Current(key.to_owned())) {
            Answer::Watched(value, watch) => Ok((value, watch)),
            answer => unreachable!("{answer:?} to current"),
        }
    }

    async fn swap(&self, watch: Watch, value: &[u8]) -> Result<Report, StoreError> {
        match self.perform(Operation::Swap(watch, value.to_owned())) {
            Answer::Swap(true) => Ok(Report::Swapped),
            _ => Ok(Report::Unsure),
        }
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing waits here"),
    }
}

fn profile(name: &str) -> Profile {
    Profile::from_json(json!({ "name": name })).expect("a profile")
}

type Service<'a> = Directory<'a, Prompt, SimPlatform>;

fn service<'a>(store: &'a Prompt, platform: &'a SimPlatform) -> Service<'a> {
    Directory {
        store,
        platform,
        sizes: Sizes::SERVICE,
    }
}

/// A page that takes so many users.
struct Page {
    users: Vec<User>,
    limit: usize,
}

impl Gather for Page {
    fn push(&mut self, user: User) -> bool {
        self.users.push(user);
        true
    }

    fn is_full(&self) -> bool {
        self.users.len() == self.limit
    }
}

/// What a walk finds, and the most operations of a page beyond one for each user on it.
fn walk(directory: &Service, prefix: &str, limit: usize) -> (Vec<(String, u64)>, usize) {
    let prefix = NamePrefix::try_from(prefix).expect("a prefix");
    let (mut found, mut most) = (Vec::new(), 0);
    let mut from: Option<Position> = None;
    loop {
        let before = directory.store.operations.get();
        let users = Vec::new();
        let mut page = Page { users, limit };
        let walked = now(directory.search(&prefix, from, &mut page)).expect("a page");
        let made = directory.store.operations.get() - before;
        most = most.max(made - page.users.len());
        let users = page.users.iter();
        found.extend(users.map(|user| (user.profile.name.as_str().to_owned(), user.id.get())));
        match walked.next {
            None => return (found, most),
            next => from = next,
        }
    }
}

/// The ids of everyone in the order of names, and the most operations of a page beyond one for each
/// user on it.
fn walk_all(directory: &Service, order: Order, limit: usize) -> (Vec<u64>, usize) {
    let (mut found, mut most) = (Vec::new(), 0);
    let mut from: Option<Position> = None;
    loop {
        let before = directory.store.operations.get();
        let users = Vec::new();
        let mut page = Page { users, limit };
        let walked = now(directory.list_by_name(order, from, &mut page)).expect("a page");
        let made = directory.store.operations.get() - before;
        most = most.max(made - page.users.len());
        found.extend(page.users.iter().map(|user| user.id.get()));
        match walked.next {
            None => return (found, most),
            next => from = next,
        }
    }
}

/// Creates users of these names, changes and deletes some, and searches them.
fn many(what: &str, name: impl Fn(u64) -> String, prefixes: &[&str]) {
    let (store, platform) = (Prompt::new(), SimPlatform::new(1, 0));
    let directory = service(&store, &platform);
    let mut users = BTreeMap::new();
    for number in 0..USERS {
        let user = now(directory.create(profile(&name(number)), None)).expect("a user");
        let user = user.user;
        now(directory.merge_after(user.id, &[]));
        users.insert(user.id, name(number));
    }
    let each = store.operations.get() as f64 / USERS as f64;
    let id = |number: u64| UserId::try_from(number).expect("an id");
    let mut rename = 0;
    for number in (1..=USERS).step_by(7) {
        let new = format!("{} x", name(mix(number) % USERS));
        let before = store.operations.get();
        let renamed = now(directory.update(id(number), &|_| Ok::<_, Error>(profile(&new))));
        rename = rename.max(store.operations.get() - before);
        renamed.expect("it is renamed");
        users.insert(id(number), new);
    }
    for number in (1..=USERS).step_by(5) {
        now(directory.delete(id(number), &|_| Ok::<_, Error>(()))).expect("it is deleted");
        users.remove(&id(number));
    }
    for prefix in prefixes {
        let mut expected: Vec<_> = users
            .iter()
            .map(|(id, name)| (name.to_lowercase(), name, id.get()))
            .filter(|(folded, ..)| folded.starts_with(prefix))
            .collect();
        expected.sort_by_key(|(folded, _, id)| (folded.clone(), *id));
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(_, name, id)| (name.clone(), id))
            .collect();
        for limit in [7, 1000] {
            let (found, most) = walk(&directory, prefix, limit);
            assert_eq!(found, expected, "{what}: {prefix:?}");
            println!(
                "{what}: {prefix:?} by {limit}: {} users, {most} more",
                found.len()
            );
            // The way to the leaf, and the users of two or three leaves who are beside the
            // page, are gone or were renamed; of all the leaves of a long page, those who are gone.
            assert!(most <= if limit == 7 { 150 } else { 700 }, "{what}: {most}");
        }
    }
    let mut expected: Vec<_> = users.iter().collect();
    expected.sort_by_key(|(id, name)| (name.to_lowercase(), **id));
    let mut expected: Vec<_> = expected.iter().map(|(id, _)| id.get()).collect();
    for order in [Order::Ascending, Order::Descending] {
        for limit in [7, 1000] {
            let (found, most) = walk_all(&directory, order, limit);
            assert_eq!(found, expected, "{what}: {order:?}");
            println!("{what}: all {order:?} by {limit}: {most} more");
            assert!(most <= if limit == 7 { 150 } else { 900 }, "{what}: {most}");
        }
        expected.reverse();
    }
    println!("{what}: {each:.1} a create, {rename} at most a rename");
    assert!(each <= 10.0 && rename <= 150, "{what}: {each}, {rename}");
    for (id, _) in users {
        now(directory.delete(id, &|_| Ok::<_, Error>(()))).expect("it is deleted");
    }
    let (found, first) = walk(&directory, prefixes[0], 7);
    let (_, second) = walk(&directory, prefixes[0], 7);
    println!("{what}: when all are gone {first} a page, then {second}");
    assert!(found.is_empty(), "{what}: {found:?}");
    assert!(first <= 700 && second <= 600, "{what}: {first}, {second}");
}

#[test]
fn thousands_of_users_of_various_names_are_found() {
    let name = |number| {
        let number = mix(number);
        let letter = |shift: u32| char::from(b'A' + (number >> shift) as u8 % 26);
        format!("{}{} {}{}", letter(0), letter(8), letter(16), number % 90)
    };
    many("various", name, &["a", "k", "zz", "mm m", "q1"]);
}

#[test]
fn thousands_of_users_of_one_name_are_found() {
    many("one name", |_| "Same".to_owned(), &["same", "same x", "t"]);
}

#[test]
fn thousands_of_users_in_the_order_of_their_names_are_found() {
    let name = |number| format!("U{number:06}");
    many("ascending", name, &["u", "u00249", "u004999"]);
}

/// Adds thousands of users to a group, in this order, and answers the operations of each adding,
/// without the read of the group.
fn join_all(order: impl Iterator<Item = u64>) -> Vec<usize> {
    let (store, platform) = (Prompt::new(), SimPlatform::new(1, 0));
    let directory = service(&store, &platform);
    for _ in 0..USERS {
        now(directory.create(profile("A"), None)).expect("a user");
    }
    let group = json!({ "name": "g" });
    let group: GroupProfile = serde_json::from_value(group).expect("a group");
    let group = now(directory.create_group(group)).expect("a group");
    let mut costs = Vec::new();
    for number in order {
        let id = UserId::try_from(number).expect("an id");
        let before = store.operations.get();
        let joined = now(directory.set_membership(&group, id, Membership::Member));
        assert!(joined.expect("a member"));
        costs.push(store.operations.get() - before);
    }
    let users = Vec::new();
    let limit = USERS as usize;
    let mut page = Page { users, limit };
    now(directory.members(&group, None, &mut page)).expect("a page");
    let members = page.users.iter().map(|user| user.id.get());
    assert!(members.eq(1..=USERS));
    costs
}

#[test]
fn thousands_of_users_join_a_group_at_a_cost_that_is_bounded() {
    let mut random: Vec<u64> = (1..=USERS).collect();
    random.sort_by_key(|number| mix(*number));
    for (what, order) in [
        ("ascending", (1..=USERS).collect()),
        ("descending", (1..=USERS).rev().collect()),
        ("random", random),
    ] {
        let order: Vec<u64> = order;
        let costs = join_all(order.into_iter());
        let mean = costs.iter().sum::<usize>() as f64 / costs.len() as f64;
        let most = costs.iter().max().expect("some");
        let usual = costs.iter().filter(|cost| **cost <= 9).count();
        println!("{what}: {mean:.2} on average, {most} at most, {usual} of {USERS} at most 9");
        assert!(mean <= 8.0 && *most <= 40, "{what}: {mean}, {most}");
    }
}

#[test]
fn thousands_of_changes_are_listed_at_a_cost_that_is_bounded() {
    let (store, platform) = (Prompt::new(), SimPlatform::new(1, 0));
    let directory = service(&store, &platform);
    for _ in 0..500 {
        now(directory.create(profile("A"), None)).expect("a user");
    }
    let users = Vec::new();
    let mut page = Page { users, limit: 1 };
    let listed =
        now(directory.list_by_update(Order::Ascending, TimeSpan::default(), None, &mut page));
    listed.expect("the index is made");
    let mut costs = Vec::new();
    for time in 1..=USERS {
        platform.set(Moment {
            now: time as i64,
            skew: 0,
        });
        let id = UserId::try_from(mix(time) % 500 + 1).expect("an id");
        let changed = Profile::from_json(json!({ "name": "A", "attributes": { "at": time } }));
        let changed = changed.expect("a profile");
        let changed = |_: &User| Ok::<_, Error>(changed.clone());
        let before = store.operations.get();
        now(directory.update(id, &changed)).expect("it is changed");
        costs.push(store.operations.get() - before);
    }
    costs.sort();
    let mean = costs.iter().sum::<usize>() as f64 / costs.len() as f64;
    let (usual, most) = (costs[costs.len() / 2], costs[costs.len() - 1]);
    println!("{mean:.2} on average, {usual} usually, {most} at most");
    assert!(mean <= 13.0 && most <= 40, "{mean}, {most}");
}
