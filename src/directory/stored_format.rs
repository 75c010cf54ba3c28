//! The stored format: values of every released form, as text, and what this version makes of them.
//!
//! A value that is listed here stays here for good: it is in somebody's store. `CONTRIBUTING.md`,
//! "The stored format", says what may change, and how.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::groups::LiveGroup;
use super::index::Catalogue;
use super::ledger::Ledger;
use super::lists::Node;
use super::record::Record;
use super::versioned::rewritten;
use super::{Directory, Error, Sizes};
use crate::fake::{FakePlatform, FakeStore, ready};
use crate::user::{Profile, User, UserId};

/// Records of users. The first form of the format 1.
const RECORDS: [&str; 12] = [
    r#"{"format":1,"writes":["00000000000000a1"],"value":{"claims":0,"state":{"pending":{"created_at":1800000000000}}}}"#,
    r#"{"format":1,"writes":["00000000000000a2"],"value":{"claims":0,"state":{"live":{"version":"00000000000000a2","profile":{"name":"Bea"},"created_at":1800000000000,"updated_at":1800000000001}}}}"#,
    LIVE,
    WITH_USERNAME,
    WITH_GROUPS,
    r#"{"format":1,"writes":["00000000000000a4"],"value":{"claims":0,"state":{"live":{"version":"00000000000000a4","profile":{"name":"Bea","active":false},"created_at":1800000000000,"updated_at":1800000000001}}}}"#,
    // Indexed by a member of its attributes.
    r#"{"format":1,"writes":["00000000000000a5"],"value":{"claims":0,"state":{"live":{"version":"00000000000000a5","profile":{"name":"Bea","attributes":{"team":"blue"}},"created_at":1800000000000,"updated_at":1800000000001,"indexed":["team"]}}}}"#,
    // In the list of last changes.
    r#"{"format":1,"writes":["00000000000000a6"],"value":{"claims":0,"state":{"live":{"version":"00000000000000a6","profile":{"name":"Bea"},"created_at":1800000000000,"updated_at":1800000000001,"in_updates":true}}}}"#,
    // A mark on the user was removed from a leaf.
    r#"{"format":1,"writes":["00000000000000a7"],"value":{"claims":0,"state":{"live":{"version":"00000000000000a7","profile":{"name":"Bea"},"created_at":1800000000000,"updated_at":1800000000001,"unmarked":2}}}}"#,
    r#"{"format":1,"writes":["00000000000000a3","00000000000000a2"],"value":{"claims":1,"state":{"deleted":{"by":"00000000000000a3"}}}}"#,
    r#"{"format":1,"writes":["00000000000000a3","00000000000000a2"],"value":{"claims":4294967295,"state":"void"}}"#,
    // Before 1970, by a clock that was wrong.
    r#"{"format":1,"writes":["ffffffffffffffff"],"value":{"claims":0,"state":{"pending":{"created_at":-1}}}}"#,
];

/// A user with all members that a record may have.
const LIVE: &str = r#"{"format":1,"writes":["00000000000000b2","00000000000000b1"],"value":{"claims":1,"state":{"live":{"claim":1,"version":"00000000000000b2","profile":{"name":"Ada","email":"ada@example.com","attributes":{"team":"engines"}},"created_at":1800000000000,"updated_at":1800000000001,"first":{"request":"0123456789abcdef0123456789abcdef","version":"00000000000000b1"},"gives_bound":true,"bounds":[305419896]}}}}"#;

/// A user with a username, an external id, and switched off: members that were added to the format.
const WITH_USERNAME: &str = r#"{"format":1,"writes":["00000000000000b3"],"value":{"claims":2,"state":{"live":{"claim":1,"username_claim":2,"version":"00000000000000b3","profile":{"name":"Ada","email":"ada@example.com","username":"ada","external_id":"0815","active":false,"attributes":{"team":"engines"}},"created_at":1800000000000,"updated_at":1800000000001}}}}"#;

/// A user in two groups: a member that was added to the format.
const WITH_GROUPS: &str = r#"{"format":1,"writes":["00000000000000b4"],"value":{"claims":0,"state":{"live":{"version":"00000000000000b4","profile":{"name":"Ada"},"created_at":1800000000000,"updated_at":1800000000001,"groups":[3,17]}}}}"#;

