//! Project Wycheproof's vectors (C2SP/wycheproof, Apache-2.0): signatures that verifiers elsewhere
//! took for good, and good ones at the edge.
//!
//! The sharpest stand in `wycheproof.json`. All others are read from files of the project, which
//! are in the directory `EDGE_USERS_VECTORS`, or in `shared/vectors` beside the repository.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;
use crate::auth::jws::Jws;
use crate::auth::keys::Keys;

fn bytes(hex: &Value) -> Vec<u8> {
    base16ct::mixed::decode_vec(hex.as_str().expect("text")).expect("hexadecimal digits")
}

/// Whether the key takes the signature.
fn verifies(jwk: &Value, test: &Value) -> bool {
    let key = PublicKey::of(jwk).expect("a key");
    key.verifies(&bytes(&test["msg"]), &bytes(&test["sig"]))
}

/// What RFC 8017 calls acceptable, a hash without parameters, is not valid here.
fn is_valid(test: &Value) -> bool {
    test["result"] == "valid"
}

#[test]
fn the_sharpest_vectors_hold() {
    let vectors: Value = serde_json::from_str(include_str!("wycheproof.json")).expect("JSON");
    let tests = vectors["tests"].as_array().expect("tests");
    assert_eq!(tests.len(), 12);
    for test in tests {
        assert_eq!(verifies(&test["key"], test), is_valid(test), "{test}");
    }
}

/// The groups of tests in a file of the project; `None`, and a line, where it is not there.
fn groups(file: &str) -> Option<Vec<Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = std::env::var_os("EDGE_USERS_VECTORS").map(PathBuf::from);
    let directory = directory.unwrap_or_else(|| root.join("../shared/vectors"));
    let Ok(text) = std::fs::read_to_string(directory.join(file)) else {
        println!("SKIPPED: {file} is not in {}", directory.display());
        return None;
    };
    let vectors: Value = serde_json::from_str(&text).expect("JSON");
    vectors["testGroups"].as_array().cloned()
}

/// The key of a group that has it as a point, without compression (SEC 1, section 2.3.4).
fn p256_key(group: &Value) -> Value {
    let point = bytes(&group["publicKey"]["uncompressed"]);
    let (x, y) = point[1..].split_at(32);
    let encode = Base64UrlUnpadded::encode_string;
    json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
}

/// Each test of each group holds; the key of a group is its member of that name.
fn check(file: &str, key: &str, tests: usize) {
    let Some(groups) = groups(file) else {
        return;
    };
    let mut checked = 0;
    for group in &groups {
        for test in group["tests"].as_array().expect("tests") {
            let jwk = match &group[key] {
                Value::Null => p256_key(group),
                jwk => jwk.clone(),
            };
            assert_eq!(verifies(&jwk, test), is_valid(test), "{test}");
            checked += 1;
        }
    }
    assert_eq!(checked, tests, "{file}");
}

#[test]
fn all_vectors_of_rsa_hold() {
    check("rsa_signature_2048_sha256_test.json", "keyJwk", 259);
    check("rsa_signature_4096_sha256_test.json", "keyJwk", 258);
}

#[test]
fn all_vectors_of_p256_hold() {
    check(
        "ecdsa_secp256r1_sha256_p1363_test.json",
        "publicKeyJwk",
        262,
    );
}

#[test]
fn all_vectors_of_ed25519_hold() {
    check("ed25519_test.json", "publicKeyJwk", 151);
}

/// Signed texts with their keys. Those of algorithms that the service does not know are refused.
#[test]
fn all_vectors_of_signed_texts_hold() {
    let Some(groups) = groups("json_web_signature_test.json") else {
        return;
    };
    let (mut taken, mut refused) = (0, 0);
    for group in &groups {
        let key = match &group["public"] {
            Value::Null => &group["private"],
            public => public,
        };
        let keys = json!({ "keys": [key] }).to_string();
        let keys = Keys::read(keys.as_bytes()).expect("a set");
        let is_known = matches!(key["alg"].as_str(), Some("RS256" | "ES256"));
        for test in group["tests"].as_array().expect("tests") {
            let text = test["jws"].as_str().expect("text");
            let verified = Jws::read(text).and_then(|jws| keys.verify(&jws));
            let expected = is_valid(test) && is_known;
            assert_eq!(verified.is_ok(), expected, "{test} by {key}: {verified:?}");
            match expected {
                true => taken += 1,
                false => refused += 1,
            }
        }
    }
    assert_eq!(taken + refused, 401);
    assert!(taken > 5, "{taken}");
}
