//! Refusals of a whole request, by the service or by something before it.

use super::run;
use super::scripted::{Step, lines, page, problem, scripted};

const IMPORT: [&str; 4] = ["import", "-", "--connections", "1"];

/// Lines that make a body of some 10 MB, more than sockets hold.
fn large() -> String {
    let line = format!(
        "{{\"name\":\"A\",\"attributes\":{{\"a\":\"{}\"}}}}\n",
        "x".repeat(40_000)
    );
    line.repeat(256)
}

fn results() -> String {
    let made = |line| format!("{{\"line\":{line},\"status\":201,\"id\":{line}}}");
    let mut results: Vec<String> = (1..=256).map(made).collect();
    results.push("{\"end\":\"complete\"}".to_owned());
    lines(&results.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn an_early_refusal_of_a_large_batch_is_told_as_what_it_is() {
    for (refusal, told) in [
        (
            page("401 Unauthorized", ""),
            "the service, or a proxy before it, answers 401 Unauthorized: give a token by \
             --token-file or EDGE_USERS_TOKEN\n",
        ),
        (
            problem("413 Payload Too Large", "body-too-large", "Too large."),
            "the service answers 413 Payload Too Large: Too large.\n",
        ),
    ] {
        let (url, asked) = scripted([Step::Early(refusal)]);
        let done = run(&IMPORT, &url, &large());
        assert_eq!(done.code, 2, "{done:?}");
        let expected = format!("Error: lines 1-256 not imported: {told}");
        assert!(done.stderr.starts_with(&expected), "{done:?}");
        assert!(
            done.stderr.contains("0 imported, 0 refused, 256 left, in "),
            "{done:?}"
        );
        assert_eq!(asked.try_iter().count(), 1);
    }
}

#[test]
fn a_large_batch_is_sent_again_when_the_limit_of_requests_allows_it() {
    for refusal in [
        page("429 Too Many Requests", "retry-after: 1\r\n"),
        problem("429 Too Many Requests", "too-many-requests", "Wait."),
    ] {
        let (url, asked) = scripted([Step::Early(refusal), Step::Answer(results())]);
        let done = run(&IMPORT, &url, &large());
        assert_eq!(done.code, 0, "{done:?}");
        assert!(
            done.stderr.starts_with("256 imported, 0 refused, in "),
            "{done:?}"
        );
        assert_eq!(asked.try_iter().count(), 2);
    }
    let (url, asked) = scripted([Step::Early(page("429 Too Many Requests", ""))]);
    let done = run(
        &["import", "-", "--connections", "1", "--retries", "0"],
        &url,
        &large(),
    );
    assert_eq!(done.code, 2, "{done:?}");
    let told = "Error: lines 1-256 not imported: the service, or a proxy before it, answers 429";
    assert!(done.stderr.starts_with(told), "{done:?}");
    assert_eq!(asked.try_iter().count(), 1);
}

#[test]
fn a_refusal_stops_the_import_of_what_follows() {
    let refusal = problem("403 Forbidden", "forbidden", "Not for you.");
    let (url, asked) = scripted([refusal]);
    let done = run(&IMPORT, &url, &"{\"name\":\"A\"}\n".repeat(1000));
    assert_eq!(done.code, 2, "{done:?}");
    let told = "Error: lines 1-256 not imported: the service answers 403 Forbidden: Not for you.\n\
                Error: line 257 and all after it were not sent\n";
    assert!(done.stderr.starts_with(told), "{done:?}");
    assert_eq!(asked.try_iter().count(), 1);
}

#[test]
fn a_redirection_is_told_with_its_target() {
    let moved = || {
        page(
            "308 Permanent Redirect",
            "location: https://users.example/\r\n",
        )
    };
    let told = "the service answers 308 Permanent Redirect to https://users.example/: give the URL \
                of the service";
    for arguments in [&IMPORT[..], &["export"]] {
        let (url, _) = scripted([moved()]);
        let done = run(arguments, &url, "{\"name\":\"A\"}\n");
        assert_eq!(done.code, 2, "{done:?}");
        let first = done.stderr.split_inclusive('\n').next().expect("a line");
        assert!(first.contains(told), "{done:?}");
    }
}

#[test]
fn an_export_that_gets_a_page_says_so() {
    let (url, asked) = scripted([page("200 OK", "")]);
    let done = run(&["export"], &url, "");
    assert_eq!((done.code, &done.stdout[..]), (2, ""), "{done:?}");
    assert!(done.stderr.contains("answers text/html"), "{done:?}");
    assert_eq!(asked.try_iter().count(), 1);
}