/// Records of groups.
const GROUPS: [&str; 4] = [
    r#"{"format":1,"writes":["00000000000000a1"],"value":{"claims":0,"state":{"pending":{"created_at":1800000000000}}}}"#,
    r#"{"format":1,"writes":["00000000000000a2"],"value":{"claims":1,"state":{"live":{"claim":1,"version":"00000000000000a2","profile":{"name":"Site Admins","description":"Those who deploy.","external_id":"CN=1","attributes":{"a":1}},"created_at":1800000000000,"updated_at":1800000000001}}}}"#,
    // The bound of a node of a list begins as its name does.
    r#"{"format":1,"writes":["00000000000000a4"],"value":{"claims":1,"state":{"live":{"claim":1,"version":"00000000000000a4","profile":{"name":"Staff"},"created_at":1800000000000,"updated_at":1800000000001,"bounds":[305419896]}}}}"#,
    r#"{"format":1,"writes":["00000000000000a3"],"value":{"claims":1,"state":{"deleted":{"by":"00000000000000a3"}}}}"#,
];

/// The ledger.
const LEDGERS: [&str; 2] = [
    r#"{"format":1,"writes":["00000000000000c1"],"value":{"deleted":0,"leaving":[],"settled":0,"void":0,"given":[]}}"#,
    r#"{"format":1,"writes":["00000000000000c2","00000000000000c1"],"value":{"deleted":3,"leaving":[{"user":7,"by":"00000000000000d1","at":1800000000000}],"settled":9,"void":1,"given":[{"ids":12,"at":1800000000000}]}}"#,
];

/// Nodes of lists.
const NODES: [&str; 6] = [
    r#"{"format":1,"writes":["00000000000000e1"],"value":{"next":null,"content":{"leaf":{"low":["",0],"ids":[],"moving":[]}}}}"#,
    r#"{"format":1,"writes":["00000000000000e2"],"value":{"next":{"low":["b",0],"node":2305843009213693951},"content":{"leaf":{"low":["",0],"ids":[1,2],"moving":[2]}}}}"#,
    r#"{"format":1,"writes":["00000000000000e3"],"value":{"next":{"node":77},"content":{"leaf":{"ids":[3],"moving":[]}}}}"#,
    r#"{"format":1,"writes":["00000000000000e4"],"value":{"next":null,"content":{"inner":[{"low":["",0],"node":1},{"node":2}]}}}"#,
    r#"{"format":1,"writes":["00000000000000e5"],"value":{"next":null,"content":"gone"}}"#,
    // Positions in the order of times begin with the sign U+007F.
    "{\"format\":1,\"writes\":[\"00000000000000e6\"],\"value\":{\"next\":null,\"content\":{\"leaf\":{\"low\":[\"\u{7f}800001a3185c5\",0],\"ids\":[3],\"moving\":[3],\"high\":[\"\u{7f}800001a3185c5001\",3]}}}}",
];

/// The catalogue of the index.
const CATALOGUES: [&str; 2] = [
    r#"{"format":1,"writes":["00000000000000f1"],"value":{"merged":0,"open":[],"given":[]}}"#,
    r#"{"format":1,"writes":["00000000000000f2"],"value":{"merged":40,"open":[38],"given":[{"ids":41,"at":1800000000000}]}}"#,
];

/// The key of the email's number, and the number that names user 1 and its claim 1, as SQLite
/// keeps it and as Redis and DynamoDB do.
const EMAIL_KEY: &str = "email/b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";
const NUMBERS: [&[u8]; 2] = [b"\x01\0\0\x08\0\0\0\0", b"134217729"];

fn assert_understood<T: Serialize + DeserializeOwned>(values: &[&str]) {
    for value in values {
        let written = rewritten::<T>(value.as_bytes());
        let written = written.map(|bytes| String::from_utf8(bytes).expect("JSON is text"));
        assert_eq!(written.as_deref(), Ok(*value));
    }
}

#[test]
fn every_form_of_a_value_is_read_whole_and_written_the_same() {
    assert_understood::<Record>(&RECORDS);
    assert_understood::<Record<LiveGroup>>(&GROUPS);
    assert_understood::<Ledger>(&LEDGERS);
    assert_understood::<Node>(&NODES);
    assert_understood::<Catalogue>(&CATALOGUES);
}

