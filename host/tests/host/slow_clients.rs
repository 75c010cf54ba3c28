//! Clients that keep the host waiting, over HTTP/2 and with responses that they do not
//! read. Where a client has all the time there is, others have to get their answers all the
//! same.

use std::time::Duration;

use edge_host::{Host, UpOptions};
use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::http2::{Http2, answer_of, drip, reset_of, status_of};
use crate::support::{Application, Client, Program, TEST_TIMEOUT, get};

/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_secs(3600);

async fn start_with(change: impl FnOnce(&mut UpOptions)) -> (Host, Application) {
    let application = Application::probe("");
    let mut options = application.options();
    change(&mut options);
    (Host::start(options).await.unwrap(), application)
}

/// An answer to another, independent client.
async fn newcomer(host: &Host) -> String {
    get(host.local_addr(), "/hello").await.text().to_owned()
}

#[tokio::test]
async fn a_client_whose_window_is_shut_gives_way_to_a_newcomer() {
    let (host, _application) = start_with(|options| {
        options.client_timeout = FOR_EVER;
        options.max_connections = 20;
    })
    .await;
    let mut connections = Vec::new();
    for _ in 0..20 {
        let mut connection = Http2::connect(host.local_addr(), 0).await;
        let (status, body) = status_of(connection.get("/hello").await).await.unwrap();
        assert_eq!(status, 200);
        connections.push((connection, body));
    }
    for _ in 0..5 {
        assert_eq!(newcomer(&host).await, "hello");
    }
    assert!(
        connections
            .iter()
            .any(|(connection, _)| connection.is_closed())
    );
}

#[tokio::test]
async fn a_client_whose_window_is_shut_is_given_up_in_time() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut connection = Http2::connect(host.local_addr(), 0).await;
    let (_, body) = status_of(connection.get("/hello").await).await.unwrap();
    assert_eq!(reset_of(body).await, h2::Reason::CANCEL);
    connection.closed().await;
}

#[tokio::test]
async fn a_stream_that_is_not_read_is_given_up_and_not_those_beside_it() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_secs(1)).await;
    // Room for a short answer and not for a long one.
    let mut connection = Http2::connect(host.local_addr(), 100).await;
    let (_, unread) = status_of(connection.get("/bytes/100000").await)
        .await
        .unwrap();
    let unread = tokio::spawn(reset_of(unread));
    while !unread.is_finished() {
        let answer = answer_of(connection.get("/hello").await).await.unwrap();
        assert_eq!(answer.text(), "hello");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(unread.await.unwrap(), h2::Reason::CANCEL);
    let answer = answer_of(connection.get("/hello").await).await.unwrap();
    assert_eq!(answer.text(), "hello");
}

#[tokio::test]
async fn a_response_that_only_the_transport_still_has_is_given_up_with_its_connection() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut connection = Http2::connect(host.local_addr(), 2).await;
    // Two bytes of five are sent; nothing but the end of the response is left to do.
    let (_, _body) = status_of(connection.get("/hello").await).await.unwrap();
    let busy = async {
        loop {
            // Keeps the connection from being idle.
            let Ok(response) = connection.try_get("/bytes/1").await else {
                return;
            };
            answer_of(response).await.ok();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(TEST_TIMEOUT, busy)
        .await
        .expect("the host closes it");
}

#[tokio::test]
async fn a_long_response_that_nobody_reads_is_given_up_over_http_1_too() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
    let request = b"GET /bytes/100000000 HTTP/1.1\r\nhost: edge.test\r\n\r\n";
    stream.write_all(request).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut bytes = Vec::new();
    let reading = timeout(TEST_TIMEOUT, stream.read_to_end(&mut bytes));
    reading.await.expect("the host closes it").ok();
    assert!(bytes.len() < 100_000_000);
}

#[tokio::test]
async fn responses_that_nobody_reads_give_their_places_to_others() {
    let (host, _application) = start_with(|options| {
        options.client_timeout = FOR_EVER;
        options.request_timeout = FOR_EVER;
        // With so little there are 16 places for requests.
        options.max_memory = Some(32 << 20);
        options.max_instance_memory = Some(8 << 20);
    })
    .await;
    let mut connections = Vec::new();
    for _ in 0..4 {
        let mut connection = Http2::connect(host.local_addr(), 0).await;
        let mut responses = Vec::new();
        for _ in 0..30 {
            responses.push(connection.get("/bytes/1000000").await);
        }
        connections.push((connection, responses));
    }
    for _ in 0..5 {
        assert_eq!(newcomer(&host).await, "hello");
    }
}

/// The most memory that the process ever had in use, in bytes; nothing where that can't be
/// told.
fn peak_memory(process: u32) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? << 10)
}

