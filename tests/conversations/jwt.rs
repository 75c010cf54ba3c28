//! JSON Web Tokens of an issuer that the operator trusts, and those that pretend to
//! be (RFC 8725).

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::issuer::{ISSUER, Key, base64, claims, jwks, now, trusting};
use crate::support::{RUNTIME, Service, manifest, new_state_dir, root, start_host_with, variable};
use edge_host::{Host, UpOptions, VariableSource};
use serde_json::{Value, json};

/// A host that trusts the issuer by one key of each algorithm, which are called so.
static HOST: LazyLock<Host> = LazyLock::new(|| {
    let keys = [Key::rsa(), Key::p256(), Key::ed25519()];
    let keys = keys.map(|key| key.jwk(key.algorithm()));
    start(trusting(&keys))
});

fn start(variables: Vec<VariableSource>) -> Host {
    start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables,
        ..UpOptions::default()
    })
}

fn status(host: &Host, token: &str) -> u16 {
    let answer = Service::of(host).with_token(token).get("/users");
    if answer.status == 401 {
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(
            challenge.ends_with("error=\"invalid_token\""),
            "{challenge}"
        );
        assert_eq!(answer.problem()["title"], "Invalid token");
    }
    answer.status
}

fn refuse(token: &str, what: &str) {
    assert_eq!(status(&HOST, token), 401, "{what}");
}

fn keys() -> [Key; 3] {
    [Key::rsa(), Key::p256(), Key::ed25519()]
}

/// A token that lets its bearer in, signed by the key as the issuer does it.
fn good(key: &Key) -> String {
    key.sign(json!({ "kid": key.algorithm() }), &claims("7", "read"))
}

/// Like [`good`], with other claims.
fn with(name: &str, value: Value) -> String {
    let mut claims = claims("7", "read");
    claims[name] = value;
    Key::ed25519().sign(json!({ "kid": "EdDSA" }), &claims)
}

#[test]
fn a_token_of_each_algorithm_lets_its_bearer_in() {
    for key in keys() {
        assert_eq!(status(&HOST, &good(&key)), 200, "{}", key.algorithm());
    }
}

#[test]
fn a_token_has_the_scopes_that_it_names() {
    let user = |scopes: &str| {
        let token = Key::p256().sign(json!({ "kid": "ES256" }), &claims("7", scopes));
        let service = Service::of(&HOST).with_token(&token);
        let name = json!({ "name": "Ada" });
        (
            service.get("/users").status,
            service.post("/users", name).status,
        )
    };
    assert_eq!(user("read"), (200, 403));
    assert_eq!(user("openid write"), (200, 201));
    assert_eq!(user("admin"), (200, 201));
    assert_eq!(user("self"), (403, 403));
    assert_eq!(user("users:read reader"), (403, 403));
}

#[test]
fn a_user_reads_and_changes_itself_and_nobody_else() {
    let token = |subject: &str, scopes: &str| {
        Key::rsa().sign(json!({ "kid": "RS256" }), &claims(subject, scopes))
    };
    let admin = Service::of(&HOST).with_token(&token("operator", "admin"));
    let own = admin.create(json!({ "name": "Own" }))["id"].to_string();
    let other = admin.create(json!({ "name": "Other" }))["id"].to_string();
    let service = Service::of(&HOST).with_token(&token(&own, "self"));
    let (own, other) = (format!("/users/{own}"), format!("/users/{other}"));
    let name = json!({ "name": "Changed" });
    assert_eq!(service.get(&own).status, 200);
    assert_eq!(service.patch(&own, name.clone()).json()["name"], "Changed");
    assert_eq!(service.put(&own, name.clone()).status, 200);
    assert_eq!(service.delete(&own).status, 403);
    assert_eq!(service.get(&other).status, 403);
    assert_eq!(service.patch(&other, name).status, 403);
    assert_eq!(admin.get(&other).json()["name"], "Other");
}