/// A store with these values, and what `work` makes of the directory in it.
fn with_store<T>(
    values: &[(&str, &[u8])],
    work: impl AsyncFnOnce(&Directory<'_, FakeStore, FakePlatform>) -> T,
) -> (FakeStore, T) {
    let store = FakeStore::default();
    for (key, value) in values {
        let mut stored = store.values.borrow_mut();
        stored.insert((*key).to_owned(), value.to_vec());
    }
    let done = ready(work(&Directory {
        store: &store,
        platform: &FakePlatform::default(),
        sizes: Sizes::SERVICE,
    }));
    (store, done)
}

fn value_of(store: &FakeStore, key: &str) -> Value {
    serde_json::from_slice(&store.values.borrow()[key]).expect("JSON")
}

fn first() -> UserId {
    1.try_into().expect("an id")
}

fn renamed(user: &User) -> Result<Profile, Error> {
    let mut profile = user.profile.clone();
    // Folded it is the same name, so that no index is needed.
    profile.name = "ADA".to_owned().try_into().expect("a name");
    Ok(profile)
}

#[test]
fn an_email_finds_its_user_whatever_the_store_makes_of_numbers() {
    for number in NUMBERS {
        let values = [(EMAIL_KEY, number), ("user/1", LIVE.as_bytes())];
        let (_, found) = with_store(&values, async |directory| {
            let email = "ada@example.com".to_owned().try_into().expect("an email");
            directory.find_by_email(&email).await
        });
        assert_eq!(
            found.map(|user| user.map(|user| user.id)),
            Ok(Some(first()))
        );
    }
}

#[test]
fn a_username_finds_its_user() {
    let key = "username/fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029";
    let values = [
        (key, &b"134217730"[..]),
        ("user/1", WITH_USERNAME.as_bytes()),
    ];
    let (_, found) = with_store(&values, async |directory| {
        let username = "ADA".to_owned().try_into().expect("a username");
        directory.find_by_username(&username).await
    });
    let found = found.expect("it is readable").expect("there is one");
    assert_eq!(found.id, first());
    assert!(!found.profile.active);
}

#[test]
fn members_of_a_newer_version_survive_a_change_by_this_one_and_go_with_their_user() {
    let mut newer: Value = serde_json::from_str(LIVE).expect("JSON");
    newer["beside"] = json!({ "the": "value" });
    newer["value"]["beside"] = json!([1, { "the": "state" }]);
    newer["value"]["state"]["live"]["beside"] = json!("the profile");
    newer["value"]["state"]["live"]["profile"]["phone"] = json!("+44 20 7946 0018");
    newer["value"]["state"]["live"]["first"]["beside"] = json!(null);
    let stored = newer.to_string();
    let values = [("user/1", stored.as_bytes())];

    let (store, changed) = with_store(&values, async |directory| {
        directory.update(first(), &renamed).await
    });
    changed.expect("a change");
    let after = value_of(&store, "user/1");
    let mut expected = newer.clone();
    expected["writes"] = after["writes"].clone();
    expected["value"]["state"]["live"]["profile"]["name"] = json!("ADA");
    for own in ["version", "updated_at"] {
        expected["value"]["state"]["live"][own] = after["value"]["state"]["live"][own].clone();
    }
    assert_eq!(after["writes"].as_array().map(Vec::len), Some(3));
    assert_eq!(after, expected);

    let (store, deleted) = with_store(&values, async |directory| {
        directory.delete(first(), &|_| Ok::<_, Error>(())).await
    });
    deleted.expect("a delete");
    let after = value_of(&store, "user/1");
    assert_eq!(after["beside"], newer["beside"]);
    assert_eq!(after["value"]["beside"], newer["value"]["beside"]);
    assert_eq!(
        after["value"]["state"],
        json!({ "deleted": { "by": "0000000000000000" } })
    );
}

#[test]
fn a_value_of_a_newer_format_is_not_read_and_stays_as_it_is() {
    let newer = LIVE.replacen(r#""format":1"#, r#""format":2"#, 1);
    let values = [("user/1", newer.as_bytes())];
    let unreadable = Error::Unreadable("user/1".to_owned());
    let (_, read) = with_store(&values, async |directory| directory.get(first()).await);
    assert_eq!(read, Err(unreadable.clone()));
    let (store, changed) = with_store(&values, async |directory| {
        directory.update(first(), &renamed).await
    });
    assert_eq!(changed, Err(unreadable));
    assert_eq!(store.values.borrow()["user/1"], newer.as_bytes());
}
