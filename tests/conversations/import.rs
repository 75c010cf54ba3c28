//! Many users at once, line by line: what each line gets, and how an import ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::support::{Answer, Send, Service, new_email, new_state_dir, service, start_host_with};
use edge_host::UpOptions;
use serde_json::{Value, json};

const NDJSON: &str = "application/x-ndjson";

fn import(service: &Service, path: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = service.request("POST", path).header("content-type", NDJSON);
    request.body(body.into()).answer()
}

/// The lines of an answer; the last one is apart.
fn lines(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some(NDJSON));
    assert!(answer.body.ends_with('\n'), "{}", answer.body);
    let lines = answer.body.lines().map(serde_json::from_str);
    let mut lines: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let last = lines.pop().expect("a last line");
    assert!(last["end"].is_string(), "{last}");
    (lines, last)
}

/// A service of its own, with these options.
fn host_with(options: UpOptions) -> (edge_host::Host, Service) {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        ..options
    });
    let service = Service::of(&host);
    (host, service)
}

/// An import whose lines are sent one by one.
struct Upload {
    stream: TcpStream,
    answer: Answering,
}

/// The lines of an answer, as they arrive in chunks.
struct Answering {
    stream: BufReader<TcpStream>,
    text: String,
}

impl Upload {
    fn begin(service: &Service) -> Upload {
        let address = service.authority().expect("a plain URL");
        let authorization = service.authorization();
        let mut stream = TcpStream::connect(address).expect("a connection");
        write!(
            stream,
            "POST /users/import HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
             {authorization}content-type: {NDJSON}\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        .expect("it is sent");
        let timeout = Some(Duration::from_secs(60));
        stream.set_read_timeout(timeout).expect("a timeout");
        let answer = Answering {
            stream: BufReader::new(stream.try_clone().expect("a second handle")),
            text: String::new(),
        };
        Upload { stream, answer }
    }

    fn send(&mut self, text: &str) {
        write!(self.stream, "{:x}\r\n{text}\r\n", text.len()).expect("it is sent");
    }

    fn end(&mut self) {
        write!(self.stream, "0\r\n\r\n").expect("it is sent");
    }
}

impl Answering {
    /// The next line.
    fn receive(&mut self) -> Value {
        loop {
            if let Some(end) = self.text.find('\n') {
                let line: String = self.text.drain(..=end).collect();
                return serde_json::from_str(&line).expect("JSON");
            }
            assert!(self.receive_chunk(), "the answer has ended");
        }
    }

    /// Reads a chunk, after the head if that was not read yet; false at the end.
    fn receive_chunk(&mut self) -> bool {
        let mut size = String::new();
        loop {
            size.clear();
            assert!(
                self.stream.read_line(&mut size).expect("a line") > 0,
                "it broke off"
            );
            // The lines of the head have a colon or a slash.
            if !size.trim().is_empty() && size.trim().bytes().all(|b| b.is_ascii_hexdigit()) {
                break;
            }
        }
        let length = usize::from_str_radix(size.trim(), 16).expect("a length");
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).expect("a chunk");
        chunk.truncate(length);
        self.text += &String::from_utf8(chunk).expect("text");
        length > 0
    }
}