#[test]
fn a_token_that_is_not_signed_is_refused() {
    let claims = claims("7", "admin").to_string();
    for algorithm in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({ "alg": algorithm, "kid": "EdDSA" }).to_string();
        let signed = format!(
            "{}.{}",
            base64(header.as_bytes()),
            base64(claims.as_bytes())
        );
        refuse(&format!("{signed}."), algorithm);
        refuse(&signed, algorithm);
    }
    for key in keys() {
        let token = good(&key);
        let (signed, _) = token.rsplit_once('.').expect("three parts");
        refuse(&format!("{signed}."), "the signature left out");
        refuse(&format!("{signed}.AAAA"), "another signature");
    }
}

/// Who knows a public key must not be able to sign with it.
#[test]
fn a_public_key_is_not_taken_for_a_shared_secret() {
    for key in keys() {
        let jwk = key.jwk(key.algorithm());
        for (algorithm, secret) in [("HS256", jwk["x"].as_str()), ("HS256", jwk["n"].as_str())] {
            let Some(secret) = secret else { continue };
            let header = json!({ "alg": algorithm, "kid": key.algorithm() }).to_string();
            let claims = claims("7", "admin").to_string();
            let signed = format!(
                "{}.{}",
                base64(header.as_bytes()),
                base64(claims.as_bytes())
            );
            let mac = hmac_sha256(secret.as_bytes(), signed.as_bytes());
            refuse(&format!("{signed}.{}", base64(&mac)), key.algorithm());
        }
    }
}

#[test]
fn a_key_is_used_with_its_own_algorithm() {
    for key in keys() {
        for algorithm in ["RS256", "ES256", "EdDSA", "RS384", "PS256", "ES512"] {
            if algorithm == key.algorithm() {
                continue;
            }
            // The algorithm of one, the name of the other; and both of the other.
            for name in [key.algorithm(), algorithm] {
                let header = json!({ "alg": algorithm, "kid": name });
                let what = format!("{} as {algorithm} {name}", key.algorithm());
                refuse(&key.sign(header, &claims("7", "admin")), &what);
            }
        }
    }
}

/// A header that brings its own key must not be believed.
#[test]
fn a_key_that_the_token_brings_along_is_ignored() {
    let key = Key::of_somebody_else();
    let own = key.jwk("EdDSA");
    for header in [
        json!({ "kid": "EdDSA" }),
        json!({ "kid": "EdDSA", "jwk": own }),
        json!({ "kid": "EdDSA", "jku": "https://evil.example/keys" }),
        json!({ "kid": "EdDSA", "x5u": "https://evil.example/keys" }),
        json!({ "jwk": own }),
        json!({ "kid": "../../dev/null" }),
        json!({ "kid": "' OR 1=1" }),
        json!({ "kid": "" }),
    ] {
        let what = header.to_string();
        refuse(&key.sign(header, &claims("7", "admin")), &what);
    }
}

#[test]
fn of_several_keys_the_token_has_to_name_one() {
    for key in keys() {
        refuse(
            &key.sign(json!({}), &claims("7", "read")),
            "no kid, three keys",
        );
        let named = key.sign(json!({ "kid": "unknown" }), &claims("7", "read"));
        refuse(&named, "an unknown kid");
        let null = key.sign(json!({ "kid": null }), &claims("7", "read"));
        refuse(&null, "a kid that is null");
        let one = start(trusting(&[key.jwk("only")]));
        let unnamed = key.sign(json!({}), &claims("7", "read"));
        assert_eq!(status(&one, &unnamed), 200, "no kid, one key");
        assert_eq!(status(&one, &named), 401, "an unknown kid, one key");
    }
}

#[test]
fn critical_extensions_are_refused() {
    let key = Key::ed25519();
    for header in [
        json!({ "kid": "EdDSA", "crit": ["b64"], "b64": false }),
        json!({ "kid": "EdDSA", "crit": ["https://example.com/x"], "https://example.com/x": 1 }),
        json!({ "kid": "EdDSA", "crit": [] }),
    ] {
        let what = header.to_string();
        refuse(&key.sign(header, &claims("7", "read")), &what);
    }
}

#[test]
fn a_token_of_another_kind_is_refused() {
    let key = Key::ed25519();
    let token = |typ: &str| key.sign(json!({ "kid": "EdDSA", "typ": typ }), &claims("7", "read"));
    for typ in ["JWT", "at+jwt", "application/at+JWT"] {
        assert_eq!(status(&HOST, &token(typ)), 200, "{typ}");
    }
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JOSE", ""] {
        refuse(&token(typ), typ);
    }
}