#[tokio::test]
async fn what_is_held_for_clients_has_a_bound() {
    const MAX_MEMORY: usize = 128 << 20;
    let application = Application::probe("");
    let memory = MAX_MEMORY.to_string();
    let arguments = ["--max-memory", &memory, "--client-timeout", "600s"];
    let program = Program::start(&application, &arguments);
    let mut connections = Vec::new();
    for _ in 0..4 {
        let mut connection = Http2::connect(program.address(), 0).await;
        let mut responses = Vec::new();
        for _ in 0..30 {
            responses.push(connection.get("/bytes/8000000").await);
        }
        connections.push((connection, responses));
    }
    for _ in 0..5 {
        let answer = get(program.address(), "/bytes/8000000").await;
        assert_eq!(answer.body.len(), 8_000_000);
    }
    // The program itself, and the memory that the pool of instances keeps at hand.
    let rest = 128 << 20;
    if let Some(peak) = peak_memory(program.id()) {
        assert!(peak < MAX_MEMORY + rest, "{} MiB", peak >> 20);
    }
}

#[tokio::test]
async fn bodies_that_drip_over_http_2_have_their_time_and_no_more() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_secs(1)).await;
    let mut connection = Http2::connect(host.local_addr(), 65_535).await;
    let mut answers = Vec::new();
    for _ in 0..30 {
        let (response, body) = connection.begin("PUT", "/echo", HeaderMap::new()).await;
        tokio::spawn(drip(body, Duration::from_millis(50)));
        answers.push(tokio::spawn(answer_of(response)));
    }
    // The connection is in use all the while.
    while answers.iter().any(|answer| !answer.is_finished()) {
        let answer = answer_of(connection.get("/hello").await).await.unwrap();
        assert_eq!(answer.text(), "hello");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for answer in answers {
        let answer = answer.await.unwrap().unwrap();
        assert_eq!(answer.status, 408, "{}", answer.text());
        assert_eq!(answer.problem()["status"], 408);
    }
}

#[tokio::test]
async fn a_body_that_an_instance_waits_for_has_its_time_and_no_more() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_secs(1)).await;
    let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
    let head = b"PUT /echo HTTP/1.1\r\nhost: edge.test\r\ncontent-length: 200000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    stream.write_all(&[b'x'; 100_000]).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = vec![0; 12];
    let answered = timeout(TEST_TIMEOUT, reading.read_exact(&mut answer));
    answered.await.expect("an answer").unwrap();
    assert_eq!(answer, b"HTTP/1.1 408");
    dripping.abort();
}

#[tokio::test]
async fn bodies_that_instances_wait_for_give_their_places_to_others() {
    let (host, _application) = start_with(|options| {
        options.client_timeout = FOR_EVER;
        options.request_timeout = FOR_EVER;
        options.max_memory = Some(32 << 20);
        options.max_instance_memory = Some(8 << 20);
    })
    .await;
    let head = b"PUT /echo HTTP/1.1\r\nhost: edge.test\r\ncontent-length: 200000\r\n\r\n";
    let mut streams = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
        stream.write_all(head).await.unwrap();
        stream.write_all(&[b'x'; 70_000]).await.unwrap();
        streams.push(stream);
    }
    for _ in 0..5 {
        assert_eq!(newcomer(&host).await, "hello");
    }
}

/// Frames of HTTP/2, written by hand: this client answers nothing that it is asked.
mod frames {
    pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    pub const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    pub const PING: u8 = 6;
    pub const IS_ACKNOWLEDGED: u8 = 1;

    /// A HEADERS frame of stream 1, with the end of headers and of the stream.
    pub fn get(path: &str) -> Vec<u8> {
        let mut block = vec![0x82, 0x86]; // :method GET, :scheme http
        // :path and :authority, literally, by the names of the static table.
        for (name, value) in [(0x04, path), (0x01, "edge.test")] {
            block.push(name);
            block.push(u8::try_from(value.len()).unwrap());
            block.extend_from_slice(value.as_bytes());
        }
        let length = u8::try_from(block.len()).unwrap();
        let mut frame = vec![0, 0, length, 1, 0x04 | 0x01, 0, 0, 0, 1];
        frame.extend_from_slice(&block);
        frame
    }
}

#[tokio::test]
async fn a_client_of_http_2_that_is_gone_is_noticed_while_the_host_works_for_it() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut stream = TcpStream::connect(host.local_addr()).await.unwrap();
    let begin = [
        frames::PREFACE,
        frames::EMPTY_SETTINGS,
        &frames::get("/sleep/20000"),
    ]
    .concat();
    stream.write_all(&begin).await.unwrap();
    let mut pings = 0;
    let reading = async {
        let mut head = [0; 9];
        while stream.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.unwrap();
            if head[3] == frames::PING && head[4] & frames::IS_ACKNOWLEDGED == 0 {
                pings += 1;
            }
        }
    };
    timeout(Duration::from_secs(15), reading)
        .await
        .expect("the host closes the connection");
    assert!(pings > 0);
    assert_eq!(newcomer(&host).await, "hello");
}

#[tokio::test]
async fn who_answers_and_reads_is_never_given_up() {
    let (host, _application) =
        start_with(|options| options.client_timeout = Duration::from_millis(500)).await;
    let mut connection = Http2::connect(host.local_addr(), 65_535).await;
    let answer = answer_of(connection.get("/drip/100").await).await.unwrap();
    assert_eq!(answer.text(), "drop\n".repeat(100));
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(client.get("/bytes/10000000").await.body.len(), 10_000_000);
}
