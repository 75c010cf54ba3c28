//! A service that does what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

/// A request that a scripted service got.
pub struct Asked {
    pub head: String,
    pub body: String,
}

/// What a scripted service does with a connection.
pub enum Step {
    /// It reads the request, answers this and closes.
    Answer(String),
    /// It answers this when it has read the head, and closes without reading the body.
    Early(String),
}

impl From<String> for Step {
    fn from(answer: String) -> Step {
        Step::Answer(answer)
    }
}

/// A service that takes one of these steps for each connection, and tells what it was asked. After
/// the last one it can't be reached.
pub fn scripted(
    steps: impl IntoIterator<Item = impl Into<Step>>,
) -> (String, mpsc::Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (requests, asked) = mpsc::channel();
    let steps: Vec<Step> = steps.into_iter().map(Into::into).collect();
    thread::spawn(move || {
        for step in steps {
            let (stream, _) = listener.accept().expect("a connection");
            let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
            let (head, length) = read_head(&mut reader);
            let mut body = Vec::new();
            if let Step::Answer(_) = step {
                body = vec![0; length];
                reader.read_exact(&mut body).expect("a body");
            }
            let body = String::from_utf8(body).expect("text");
            requests.send(Asked { head, body }).ok();
            let (Step::Answer(answer) | Step::Early(answer)) = step;
            (&stream).write_all(answer.as_bytes()).expect("it is sent");
        }
    });
    (url, asked)
}

/// The head of a request, and how long its body is.
fn read_head(reader: &mut BufReader<TcpStream>) -> (String, usize) {
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        let lower = line.trim().to_lowercase();
        if let Some(value) = lower.strip_prefix("content-length: ") {
            length = value.parse().expect("a number");
        }
        if lower.is_empty() {
            return (head.join("\n"), length);
        }
        head.push(line.trim().to_owned());
    }
}

/// An answer with this status, these headers and this body.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// The answer to an import.
pub fn lines(lines: &[&str]) -> String {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    answer("200 OK", "content-type: application/x-ndjson\r\n", &body)
}

/// A refusal by the service itself.
pub fn problem(status: &str, kind: &str, detail: &str) -> String {
    let body = format!("{{\"type\":\"/problems/{kind}\",\"detail\":\"{detail}\"}}");
    answer(status, "content-type: application/problem+json\r\n", &body)
}

/// A page that is not the service's.
pub fn page(status: &str, headers: &str) -> String {
    let headers = format!("content-type: text/html; charset=utf-8\r\n{headers}");
    answer(status, &headers, "<html>\n<body>A page</body>\n</html>\n")
}
