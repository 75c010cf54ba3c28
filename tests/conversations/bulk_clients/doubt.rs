//! What was sent and not answered is in doubt: it is looked up where that can be, else reported. It
//! is never repeated where that could make a user twice, and never said to be not imported.

use super::run;
use super::scripted::{Asked, answer, lines, page, problem, scripted};
use std::sync::mpsc::Receiver;

const IMPORT: [&str; 4] = ["import", "-", "--connections", "1"];

/// The requests that were made, by their first lines.
fn requests(asked: Receiver<Asked>) -> Vec<String> {
    let first = |asked: Asked| asked.head.lines().next().expect("a line").to_owned();
    asked.try_iter().map(first).collect()
}

const ADA: &str = "{\"name\":\"Ada\",\"email\":\"ada@example.com\"}\n";
const BOB: &str = "{\"name\":\"Bob\"}\n";
const CLEO: &str = "{\"name\":\"Cleo\"}\n";

const FAILED_1: &str = r#"{"line":1,"status":503,"problem":{"detail":"Down."}}"#;
const TAKEN_1: &str = r#"{"line":1,"status":409,"problem":{"detail":"Taken."}}"#;
const MADE_1: &str = r#"{"line":1,"status":201,"id":1}"#;
const MADE_2: &str = r#"{"line":2,"status":201,"id":2}"#;
const MADE_3: &str = r#"{"line":3,"status":201,"id":3}"#;
const COMPLETE: &str = r#"{"end":"complete"}"#;
const FAILURES: &str = r#"{"end":"failures","next":"/users/import?line=2"}"#;

fn ada() -> String {
    let user = r#"[{"id":1,"name":"Ada","email":"ada@example.com"}]"#;
    answer("200 OK", "content-type: application/json\r\n", user)
}

#[test]
fn lines_that_were_made_are_not_made_again_when_a_look_up_fails() {
    let (url, asked) = scripted([
        lines(&[FAILED_1, FAILURES]),
        lines(&[TAKEN_1, MADE_2, MADE_3, COMPLETE]),
        page("503 Service Unavailable", ""),
        ada(),
    ]);
    let done = run(&IMPORT, &url, &[ADA, BOB, CLEO].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stderr.starts_with("3 imported, 0 refused, in "),
        "{done:?}"
    );
    assert_eq!(
        requests(asked),
        [
            "POST /users/import?line=1 HTTP/1.1",
            "POST /users/import?line=1 HTTP/1.1",
            "GET /users?email=ada%40example.com HTTP/1.1",
            "GET /users?email=ada%40example.com HTTP/1.1",
        ]
    );
}

#[test]
fn a_line_with_a_username_is_sent_again_and_looked_up_by_it() {
    let user = r#"[{"id":1,"name":"Ada","username":"ada","active":true}]"#;
    let other = r#"[{"id":1,"name":"Ada","username":"ada","active":false}]"#;
    for (user, summary) in [(user, "2 imported, "), (other, "line 1: 409 Taken.")] {
        let (url, asked) = scripted([
            lines(&[FAILED_1, FAILURES]),
            lines(&[TAKEN_1, MADE_2, COMPLETE]),
            answer("200 OK", "content-type: application/json\r\n", user),
        ]);
        let line = "{\"name\":\"Ada\",\"username\":\"ada\"}\n";
        let done = run(&IMPORT, &url, &[line, BOB].concat());
        assert!(done.stderr.starts_with(summary), "{done:?}");
        assert_eq!(requests(asked)[2], "GET /users?username=ada HTTP/1.1");
    }
}

#[test]
fn a_line_that_cannot_be_looked_up_is_reported() {
    let (url, asked) = scripted([
        lines(&[FAILED_1, FAILURES]),
        lines(&[TAKEN_1, MADE_2, MADE_3, COMPLETE]),
        problem("403 Forbidden", "forbidden", "Not for you."),
    ]);
    let done = run(&IMPORT, &url, &[ADA, BOB, CLEO].concat());
    assert_eq!(done.code, 2, "{done:?}");
    let told = "line 1 may have been imported: a user has its email, and looking the user up fails: \
                the service answers 403 Forbidden: Not for you.\n2 imported, 0 refused, 1 unsure, in ";
    assert!(done.stderr.starts_with(told), "{done:?}");
    assert_eq!(requests(asked).len(), 3);
}

#[test]
fn an_email_that_another_user_has_is_refused() {
    let other = r#"[{"id":9,"name":"Adele","email":"ada@example.com"}]"#;
    let (url, _) = scripted([
        lines(&[FAILED_1, FAILURES]),
        lines(&[TAKEN_1, MADE_2, COMPLETE]),
        answer("200 OK", "content-type: application/json\r\n", other),
    ]);
    let done = run(&IMPORT, &url, &[ADA, BOB].concat());
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr
            .starts_with("line 1: 409 Taken.\n1 imported, 1 refused, in "),
        "{done:?}"
    );
}

#[test]
fn an_email_that_nobody_has_any_more_is_sent_again() {
    let nobody = answer("200 OK", "content-type: application/json\r\n", "[]");
    let (url, asked) = scripted([
        lines(&[FAILED_1, FAILURES]),
        lines(&[TAKEN_1, MADE_2, COMPLETE]),
        nobody,
        lines(&[MADE_1, COMPLETE]),
    ]);
    let done = run(&IMPORT, &url, &[ADA, BOB].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stderr.starts_with("2 imported, "), "{done:?}");
    assert_eq!(requests(asked).len(), 4);
}

