//! The component as a file, and as bytes on the wire.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Service, manifest, root, start_host};
use serde_json::json;
use wasmparser::{Parser, Payload};

fn component() -> Vec<u8> {
    manifest();
    let path = root().join("target/wasm32-wasip1/release/edge_users.wasm");
    std::fs::read(path).expect("the component can be read")
}

#[test]
fn the_component_is_small() {
    let size = component().len();
    assert!(size <= 1_130_000, "{size} bytes");
}

#[test]
fn the_component_needs_nothing_but_wasi() {
    for payload in Parser::new(0).parse_all(&component()) {
        if let Payload::ImportSection(imports) = payload.expect("a module") {
            for import in imports.into_imports() {
                let module = import.expect("an import").module;
                let known = module.starts_with("wasi:") || module == "wasi_snapshot_preview1";
                assert!(known, "{module}");
            }
        }
    }
}

/// In two packets, the second waits for the client's delayed acknowledgement on
/// a host that does not set `TCP_NODELAY`.
#[test]
fn head_and_body_of_a_response_arrive_together() {
    let host = start_host();
    let service = Service::of(&host);
    for number in 0..50 {
        service.create(json!({ "name": format!("User {number}") }));
    }
    for path in ["/users/1", "/users?limit=50", "/users/0"] {
        let mut stream = TcpStream::connect(host.local_addr()).expect("a connection");
        for _ in 0..10 {
            write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("it is sent");
            let mut bytes = [0; 64 * 1024];
            let length = stream.read(&mut bytes).expect("an answer");
            let text = String::from_utf8_lossy(&bytes[..length]);
            let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
            let announced = format!("content-length: {}", body.len());
            assert!(head.lines().any(|line| line == announced), "{path}: {text}");
        }
    }
}
