//! Filters and patches of SCIM that are nearly right.

use std::sync::LazyLock;

use edge_users::json;
use edge_users::scim::{Error, Filter, Patch, Schemas, ScimType, resource};
use fastrand::Rng;
use serde_json::{Map, Value};

use crate::for_a_while;
use crate::mutation::mutate;

const FILTERS: [&str; 9] = [
    r#"userName eq "ada@example.com""#,
    r#"(title pr or not (active eq "True")) and name.familyName co "O'M""#,
    r#"emails[type eq "work" and primary eq true] or ims[value ew "\"]."]"#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq null"#,
    r#"meta.lastModified ge "2011-05-13T04:42:34Z" AND id ne "7""#,
    r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "\u00e4\ud83d\ude00""#,
    r#"((((((((((title eq "x"))))))))))"#,
    r#"members.value eq "1" and displayName lt "m" "#,
    r#"x509Certificates.value eq "MII=" or schemas eq "urn:x""#,
];

const PATCHES: [&str; 6] = [
    r#"{"Operations":[{"op":"Add","path":"emails[type eq \"work\"].value","value":"a@x.example"}]}"#,
    r#"{"Operations":[{"op":"replace","value":{"active":"False","name.givenName":["A"],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager":"1"}}]}"#,
    r#"{"Operations":[{"op":"remove","path":"emails","value":[{"value":"ada@example.com"}]},{"op":"remove","path":"name.familyName"}]}"#,
    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"emails[primary eq true]","value":{"value":"b","primary":true}}]}"#,
    r#"{"Operations":[{"op":"remove","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"},{"op":"add","path":"roles.primary","value":true}]}"#,
    r#"{"Operations":[{"op":"add","path":"emails","value":[{"value":"c","type":"other","primary":"true"},{"display":null}]}]}"#,
];

const USER: &str = r#"{"id":"7","userName":"ada","name":{"familyName":"L"},"title":"","active":true,
    "emails":[{"value":"ada@example.com","type":"work","primary":true},{"value":"b","type":"home"}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"1"}},
    "meta":{"lastModified":"2011-05-13T04:42:34.000Z"}}"#;

static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::default);

static ADA: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(USER).expect("an object"));

fn check_filter(rng: &mut Rng) {
    let filter = rng.choice(FILTERS).expect("some");
    let text = mutate(rng, filter.as_bytes());
    let text = String::from_utf8_lossy(&text);
    let types = [&SCHEMAS.user, &SCHEMAS.group];
    match Filter::read(&text, &types) {
        Ok(filter) => {
            let written = filter.to_string();
            let again = Filter::read(&written, &types).expect("it is a filter");
            assert_eq!(again, filter, "{text:?} {written:?}");
            filter.matches(&ADA);
        }
        Err(error) => check_error(&text, &error),
    }
}

fn check_patch(rng: &mut Rng) {
    let patch = rng.choice(PATCHES).expect("some");
    let text = mutate(rng, patch.as_bytes());
    let Ok(body) = json::parse(&text) else {
        return;
    };
    let shown = body.to_string();
    let patch = Patch::read(body, &SCHEMAS.user);
    match patch.and_then(|patch| patch.apply(&ADA, &SCHEMAS.user)) {
        Ok(mut user) => {
            assert_eq!(user.remove("id"), ADA.get("id").cloned(), "{shown}");
            assert_eq!(user.remove("meta"), ADA.get("meta").cloned(), "{shown}");
            let read = resource::read(user.clone().into(), &SCHEMAS.user);
            assert_eq!(read.expect("it is a user"), user, "{shown}");
        }
        Err(error) => check_error(&shown, &error),
    }
}

fn check_error(shown: &str, error: &Error) {
    assert_eq!(error.status, 400, "{shown}");
    assert!(error.scim_type.map(ScimType::as_str).is_some(), "{shown}");
    assert!(error.detail.ends_with('.'), "{shown} {}", error.detail);
}

#[test]
fn whatever_filter_or_patch_is_sent_is_understood_or_refused() {
    let mut rng = Rng::with_seed(5);
    for _ in 0..20_000 {
        check_filter(&mut rng);
        check_patch(&mut rng);
    }
}

#[test]
#[ignore = "takes as long as FUZZ_SECONDS says"]
fn whatever_filter_or_patch_is_sent_is_understood_or_refused_for_a_while() {
    for_a_while(|rng| {
        check_filter(rng);
        check_patch(rng);
    });
}
