//! The output of components, and its destinations.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Application, Client, Program, edge_host, get};

#[tokio::test]
async fn standard_output_stays_what_it_is_and_standard_error_is_for_people() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &["--log-dir", "logs"]);
    get(program.address(), "/print/words").await;
    assert_eq!(program.wait_for_output("words to"), "words to stdout");
    program.wait_for_log("[probe] words to stderr");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    assert!(!log.iter().any(|line| line.contains("stdout")), "{log:?}");
    let written = |stream: &str| {
        let file = format!("logs/probe_{stream}.txt");
        std::fs::read_to_string(application.directory().join(file)).unwrap()
    };
    assert!(written("stdout").starts_with("words to stdout\n"));
    assert_eq!(written("stderr"), "words to stderr\n");
}

#[tokio::test]
async fn quiet_does_not_silence_standard_output() {
    let application = Application::probe("");
    // Quiet as it is, it doesn't tell which port it took.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut command = edge_host();
    command
        .args(["up", "--quiet", "--listen", &address.to_string()])
        .current_dir(application.directory())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut host = command.spawn().unwrap();
    while tokio::net::TcpStream::connect(address).await.is_err() {
        assert_eq!(host.try_wait().unwrap(), None, "it serves");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    get(address, "/print/words").await;
    Command::new("kill")
        .arg(host.id().to_string())
        .status()
        .unwrap();
    let output = host.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(text(output.stdout).starts_with("words to stdout\n"));
    assert_eq!(text(output.stderr), "");
}

#[tokio::test]
async fn what_was_printed_before_the_answer_outlives_the_host() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    for number in 0..50 {
        client.get(&format!("/print/line-{number}")).await;
    }
    program.signal("KILL");
    program.wait();
    let output = program.rest_of_output();
    for number in 0..50 {
        let line = format!("line-{number} to stdout");
        // It may come after the beginning of another instance's line.
        let is_there = output.iter().any(|other| other.ends_with(&line));
        assert!(is_there, "{line} in {output:#?}");
    }
}

#[tokio::test]
async fn a_service_goes_on_though_nobody_reads_what_it_prints() {
    const LINES: usize = 600;
    let application = Application::probe("");
    let mut host = edge_host()
        .args(["up", "--listen", "127.0.0.1:0", "--log-dir", "logs"])
        .current_dir(application.directory())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(host.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("Serving") {
        line.clear();
        stdout.read_line(&mut line).unwrap();
    }
    let address = line.trim().rsplit("//").next().unwrap().parse().unwrap();
    let mut client = Client::connect(address).await;
    let long = "x".repeat(8000);
    for number in 0..LINES {
        let answer = client.get(&format!("/print/{number}-{long}")).await;
        assert_eq!(answer.text(), "printed");
    }
    // Now the pipe is read. The host ends when asked to, after all its output.
    let stderr = host.stderr.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        BufReader::new(stderr).read_to_string(&mut text).unwrap();
        text
    });
    let written = std::thread::spawn(move || {
        let lines = stdout.lines().map(|line| line.unwrap());
        lines.filter(|line| line.ends_with(" to stdout")).count()
    });
    Command::new("kill")
        .arg(host.id().to_string())
        .status()
        .unwrap();
    assert_eq!(host.wait().unwrap().code(), Some(0));
    let (written, said) = (written.join().unwrap(), reading.join().unwrap());
    assert!(
        written < LINES,
        "nothing was dropped: the test tests nothing"
    );
    let report = |stream: &str| {
        let report = format!("lines for {stream} were dropped, as nobody read it");
        assert!(said.lines().any(|line| line.ends_with(&report)), "{report}");
    };
    report("standard output");
    report("standard error");
    // The files have everything.
    let file = application.directory().join("logs/probe_stdout.txt");
    let file = std::fs::read_to_string(file).unwrap();
    let lines = file.lines().filter(|line| line.ends_with(" to stdout"));
    assert_eq!(lines.count(), LINES);
}

#[tokio::test]
async fn a_log_file_that_cannot_be_written_fails_no_request_and_is_reported() {
    let application = Application::probe("");
    std::fs::create_dir(application.directory().join("logs")).unwrap();
    for stream in ["stdout", "stderr"] {
        let file = format!("logs/probe_{stream}.txt");
        let file = application.directory().join(file);
        std::os::unix::fs::symlink("/dev/full", file).unwrap();
    }
    let mut program = Program::start(&application, &["--log-dir", "logs"]);
    let answer = get(program.address(), "/print/words").await;
    assert_eq!(answer.text(), "printed");
    program.wait_for_log("cannot write to the log file logs/probe_stdout.txt: ");
}

#[tokio::test]
async fn a_line_of_the_host_stays_one_line_whatever_a_client_sends() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    for path in [
        "/trap?\x7f",
        "/trap/\u{7f}\u{85}\u{2028}\u{202e}",
        "/trap%0a%1b",
    ] {
        let mut stream = TcpStream::connect(program.address()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let id = b"x-request-id: a\x80b\xff\xc2\x85\r\n\r\n";
        stream.write_all(id).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
    }
    get(program.address(), "/trap").await;
    program.wait_for_log("GET /trap in component probe failed");
    program.signal("TERM");
    program.wait();
    let plain = |c: char| !c.is_control() && !"\u{2028}\u{202e}".contains(c);
    for line in program.rest_of_log() {
        assert!(line.chars().all(plain), "{line:?}");
    }
}
