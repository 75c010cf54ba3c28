//! What is no call, and what is one however it arrives, byte by byte.

use std::io::Write as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use edge_host::UpOptions;
use edge_users_tonic::Message;
use edge_users_tonic::edgeusers::v1::{
    CreateUserRequest, ExportUsersResponse, GetUserRequest, GetUserResponse, User,
};
use edge_users_tonic::google::rpc::Status;
use edge_users_tonic::prost_types::value::Kind;
use edge_users_tonic::prost_types::{ListValue, Struct, Value as StructValue};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Request};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::{RUNTIME, new_state_dir, service, start_host_with, variable};
use crate::{call, create};

const GRPC: &str = "application/grpc";
const GET: &str = "/edgeusers.v1.UserService/GetUser";
const CREATE: &str = "/edgeusers.v1.UserService/CreateUser";

fn frame(flags: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&[flags], &length[..], message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector");
    encoder.finish().expect("a vector")
}

/// The answer to a call by gRPC.
#[derive(Debug)]
struct Reply {
    http: u16,
    head: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    /// There was nothing but the head.
    is_head_only: bool,
}

impl Reply {
    /// The `grpc-status`, in the trailers or, where there is nothing else, in the head.
    fn status(&self) -> u8 {
        self.fields()["grpc-status"]
            .to_str()
            .unwrap()
            .parse()
            .expect("a number")
    }

    fn fields(&self) -> &HeaderMap {
        self.trailers.as_ref().unwrap_or(&self.head)
    }
}

/// Takes all of a content.
async fn read(content: &mut h2::RecvStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = content.data().await {
        let chunk = chunk.expect("content");
        content
            .flow_control()
            .release_capacity(chunk.len())
            .expect("a window");
        bytes.extend(chunk);
    }
    bytes
}

