//! `edge-users token new`: what it prints, and what it refuses.

use std::process::Command;

fn edge_users() -> Command {
    Command::new(env!("CARGO_BIN_EXE_edge-users"))
}

#[test]
fn bad_usage_ends_with_2() {
    for arguments in [
        &[][..],
        &["token", "new", "--scope", "read"],
        &["token", "new", "--name", "a b", "--scope", "read"],
        &["token", "new", "--name", "a;b", "--scope", "read"],
        &["token", "new", "--name", "a", "--scope", "self"],
        &[
            "token",
            "new",
            "--name",
            "a",
            "--scope",
            "read",
            "--expires",
            "soon",
        ],
        &[
            "token",
            "new",
            "--name",
            "a",
            "--scope",
            "read",
            "--expires",
            "0d",
        ],
        &[
            "token",
            "new",
            "--name",
            "a",
            "--scope",
            "read",
            "--expires",
            "9999y",
        ],
        &[
            "token",
            "new",
            "--name",
            "a",
            "--scope",
            "read",
            "--expires",
            "2026-01-01T00:00:00Z",
        ],
    ] {
        let output = edge_users().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_new_token_is_shown_once_with_the_line_for_the_service() {
    let make = |more: &[&str]| {
        let output = edge_users()
            .args(["token", "new", "--name", "ci", "--scope", "read"])
            .args(more)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(output.stderr.is_empty());
        let text = String::from_utf8(output.stdout).unwrap();
        let find = |prefix: &str| {
            let mut lines = text.lines().map(str::trim);
            lines
                .find(|line| line.starts_with(prefix))
                .unwrap()
                .to_owned()
        };
        (find("eu_"), find("ci read "))
    };
    let (secret, line) = make(&[]);
    let words: Vec<_> = line.split(' ').collect();
    assert_eq!(words.len(), 3, "{line}");
    assert!(words[2].len() == 64 && words[2].bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_ne!(secret, make(&[]).0);
    let (_, line) = make(&["--expires", "2999-01-31T00:00:00Z"]);
    assert!(line.ends_with(" 2999-01-31T00:00:00Z"), "{line}");
    let (_, line) = make(&["--expires", "90d"]);
    assert!(
        line.ends_with('Z') && line.split(' ').count() == 4,
        "{line}"
    );
}