#[test]
fn an_email_that_is_given_twice_does_not_count_as_one() {
    for email in [
        r#""x@example.com","email":null"#,
        r#"null,"email":null"#,
        "7",
    ] {
        let cut_off = format!(
            "{}x",
            answer("200 OK", "", "").replace("length: 0", "length: 9")
        );
        let (url, asked) = scripted([cut_off]);
        let line = format!("{{\"name\":\"Ada\",\"email\":{email}}}\n");
        let done = run(&IMPORT, &url, &line);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(
            done.stderr.starts_with("line 1 may have been imported: "),
            "{done:?}"
        );
        assert!(
            done.stderr.contains("0 imported, 0 refused, 1 unsure, in "),
            "{done:?}"
        );
        assert_eq!(requests(asked).len(), 1);
    }
}

#[test]
fn a_line_without_a_result_is_in_doubt() {
    let (url, asked) = scripted([lines(&[MADE_1, MADE_3, COMPLETE])]);
    let done = run(&IMPORT, &url, &[BOB, BOB, CLEO].concat());
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr
            .starts_with("line 2 may have been imported: no result came"),
        "{done:?}"
    );
    assert!(
        done.stderr.contains("2 imported, 0 refused, 1 unsure, in "),
        "{done:?}"
    );
    assert_eq!(requests(asked).len(), 1);

    let (url, asked) = scripted([lines(&[MADE_1, r#"{"end":"failures"}"#])]);
    let done = run(&IMPORT, &url, &[BOB, BOB, CLEO].concat());
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr
            .starts_with("lines 2-3 may have been imported: "),
        "{done:?}"
    );
    assert_eq!(requests(asked).len(), 1);
}

#[test]
fn a_page_in_the_middle_of_the_answer_is_told_as_one() {
    let (url, asked) = scripted([lines(&[
        MADE_1,
        "<html><body>502 Bad Gateway</body></html>",
    ])]);
    let done = run(&IMPORT, &url, &[BOB, BOB, CLEO].concat());
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr
            .starts_with("lines 2-3 may have been imported: "),
        "{done:?}"
    );
    assert!(
        done.stderr
            .contains("<html><body>502 Bad Gateway</body></html>"),
        "{done:?}"
    );
    assert!(!done.stderr.contains("not imported"), "{done:?}");
    assert_eq!(requests(asked).len(), 1);
}

#[test]
fn a_page_in_place_of_the_answer_is_told_as_one() {
    let (url, asked) = scripted([page("200 OK", "")]);
    let done = run(&IMPORT, &url, &[ADA, BOB, CLEO].concat());
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.stderr.contains("lines 2-3 may have been imported: "),
        "{done:?}"
    );
    assert!(
        done.stderr
            .contains("Error: line 1 may have been imported: "),
        "{done:?}"
    );
    assert!(done.stderr.contains("answers text/html"), "{done:?}");
    assert!(!done.stderr.contains("not imported"), "{done:?}");
    assert_eq!(requests(asked)[..1], ["POST /users/import?line=1 HTTP/1.1"]);
}

#[test]
fn a_failure_that_a_proxy_tells_leaves_the_lines_in_doubt() {
    for status in [
        "408 Request Timeout",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
    ] {
        let (url, asked) = scripted([page(status, "")]);
        let done = run(&IMPORT, &url, &[BOB, CLEO].concat());
        assert_eq!(done.code, 2, "{done:?}");
        let told = format!(
            "lines 1-2 may have been imported: the service, or a proxy before it, answers {status}"
        );
        assert!(done.stderr.starts_with(&told), "{done:?}");
        assert_eq!(requests(asked).len(), 1);
    }
}

#[test]
fn what_the_service_says_that_it_did_not_do_is_sent_again() {
    let limited = r#"{"end":"rate-limit","retry_after":1,"next":"/users/import?line=2"}"#;
    let (url, asked) = scripted([
        problem("503 Service Unavailable", "store-unavailable", "Down."),
        lines(&[MADE_1, limited]),
        lines(&[
            r#"{"line":2,"status":429,"problem":{"detail":"Too many."}}"#,
            MADE_3,
            COMPLETE,
        ]),
        lines(&[MADE_2, COMPLETE]),
    ]);
    let begun = std::time::Instant::now();
    let done = run(&IMPORT, &url, &[BOB, BOB, CLEO].concat());
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stderr.starts_with("3 imported, 0 refused, in "),
        "{done:?}"
    );
    assert!(begun.elapsed() >= std::time::Duration::from_secs(1));
    let bodies: Vec<_> = asked.try_iter().map(|asked| asked.body).collect();
    let all = [BOB, BOB, CLEO].concat();
    assert_eq!(
        bodies,
        [&all[..], &all, &all[BOB.len()..], "{\"name\":\"Bob\"}\n\n"]
    );
}

#[test]
fn a_refusal_does_not_settle_what_was_in_doubt_before() {
    let refusal = || problem("403 Forbidden", "forbidden", "Not for you.");
    // One look-up is tried in the end.
    for (last, expected) in [
        (refusal(), "Error: line 1 may have been imported: "),
        (ada(), "Error: line 3 not imported: "),
    ] {
        let steps = [
            lines(&[
                FAILED_1,
                MADE_2,
                r#"{"end":"failures","next":"/users/import?line=3"}"#,
            ]),
            refusal(),
            last,
        ];
        let (url, asked) = scripted(steps);
        let done = run(&IMPORT, &url, &[ADA, BOB, CLEO].concat());
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.starts_with(expected), "{done:?}");
        assert!(
            done.stderr.contains("Error: line 3 not imported: "),
            "{done:?}"
        );
        assert!(!done.stderr.contains("line 1 not"), "{done:?}");
        assert_eq!(requests(asked).len(), 3);
    }
}