#[test]
fn each_line_makes_a_user_and_gets_a_result() {
    let email = new_email();
    let body = format!(
        "{{\"name\":\"Ada\",\"email\":\"{email}\"}}\n{{\"name\":\"Bob\",\"attributes\":{{\"n\":1}}}}\r\n"
    );
    let (results, last) = lines(&import(service(), "/users/import", body));
    for (number, result) in (1..).zip(&results) {
        assert_eq!(
            (&result["line"], &result["status"]),
            (&json!(number), &json!(201))
        );
    }
    let get = |result: &Value| service().get(&crate::support::path(result)).json();
    assert_eq!(get(&results[0])["email"], email);
    assert_eq!(get(&results[1])["attributes"], json!({ "n": 1 }));
    let end = json!({ "end": "complete", "created": 2, "refused": 0, "failed": 0 });
    assert_eq!(last, end);
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_skipped() {
    let body = "\u{feff}{\"name\":\"Ada\"}\n{\"name\":\"Bob\"}\n";
    let (results, _) = lines(&import(service(), "/users/import", body));
    let statuses: Vec<_> = results.iter().map(|result| &result["status"]).collect();
    assert_eq!(statuses, [201, 201]);
    let body = "\u{feff}\n{\"name\":\"Ada\"}";
    let (results, _) = lines(&import(service(), "/users/import", body));
    assert_eq!((results.len(), &results[0]["line"]), (1, &json!(2)));
}

#[test]
fn a_bad_line_gets_its_problem_and_harms_no_other() {
    let email = new_email();
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let wide = format!("[{}0]", "0,".repeat(20_000));
    let bad = [
        ("", 0, ""),
        ("{\"name\":\"\"}", 422, "/problems/invalid-user"),
        (" \t\r", 0, ""),
        ("{\"name\":", 400, "/problems/malformed-json"),
        ("[1]", 422, "/problems/invalid-user"),
        (&long, 413, "/problems/body-too-large"),
        (&deep, 422, "/problems/body-too-complex"),
        (&wide, 422, "/problems/body-too-complex"),
        (
            "{\"name\":\"A\",\"name\":\"B\"}",
            400,
            "/problems/ambiguous-json",
        ),
        ("\u{feff}{\"name\":\"A\"}", 400, "/problems/malformed-json"),
        (
            "{\"name\":\"A\"}{\"name\":\"B\"}",
            400,
            "/problems/malformed-json",
        ),
    ];
    let mut body = format!("{{\"name\":\"First\",\"email\":\"{email}\"}}\n").into_bytes();
    for (line, ..) in bad {
        body.extend(line.as_bytes());
        body.push(b'\n');
    }
    body.extend(b"{\"name\":\"\xff\"}\n");
    body.extend(format!("{{\"name\":\"Second\",\"email\":\"{email}\"}}\n").bytes());
    body.extend(b"{\"name\":\"Last, without an end\"}");

    let (results, last) = lines(&import(service(), "/users/import", body));
    let expected = bad.iter().enumerate().filter(|(_, bad)| bad.1 > 0);
    let mut expected: Vec<_> = expected
        .map(|(index, (_, status, kind))| (index + 2, *status, *kind))
        .collect();
    expected.insert(0, (1, 201, ""));
    expected.push((13, 400, "/problems/malformed-json"));
    expected.push((14, 409, "/problems/email-taken"));
    expected.push((15, 201, ""));
    let received: Vec<_> = results
        .iter()
        .map(|result| {
            let problem = &result["problem"];
            if result["status"] != 201 {
                assert_eq!(problem["status"], result["status"], "{result}");
                assert!(
                    problem["detail"].is_string() && result["id"].is_null(),
                    "{result}"
                );
            }
            (
                result["line"].as_u64().expect("a number") as usize,
                result["status"].as_u64().expect("a status"),
                problem["type"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(received, expected);
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "/name");
    let end = json!({ "end": "complete", "created": 2, "refused": 11, "failed": 0 });
    assert_eq!(last, end);
}

#[test]
fn what_was_exported_can_be_imported() {
    let user = service().create(json!({ "name": "Ada", "attributes": { "team": "blue" } }));
    let (results, _) = lines(&import(service(), "/users/import", user.to_string()));
    let copy = service().get(&crate::support::path(&results[0])).json();
    assert_ne!(copy["id"], user["id"]);
    assert_eq!(copy["attributes"], user["attributes"]);
}

#[test]
fn an_empty_body_is_a_complete_import() {
    for body in ["", "\n", "\n\n \n"] {
        let (results, last) = lines(&import(service(), "/users/import", body));
        assert_eq!((results.len(), &last["end"]), (0, &json!("complete")));
    }
}

#[test]
fn a_client_that_goes_on_with_a_file_says_at_which_line() {
    let (results, _) = lines(&import(service(), "/users/import?line=4712", "\n[]"));
    assert_eq!(results[0]["line"], 4713);
    for query in ["line=0", "line=x", "line=1&line=2", "limit=1"] {
        let refused = import(service(), &format!("/users/import?{query}"), "");
        assert_eq!(refused.status, 400, "{query}");
        assert_eq!(refused.problem()["type"], "/problems/invalid-query");
    }
}

#[test]
fn a_result_arrives_while_the_client_still_sends() {
    if service().authority().is_none() {
        println!("SKIPPED: it needs a URL without TLS and without a path");
        return;
    }
    let mut upload = Upload::begin(service());
    for number in 1..=3 {
        upload.send("{\"name\":");
        upload.send("\"One by one\"}\n");
        let result = upload.answer.receive();
        assert_eq!(
            (&result["line"], &result["status"]),
            (&json!(number), &json!(201))
        );
    }
    upload.end();
    assert_eq!(upload.answer.receive()["end"], "complete");
}

#[test]
fn what_is_no_import_is_refused_as_everywhere() {
    let refused = service()
        .request("POST", "/users/import")
        .json(&json!({}))
        .answer();
    assert_eq!(refused.status, 415);
    let compressed = service()
        .request("POST", "/users/import")
        .header("content-type", NDJSON)
        .header("content-encoding", "gzip");
    assert_eq!(compressed.answer().status, 415);
    let not_acceptable = service()
        .request("POST", "/users/import")
        .header("content-type", NDJSON)
        .header("accept", "application/json");
    assert_eq!(not_acceptable.answer().status, 406);
    let options = service().request("OPTIONS", "/users/import").answer();
    assert_eq!(
        (options.status, options.header("allow")),
        (204, Some("POST, OPTIONS"))
    );
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        let answer = service().request(method, "/users/import").answer();
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST, OPTIONS"))
        );
    }
}

/// Tests of services of their own, whatever `EDGE_USERS_URL` says.
mod not_by_url {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_makes_no_user() {
        let (_host, service) = host_with(UpOptions::default());
        let mut upload = Upload::begin(&service);
        upload.send("{\"name\":\"Whole\"}\n{\"name\":\"Cut\"}");
        assert_eq!(upload.answer.receive()["line"], 1);
        upload.stream.shutdown(Shutdown::Write).expect("it is open");
        let mut rest = String::new();
        let _ = upload.answer.stream.read_to_string(&mut rest);
        assert!(!rest.contains("\"line\":2"), "{rest}");
        assert_eq!(service.get("/users").header("x-total-count"), Some("1"));
    }

    #[test]
    fn an_import_ends_by_itself_before_the_time_limit_and_says_where_to_go_on() {
        let variable = "bulk_time_limit=1".parse().expect("a variable");
        let (_host, service) = host_with(UpOptions {
            variables: vec![variable],
            ..UpOptions::default()
        });
        let begun = Instant::now();
        let mut upload = Upload::begin(&service);
        upload.send("{\"name\":\"Ada\"}\n{\"name\":");
        assert_eq!(upload.answer.receive()["line"], 1);
        let last = upload.answer.receive();
        assert!(begun.elapsed() >= Duration::from_secs(1));
        assert_eq!(last["end"], "time-limit");
        assert_eq!(last["next"], "/users/import?line=2");
        // What the client still sends does not lose it the answer, nor is it taken for a line.
        upload.send("\"Bea\"}\n");
        upload.end();
        assert!(!upload.answer.receive_chunk(), "{}", upload.answer.text);
        assert_eq!(service.get("/users").header("x-total-count"), Some("1"));
    }

    #[test]
    fn a_client_that_sends_all_before_it_reads_is_not_waited_for() {
        let (_host, service) = host_with(UpOptions::default());
        let mut upload = Upload::begin(&service);
        // Refused lines cost no time, and have long results. They are more than sockets hold.
        let chunk = "{}\n".repeat(30_000);
        let sent = 200 * 30_000;
        for _ in 0..200 {
            upload.send(&chunk);
        }
        upload.end();
        let mut results = 0;
        let last = loop {
            let line = upload.answer.receive();
            if line["line"].is_null() {
                break line;
            }
            results += 1;
            assert_eq!(
                (&line["line"], &line["status"]),
                (&json!(results), &json!(422))
            );
        };
        assert!(results > 1000 && results < sent, "{results}");
        assert_eq!(last["end"], "results-unread");
        assert_eq!(last["next"], format!("/users/import?line={}", results + 1));
    }

    #[test]
    fn more_is_imported_than_an_instance_has_memory_for() {
        let (_host, service) = host_with(UpOptions {
            max_instance_memory: Some(8 << 20),
            ..UpOptions::default()
        });
        let mut upload = Upload::begin(&service);
        let mut answer = Answering {
            stream: BufReader::new(upload.stream.try_clone().expect("a second handle")),
            text: String::new(),
        };
        let reader = std::thread::spawn(move || {
            let results = (1..=10_000).filter(|number| {
                let result = answer.receive();
                assert_eq!(result["line"], json!(number));
                result["status"] == 422
            });
            (results.count(), answer.receive())
        });
        // 20 MB in all. The users are refused, so that the store takes no time.
        let line = format!(
            "{{\"name\":\"\",\"attributes\":{{\"a\":\"{}\"}}}}\n",
            "x".repeat(2000)
        );
        let chunk = line.repeat(100);
        for _ in 0..100 {
            upload.send(&chunk);
        }
        upload.end();
        let (refused, last) = reader.join().expect("all results arrive");
        assert_eq!((refused, &last["end"]), (10_000, &json!("complete")));
    }
}