/// Sends a request on a connection of its own by HTTP/2, each chunk in a frame of its own.
fn exchange(path: &str, headers: &[(&str, &str)], chunks: &[&[u8]]) -> Reply {
    let authority = service().authority().expect("a host and a port").to_owned();
    RUNTIME.block_on(async {
        let stream = TcpStream::connect(&authority).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let (mut sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
        tokio::spawn(connection);
        let mut request =
            Request::post(format!("http://{authority}{path}")).header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let (response, mut body) = sender.send_request(request, false).expect("sent");
        for chunk in chunks {
            // It may be answered before all is sent.
            if body
                .send_data(Bytes::copy_from_slice(chunk), false)
                .is_err()
            {
                break;
            }
            if chunks.len() > 1 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        body.send_data(Bytes::new(), true).ok();
        let (head, mut content) = response.await.expect("an answer").into_parts();
        let is_head_only = content.is_end_stream();
        let bytes = read(&mut content).await;
        Reply {
            http: head.status.as_u16(),
            head: head.headers,
            body: bytes,
            trailers: content.trailers().await.expect("an end"),
            is_head_only,
        }
    })
}

fn grpc(path: &str, body: &[u8]) -> Reply {
    exchange(path, &[("content-type", GRPC)], &[body])
}

fn id(user: &Value) -> u64 {
    user["id"]
        .as_str()
        .expect("an id")
        .parse()
        .expect("a number")
}

#[test]
fn a_frame_is_read_however_it_arrives() {
    let user = create(json!({ "name": "Ada" }));
    let message = GetUserRequest { id: id(&user) }.encode_to_vec();
    let body = frame(0, &message);
    let whole = grpc(GET, &body);
    assert_eq!((whole.http, whole.status()), (200, 0), "{whole:?}");
    assert!(
        whole.trailers.is_some(),
        "the status of a success is in trailers"
    );
    let answer = GetUserResponse::decode(&whole.body[5..]).expect("a message");
    assert_eq!(answer.user.expect("a user").name(), "Ada");
    let headers = [("content-type", "application/grpc+proto")];
    for split in 1..body.len() {
        let (first, second) = body.split_at(split);
        assert_eq!(
            exchange(GET, &headers, &[first, second]).body,
            whole.body,
            "{split}"
        );
    }
    let bytes = Vec::from_iter(body.chunks(1));
    assert_eq!(exchange(GET, &headers, &bytes).body, whole.body);
    // Compressed, by its flag; and not, though the header says that it may be.
    let headers = [("content-type", GRPC), ("grpc-encoding", "gzip")];
    for body in [frame(1, &gzip(&message)), frame(0, &message)] {
        assert_eq!(exchange(GET, &headers, &[&body]).body, whole.body);
    }
}

/// The name of the users that are not made: no other test makes one of it.
const REFUSED: &str = "Refused, to be sure";

/// The users whose names begin so.
fn found(prefix: &str) -> Value {
    call("ListUsers", json!({ "namePrefix": prefix })).body["users"]
        .as_array()
        .cloned()
        .unwrap_or_default()
        .into()
}

#[test]
fn what_is_no_call_by_grpc_is_told_so_and_changes_nothing() {
    let user = User {
        name: Some(REFUSED.to_owned()),
        ..User::default()
    };
    let request = CreateUserRequest {
        user: Some(user),
        ..CreateUserRequest::default()
    };
    let message = request.encode_to_vec();
    let whole = frame(0, &message);
    let huge = [
        vec![0],
        (64 * 1024 + 1_u32).to_be_bytes().to_vec(),
        vec![0; 64 * 1024 + 1],
    ]
    .concat();
    let bomb = frame(1, &gzip(&vec![0; 10_000_000]));
    let value = |kind| StructValue { kind: Some(kind) };
    let nested = (0..200).fold(value(Kind::NullValue(0)), |inner, _| {
        value(Kind::ListValue(ListValue {
            values: vec![inner],
        }))
    });
    let deep = Struct {
        fields: [("a".to_owned(), nested)].into(),
    }
    .encode_to_vec();
    let deep = [vec![0x22], leb(deep.len()), deep].concat();
    let deep = [vec![0x0a], leb(deep.len()), deep].concat();
    let gzip_header = [("grpc-encoding", "gzip")];
    let none: [(&str, &str); 0] = [];
    for (case, path, headers, body, code) in [
        ("nothing", CREATE, &none[..], vec![], 12),
        ("half of a head", CREATE, &none, whole[..3].to_vec(), 3),
        (
            "half of a message",
            CREATE,
            &none,
            whole[..whole.len() - 1].to_vec(),
            3,
        ),
        (
            "two messages",
            CREATE,
            &none,
            [&whole[..], &whole].concat(),
            12,
        ),
        (
            "a message and a half",
            CREATE,
            &none,
            [&whole[..], &whole[..7]].concat(),
            3,
        ),
        (
            "flags that mean nothing",
            CREATE,
            &none,
            frame(4, &message),
            3,
        ),
        ("a frame of trailers", CREATE, &none, frame(128, b""), 3),
        ("too much", CREATE, &none, huge, 8),
        (
            "too much when it is unpacked",
            CREATE,
            &gzip_header,
            bomb,
            8,
        ),
        (
            "compressed, without a word of it",
            CREATE,
            &none,
            frame(1, &gzip(&message)),
            13,
        ),
        (
            "compressed badly",
            CREATE,
            &gzip_header,
            frame(1, &message),
            3,
        ),
        (
            "compressed by what is unknown",
            CREATE,
            &[("grpc-encoding", "br")],
            whole.clone(),
            12,
        ),
        ("no protobuf", CREATE, &none, frame(0, b"\xff\xff"), 3),
        (
            "text that is no UTF-8",
            CREATE,
            &none,
            frame(0, b"\x0a\x03\x12\x01\xff"),
            3,
        ),
        (
            "a field of another type",
            CREATE,
            &none,
            frame(0, b"\x08\x01"),
            3,
        ),
        ("too many levels", CREATE, &none, frame(0, &deep), 3),
        (
            "a timeout that is none",
            CREATE,
            &[("grpc-timeout", "1s")],
            whole.clone(),
            3,
        ),
        (
            "no such method",
            "/edgeusers.v1.UserService/Nothing",
            &none,
            whole.clone(),
            12,
        ),
        ("no user", CREATE, &none, frame(0, b""), 3),
        (
            "no time",
            CREATE,
            &[("grpc-timeout", "0m")],
            whole.clone(),
            4,
        ),
    ] {
        let mut headers = headers.to_vec();
        headers.push(("content-type", GRPC));
        let reply = exchange(path, &headers, &[&body]);
        assert_eq!(
            (reply.http, reply.status()),
            (200, code),
            "{case}: {reply:?}"
        );
        // Trailers only: the head is all.
        assert!(reply.is_head_only && reply.trailers.is_none(), "{case}");
        assert_eq!(reply.head["content-type"], "application/grpc+proto");
        assert_eq!(reply.head["grpc-accept-encoding"], "gzip");
        let details = STANDARD_NO_PAD
            .decode(&reply.head["grpc-status-details-bin"])
            .expect("Base64");
        let details = Status::decode(&*details).expect("a Status");
        assert_eq!(details.code, i32::from(code));
        assert!(
            details.details[0]
                .type_url
                .ends_with("/google.rpc.ErrorInfo")
        );
    }
    for media_type in [
        "text/plain",
        "application/grpcx",
        "application/grpc+xml",
        "application/connect+proto",
    ] {
        let reply = exchange(CREATE, &[("content-type", media_type)], &[&whole]);
        assert_eq!(reply.http, 415, "{media_type}");
    }
    assert_eq!(found(REFUSED), json!([]));
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 127 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn an_unknown_field_is_ignored_in_protobuf_and_refused_in_json() {
    let user = create(json!({ "name": "Ada" }));
    let mut message = GetUserRequest { id: id(&user) }.encode_to_vec();
    message.extend(b"\xfa\x01\x03abc");
    assert_eq!(grpc(GET, &frame(0, &message)).status(), 0);
    let text = format!(r#"{{"id":{},"ü%":1}}"#, id(&user));
    let headers = [("content-type", "application/grpc+json")];
    let reply = exchange(GET, &headers, &[&frame(0, text.as_bytes())]);
    assert_eq!(reply.status(), 3);
    // What is not plain is percent-encoded.
    let told = reply.head["grpc-message"].to_str().expect("ASCII");
    assert!(told.contains("%C3%BC%25"), "{told}");
}

/// The frames of a body.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let Some((head, rest)) = body.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        frames.push((head[0], rest[..length].to_vec()));
        body = &rest[length..];
    }
    assert!(body.is_empty(), "{body:?}");
    frames
}

fn post(path: &str, media_type: &str, body: Vec<u8>) -> reqwest::blocking::Response {
    let request = Client::new().post(format!("{}{path}", service().url));
    request
        .header("content-type", media_type)
        .body(body)
        .send()
        .expect("an answer")
}

#[test]
fn grpc_web_has_its_trailers_in_the_last_frame() {
    let user = create(json!({ "name": "Ada" }));
    let body = frame(0, &GetUserRequest { id: id(&user) }.encode_to_vec());
    let answer = post(GET, "application/grpc-web+proto", body.clone());
    assert_eq!(
        answer.headers()["content-type"],
        "application/grpc-web+proto"
    );
    let read = frames(&answer.bytes().expect("a body"));
    let [(0, message), (0x80, trailers)] = &*read else {
        panic!("{read:?}");
    };
    assert_eq!(trailers, b"grpc-status: 0\r\n");
    let message = GetUserResponse::decode(&**message).expect("a message");
    assert_eq!(message.user.expect("a user").name(), "Ada");

    // As text, in pieces that are padded each.
    let (first, second) = body.split_at(3 + 1);
    let text = [STANDARD.encode(first), STANDARD.encode(second)].concat();
    let answer = post(GET, "application/grpc-web-text", text.into_bytes());
    assert_eq!(
        answer.headers()["content-type"],
        "application/grpc-web-text+proto"
    );
    let text = answer.text().expect("text");
    let pieces = text.split_inclusive('=').map(str::to_owned);
    let mut bytes = Vec::new();
    let mut piece = String::new();
    for next in pieces {
        piece += &next;
        if piece.len().is_multiple_of(4) {
            bytes.extend(STANDARD.decode(&piece).expect("Base64"));
            piece.clear();
        }
    }
    bytes.extend(STANDARD.decode(&piece).expect("Base64"));
    assert_eq!(frames(&bytes), read);

    let failed = post(GET, "application/grpc-web", frame(0, b"\xff"));
    assert_eq!(failed.status(), 200);
    let [(0x80, trailers)] = &*frames(&failed.bytes().expect("a body")) else {
        panic!("not trailers alone");
    };
    assert!(trailers.starts_with(b"grpc-status: 3\r\n"));
}

#[test]
fn a_stream_of_connect_ends_with_a_frame_that_tells_how() {
    let user = create(json!({ "name": "Ada" }));
    let after = json!({ "after": (id(&user) - 1).to_string() });
    let path = "/edgeusers.v1.UserService/ExportUsers";
    let answer = post(
        path,
        "application/connect+json",
        frame(0, after.to_string().as_bytes()),
    );
    assert_eq!(answer.headers()["content-type"], "application/connect+json");
    let read = frames(&answer.bytes().expect("a body"));
    let ((end, _), messages) = read
        .split_last()
        .map(|(end, rest)| ((end.0, end.1.clone()), rest))
        .unwrap();
    assert_eq!((end, &*read.last().unwrap().1), (2, &b"{}"[..]));
    let first: Value = serde_json::from_slice(&messages[0].1).expect("JSON");
    assert_eq!(first["user"], user);

    let proto = post(
        path,
        "application/connect+proto",
        frame(0, &[8, (id(&user) - 1) as u8]),
    );
    if id(&user) < 128 {
        let read = frames(&proto.bytes().expect("a body"));
        let first = ExportUsersResponse::decode(&*read[0].1).expect("a message");
        assert_eq!(first.user.expect("a user").id, id(&user));
    }
    let failed = post(path, "application/connect+json", frame(0, b"{\"x\":1}"));
    assert_eq!(failed.status(), 200);
    let [(2, end)] = &*frames(&failed.bytes().expect("a body")) else {
        panic!("not an end alone");
    };
    let end: Value = serde_json::from_slice(end).expect("JSON");
    assert_eq!(end["error"]["code"], "invalid_argument");
    // A unary media type is none of a stream.
    assert_eq!(post(path, "application/json", b"{}".to_vec()).status(), 415);
}

#[test]
fn an_import_by_connect_answers_all_that_was_sent() {
    let path = "/edgeusers.v1.UserService/ImportUsers";
    let ada = json!({ "user": { "name": "Ada" } }).to_string();
    let body = [
        frame(0, ada.as_bytes()),
        frame(0, b"{\"user\":{}}"),
        frame(0, ada.as_bytes()),
    ]
    .concat();
    let answer = post(path, "application/connect+json", body.clone());
    let read = frames(&answer.bytes().expect("a body"));
    let kinds: Vec<_> = read
        .iter()
        .map(|(flags, message)| {
            let message: Value = serde_json::from_slice(message).expect("JSON");
            (
                *flags,
                message["user"].is_object(),
                message["error"]["reason"].clone(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            (0, true, Value::Null),
            (0, false, json!("invalid-user")),
            (0, true, Value::Null),
            (2, false, Value::Null),
        ]
    );
    // What came whole before a frame that is broken is made; the end tells of the rest.
    let broken = [&body[..], b"\0\0"].concat();
    let read = frames(
        &post(path, "application/connect+json", broken)
            .bytes()
            .expect("a body"),
    );
    assert_eq!(read.len(), 4);
    let end: Value = serde_json::from_slice(&read[3].1).expect("JSON");
    assert_eq!(
        end["error"]["details"][0]["debug"]["reason"],
        "malformed-message"
    );
}

#[test]
fn what_is_no_call_by_connect_is_told_so_and_changes_nothing() {
    let long = format!(r#"{{"user":{{"name":"{}"}}}}"#, "x".repeat(64 * 1024));
    for (case, body, status, code) in [
        ("nothing", &b""[..], 400, "invalid_argument"),
        ("no JSON", b"{", 400, "invalid_argument"),
        ("another kind of JSON", b"[]", 400, "invalid_argument"),
        (
            "a list of fields",
            br#"[{"name":"Refused, to be sure"}]"#,
            400,
            "invalid_argument",
        ),
        (
            "a list of fields within",
            br#"{"user":[0,"Refused, to be sure"]}"#,
            400,
            "invalid_argument",
        ),
        (
            "a name twice",
            br#"{"user":{"name":"Refused, to be sure","name":"b"}}"#,
            400,
            "invalid_argument",
        ),
        (
            "a name in both spellings",
            br#"{"requestId":"a","request_id":"b"}"#,
            400,
            "invalid_argument",
        ),
        (
            "an unknown field",
            br#"{"user":{"name":"Refused, to be sure","nick":"b"}}"#,
            400,
            "invalid_argument",
        ),
        (
            "text that is no UTF-8",
            b"{\"user\":{\"name\":\"\xff\"}}",
            400,
            "invalid_argument",
        ),
        (
            "a number for a text",
            br#"{"user":{"name":1}}"#,
            400,
            "invalid_argument",
        ),
        (
            "a time that is none",
            br#"{"user":{"name":"Refused, to be sure","createTime":"now"}}"#,
            400,
            "invalid_argument",
        ),
        ("too much", long.as_bytes(), 429, "resource_exhausted"),
    ] {
        let answer = post(CREATE, "application/json", body.to_vec());
        assert_eq!(answer.status(), status, "{case}");
        assert_eq!(
            answer.headers()["content-type"],
            "application/json",
            "{case}"
        );
        assert_eq!(
            answer.json::<Value>().expect("JSON")["code"],
            code,
            "{case}"
        );
    }
    let create = |name: &str, value: &str| {
        let request = Client::new().post(format!("{}{CREATE}", service().url));
        let request = request
            .header("content-type", "application/json")
            .header(name, value);
        let answer = request
            .body(r#"{"user":{"name":"Refused, to be sure"}}"#)
            .send()
            .expect("an answer");
        (
            answer.status().as_u16(),
            answer.json::<Value>().expect("JSON")["code"].clone(),
        )
    };
    for (header, value, status, code) in [
        ("content-encoding", "br", 501, "unimplemented"),
        ("content-encoding", "gzip", 400, "invalid_argument"),
        ("connect-timeout-ms", "0", 504, "deadline_exceeded"),
        ("connect-timeout-ms", "1.5", 400, "invalid_argument"),
        ("connect-protocol-version", "2", 400, "invalid_argument"),
    ] {
        assert_eq!(
            create(header, value),
            (status, json!(code)),
            "{header}: {value}"
        );
    }
    for media_type in ["application/xml", "text/plain", "application/json+x"] {
        assert_eq!(
            post(CREATE, media_type, b"{}".to_vec()).status(),
            415,
            "{media_type}"
        );
    }
    assert_eq!(found(REFUSED), json!([]));
    // Compressed, it is a call.
    let request = Client::new().post(format!("{}{CREATE}", service().url));
    let request = request
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    let made = request
        .body(gzip(br#"{"user":{"name":"Packed"}}"#))
        .send()
        .expect("an answer");
    assert_eq!(made.status(), 200);
}

/// Tests that start a service of their own.
mod not_by_url {
    use super::*;

    #[test]
    fn an_import_goes_on_while_results_are_unread_only_within_bounds() {
        let host = start_host_with(UpOptions {
            variables: vec![variable("bulk_time_limit", "60")],
            state_dir: Some(new_state_dir()),
            ..UpOptions::default()
        });
        let authority = host.local_addr().to_string();
        RUNTIME.block_on(async {
            let stream = TcpStream::connect(&authority).await.expect("a connection");
            let (mut sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
            tokio::spawn(connection);
            let path = "/edgeusers.v1.UserService/ImportUsers";
            let request =
                Request::post(format!("http://{authority}{path}")).header("content-type", GRPC);
            let request = request.body(()).expect("a request");
            let (response, mut body) = sender.send_request(request, false).expect("sent");
            // Each is refused, and each result tells of it; none of the results is taken.
            let user = User {
                attributes_json: Some(format!(r#"{{"x":"{}"}}"#, "x".repeat(8000))),
                name: Some("Big".to_owned()),
                ..User::default()
            };
            let request = edge_users_tonic::edgeusers::v1::ImportUsersRequest { user: Some(user) };
            let message = frame(0, &request.encode_to_vec());
            let sending = tokio::spawn(async move {
                for _ in 0..2000 {
                    body.reserve_capacity(message.len());
                    while body.capacity() < message.len() {
                        match std::future::poll_fn(|context| body.poll_capacity(context)).await {
                            Some(Ok(_)) => {}
                            _ => return,
                        }
                    }
                    if body.send_data(Bytes::from(message.clone()), false).is_err() {
                        return;
                    }
                }
            });
            let response = response.await.expect("an answer");
            let mut content = response.into_body();
            // The client reads nothing for so long, and then all there is.
            tokio::time::sleep(Duration::from_secs(4)).await;
            let results = read(&mut content).await.len();
            let trailers = content.trailers().await.expect("an end").expect("trailers");
            assert_eq!(trailers["grpc-status"], "10", "{trailers:?}");
            let details = STANDARD_NO_PAD
                .decode(&trailers["grpc-status-details-bin"])
                .expect("Base64");
            let details = Status::decode(&*details).expect("a Status");
            assert!(details.message.contains("read no results"), "{details:?}");
            assert!(results < 2000 * 8000, "{results}");
            sending.abort();
        });
    }
}