#[test]
fn a_token_is_from_the_issuer_for_this_service_and_for_now() {
    for (name, value) in [
        ("aud", json!(["other", "edge-users"])),
        ("exp", json!(now() - 30)),
        ("exp", json!(now() as f64 + 0.5)),
        ("nbf", json!(now() + 30)),
        ("more", json!({ "nested": [1, null] })),
        ("scope", json!(["openid", "admin"])),
        ("scp", json!(["write"])),
        ("scp", json!("write")),
    ] {
        let what = format!("{name} {value}");
        assert_eq!(status(&HOST, &with(name, value)), 200, "{what}");
    }
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!([ISSUER])),
        ("iss", Value::Null),
        ("aud", json!("other")),
        ("aud", json!(["edge"])),
        ("aud", json!([])),
        ("aud", Value::Null),
        ("exp", json!(now() - 90)),
        ("exp", json!(-1)),
        ("exp", json!((now() + 3600).to_string())),
        ("exp", Value::Null),
        ("nbf", json!(now() + 90)),
        ("nbf", json!("soon")),
        ("sub", json!(7)),
        ("scope", json!(7)),
        ("scp", json!([["read"]])),
    ] {
        let what = format!("{name} {value}");
        refuse(&with(name, value), &what);
    }
}

#[test]
fn a_token_of_more_than_8_kib_is_refused() {
    let padded = |bytes: usize| with("padding", json!("x".repeat(bytes)));
    let room = (8 * 1024 - padded(0).len()) / 4 * 3;
    let (fits, too_long) = (padded(room - 8), padded(room + 8));
    assert!(fits.len() <= 8 * 1024 && too_long.len() > 8 * 1024);
    assert_eq!(status(&HOST, &fits), 200);
    refuse(&too_long, "too long");
}

#[test]
fn what_is_no_token_is_refused() {
    let token = good(&Key::ed25519());
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, signature] = &*parts else {
        panic!("three parts")
    };
    for text in [
        "a.b.c",
        "..",
        &format!("{header}..{signature}"),
        &format!(".{claims}.{signature}"),
        &format!("{token}.{signature}"),
        &format!("{token}="),
        &format!("{header}.{claims}.{signature}A"),
        &format!("{claims}.{header}.{signature}"),
        &format!("eu_{token}"),
    ] {
        refuse(text, text);
    }
}

/// How many requests an instance answers: as the embedded host has it, and as Spin does.
const REUSES: [usize; 2] = [128, 1];

/// A service whose issuer's keys are at a URL, with what the manifest allows, and where it
/// writes its log.
fn start_with_keys_at(url: &str, allowed: &str, reuse: usize) -> (Host, PathBuf) {
    let directory = new_state_dir();
    let components = root().join("target/wasm32-wasip1/release/");
    let text = std::fs::read_to_string(manifest()).expect("the manifest");
    let none = "allowed_outbound_hosts = []";
    assert!(text.contains(none), "the manifest lets requests out");
    let text = text
        .replace(none, &format!("allowed_outbound_hosts = ['{allowed}']"))
        .replace(
            "target/wasm32-wasip1/release/",
            components.to_str().expect("a path in UTF-8"),
        );
    let from: PathBuf = directory.join("spin.toml");
    std::fs::write(&from, text).expect("the manifest is written");
    let mut variables = trusting(&[]);
    variables.push(variable("jwt_jwks", ""));
    variables.push(variable("jwt_jwks_url", url));
    let logs = directory.join("logs");
    let started = Host::start(UpOptions {
        from,
        listen: ([127, 0, 0, 1], 0).into(),
        state_dir: Some(directory),
        log_dir: Some(logs.clone()),
        quiet: true,
        discard_stdout: true,
        variables,
        max_instance_reuse_count: reuse,
        ..UpOptions::default()
    });
    let host = RUNTIME.block_on(started).expect("the host starts");
    (host, logs)
}

