//! The examples of the standards, and what is nearly right.

use serde_json::json;

use super::*;

/// What RFC 7515 signs in its appendices A.2 and A.3, after the header.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-\
    Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzj\
    b_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZ\
    lxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb\
    54h4FRWyuXpoQ";

const RSA_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5R\
    Zmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrn\
    byTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHW\
    EsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig\
    cN_IoypGlUPQGe77Rw";

fn rsa() -> Value {
    json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" })
}

fn p256() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

fn ed25519() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

/// Of each algorithm a key, a message and its signature.
fn examples() -> [(PublicKey, String, Vec<u8>); 3] {
    [
        // RFC 7515, appendices A.2 and A.3
        (rsa(), format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}"), RSA_SIGNATURE),
        (
            p256(),
            format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}"),
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
        // RFC 8037, appendix A.4
        (
            ed25519(),
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        ),
    ]
    .map(|(jwk, message, signature)| {
        let key = PublicKey::of(&jwk).expect("a key");
        let signature = Base64UrlUnpadded::decode_vec(signature).expect("base64");
        (key, message, signature)
    })
}

#[test]
fn signatures_of_the_standards_are_verified() {
    for (key, message, signature) in examples() {
        let algorithm = key.algorithm();
        assert!(
            key.verifies(message.as_bytes(), &signature),
            "{algorithm:?}"
        );
    }
}

#[test]
fn nothing_else_is_their_signature() {
    for (key, message, signature) in examples() {
        let algorithm = key.algorithm();
        let other = message.replacen('.', ",", 1);
        assert!(!key.verifies(other.as_bytes(), &signature), "{algorithm:?}");
        for position in [0, 1, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[position] ^= 1;
            assert!(
                !key.verifies(message.as_bytes(), &changed),
                "{algorithm:?} {position}"
            );
        }
        let longer = [&signature[..], &[0]].concat();
        let padded = [&[0], &signature[..]].concat();
        let (zero, ones) = (vec![0; signature.len()], vec![0xff; signature.len()]);
        for changed in [&signature[1..], &longer, &padded, &zero, &ones, &[]] {
            assert!(!key.verifies(message.as_bytes(), changed), "{algorithm:?}");
        }
    }
    let [(rsa, ..), (p256, ..), (ed25519, message, signature)] = examples();
    for other in [rsa, p256] {
        assert!(!other.verifies(message.as_bytes(), &signature));
    }
    assert!(ed25519.verifies(message.as_bytes(), &signature));
}

/// An Ed25519 point of order 1 is the key to a signature that is everybody's.
#[test]
fn a_key_of_small_order_verifies_nothing() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let x = Base64UrlUnpadded::encode_string(&neutral);
    let key = PublicKey::of(&json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&neutral);
    assert!(!key.is_some_and(|key| key.verifies(b"whatever", &signature)));
}

#[test]
fn a_key_is_used_for_what_it_is_meant_for() {
    let is_used = |changes: Value| {
        let mut jwk = p256();
        for (name, value) in changes.as_object().expect("members") {
            jwk[name] = value.clone();
        }
        PublicKey::of(&jwk).is_some()
    };
    assert!(is_used(
        json!({ "use": "sig", "alg": "ES256", "kid": "k", "x5t": "…" })
    ));
    assert!(is_used(json!({ "key_ops": ["sign", "verify"] })));
    for changes in [
        json!({ "use": "enc" }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "key_ops": "verify" }),
        json!({ "alg": "ES512" }),
        json!({ "alg": "RS256" }),
        json!({ "kty": "oct", "k": "c2VjcmV0" }),
        json!({ "crv": "P-521" }),
        json!({ "crv": "secp256k1" }),
        json!({ "kty": "OKP" }),
        json!({ "x": "AAAA" }),
        // Not on the curve.
        json!({ "y": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU" }),
        json!({ "y": null }),
    ] {
        assert!(!is_used(changes.clone()), "{changes}");
    }
}

#[test]
fn an_rsa_key_has_2048_to_4096_bits_and_an_odd_exponent() {
    let is_read = |n: &[u8], e: &[u8]| {
        let encode = Base64UrlUnpadded::encode_string;
        PublicKey::of(&json!({ "kty": "RSA", "n": encode(n), "e": encode(e) })).is_some()
    };
    let (short, long) = ([0xff; 255], [0xff; 513]);
    assert!(is_read(&[0xff; 256], &[3]));
    assert!(is_read(&[0xff; 512], &[1, 0, 1]));
    for (n, e) in [
        (&short[..], &[3][..]),
        (&long, &[3]),
        (&[&[0x7f], &[0xff; 255][..]].concat(), &[3]),
        (&[&[0xff; 255][..], &[0xfe]].concat(), &[3]),
        (&[0xff; 256], &[]),
        (&[0xff; 256], &[1]),
        (&[0xff; 256], &[4]),
        (&[0xff; 256], &[1, 0, 0, 0, 1]),
        (&[], &[3]),
    ] {
        assert!(!is_read(n, e), "{} {e:?}", n.len());
    }
}