/// Serves the keys, and counts how often.
fn serve_keys(keys: String) -> (String, &'static AtomicUsize) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let count: &'static AtomicUsize = Box::leak(Box::default());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = BufReader::new(stream.try_clone().expect("a stream")).lines();
            assert!(head.any(|line| line.expect("a head").is_empty()));
            count.fetch_add(1, Ordering::SeqCst);
            let length = keys.len();
            let response = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/jwk-set+json\r\n\
                 cache-control: max-age=600\r\ncontent-length: {length}\r\n\
                 connection: close\r\n\r\n{keys}"
            );
            stream.write_all(response.as_bytes()).expect("it is sent");
        }
    });
    (origin, count)
}

#[test]
fn keys_are_fetched_where_the_manifest_allows_it_and_kept() {
    let key = Key::ed25519();
    for reuse in REUSES {
        let (origin, fetches) = serve_keys(jwks(&[key.jwk("EdDSA")]));
        let (host, _) = start_with_keys_at(&format!("{origin}/keys"), &origin, reuse);
        for _ in 0..10 {
            assert_eq!(status(&host, &good(&key)), 200);
        }
        for number in 0..10 {
            let header = json!({ "kid": format!("unknown {number}") });
            assert_eq!(status(&host, &key.sign(header, &claims("7", "read"))), 401);
        }
        assert_eq!(status(&host, &with("iss", json!("evil"))), 401);
        // The instance keeps the keys, and the store for all others.
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn keys_that_cannot_be_fetched_let_nobody_in() {
    let key = Key::ed25519();
    let (origin, fetches) = serve_keys(jwks(&[key.jwk("EdDSA")]));
    let (garbage, _) = serve_keys("not keys".to_owned());
    let (huge, _) = serve_keys(format!(
        "{}{}",
        jwks(&[key.jwk("EdDSA")]),
        " ".repeat(100_000)
    ));
    for (url, allowed, reason) in [
        (
            format!("{origin}/keys"),
            "https://other.example",
            "the host allows no request there: name it in allowed_outbound_hosts",
        ),
        (
            format!("{garbage}/keys"),
            "*://*:*",
            "the answer is not a JWK set",
        ),
        (format!("{huge}/keys"), "*://*:*", "it has more than"),
        (
            "http://127.0.0.1:1/keys".to_owned(),
            "*://*:*",
            "the connection is refused",
        ),
    ] {
        let (host, logs) = start_with_keys_at(&url, allowed, REUSES[0]);
        let answer = Service::of(&host).with_token(&good(&key)).get("/users");
        assert_eq!(answer.status, 503, "{url} {allowed}");
        assert_eq!(answer.problem()["title"], "Keys unavailable");
        // The next request may not fetch them before.
        let wait: u64 = answer
            .header("retry-after")
            .expect("a time")
            .parse()
            .expect("seconds");
        assert!((50..=60).contains(&wait), "{wait}");
        let logs = std::fs::read_dir(logs).expect("a log directory");
        let log: String = logs
            .map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a log"))
            .collect();
        let told = format!("the keys at jwt_jwks_url could not be fetched: {reason}");
        assert!(log.contains(&told), "{url} {allowed}: {log}");
    }
    assert_eq!(fetches.load(Ordering::SeqCst), 0);
}

/// A server of keys that sends a byte each second.
fn serve_slowly() -> (String, &'static AtomicUsize) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let fetches: &AtomicUsize = Box::leak(Box::default());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            fetches.fetch_add(1, Ordering::SeqCst);
            let mut stream = stream.expect("a connection");
            std::thread::spawn(move || {
                let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
                let _ = stream.write_all(head.as_bytes());
                while stream.write_all(b" ").is_ok() {
                    std::thread::sleep(std::time::Duration::from_secs(1));
                }
            });
        }
    });
    (origin, fetches)
}

/// The host would end the request after 30 s, with 504, and the next would begin again.
#[test]
fn keys_that_drip_hold_one_request_for_a_moment_and_no_other() {
    for reuse in REUSES {
        let (origin, fetches) = serve_slowly();
        let (host, _) = start_with_keys_at(&format!("{origin}/keys"), "*://*:*", reuse);
        let service = Service::of(&host).with_token(&good(&Key::ed25519()));
        for _ in 0..5 {
            let answer = service.get("/users");
            assert_eq!(answer.status, 503);
            assert_eq!(answer.problem()["type"], "/problems/keys-unavailable");
        }
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
    }
}

/// RFC 2104, for what nobody here verifies.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()).to_vec()
}
