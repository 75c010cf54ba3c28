//! The commands of the README and of `docs/`, and what these say that they answer.

use std::process::Command;

use crate::support::{root, start_host};

const README: &str = include_str!("../../README.md");
const API: &str = include_str!("../../docs/api.md");
const BULK: &str = include_str!("../../docs/bulk.md");

/// The section of a document under a heading.
fn section(document: &'static str, heading: &str) -> &'static str {
    let begin = document.find(&format!("\n## {heading}\n"));
    let section = &document[begin.unwrap_or_else(|| panic!("there is no {heading}")) + 1..];
    let end = section[1..]
        .find("\n## ")
        .map_or(section.len(), |end| end + 1);
    &section[..end]
}

/// Runs a command of the README's, for a service elsewhere; `None` without curl.
fn run(command: &str, address: &str) -> Option<String> {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED: it needs curl");
        return None;
    }
    let command = command.replace("localhost:3000", address);
    let script = format!("curl() {{ command curl --silent \"$@\"; }}; {command}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(root())
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{command}: {output:?}");
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// The commands in a text, with the lines that they are said to print.
fn commands(text: &str) -> Vec<(String, Vec<String>)> {
    let mut commands: Vec<(String, Vec<String>)> = Vec::new();
    let mut goes_on = false;
    for line in text.lines().filter_map(|line| line.strip_prefix("    ")) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), Vec::new())),
            (None, Some((command, _))) if goes_on => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, printed))) => printed.push(line.to_owned()),
            (None, None) => {}
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

/// The same with everything alike that differs from run to run: times and entity tags.
fn blurred(text: &str) -> String {
    let shape = |text: &str| -> String {
        let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.chars().map(digit).collect()
    };
    let is_tag = |text: &str| {
        let inner = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        inner.is_some_and(|tag| tag.len() == 16 && tag.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let mut blurred = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if rest
            .get(..24)
            .is_some_and(|time| shape(time) == "0000-00-00T00:00:00.000Z")
        {
            blurred.push_str("TIME");
            rest = &rest[24..];
        } else if rest.get(..18).is_some_and(is_tag) {
            blurred.push_str("\"TAG\"");
            rest = &rest[18..];
        } else {
            blurred.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    blurred
}

/// Whether a line is as expected, where an ellipsis stands for anything.
fn is_like(line: &str, expected: &str) -> bool {
    let mut rest = line;
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    let mut ends_open = false;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        ends_open = part.is_empty();
    }
    ends_open || rest.is_empty()
}

/// Fails unless the expected lines are among those that were printed, in this order.
fn check(command: &str, printed: &str, expected: &[String]) {
    let printed = blurred(printed);
    let mut lines = printed.lines().map(str::trim_end);
    for expected in expected
        .iter()
        .filter(|line| !line.is_empty() && *line != "…")
    {
        let expected = blurred(expected);
        assert!(
            lines.any(|line| is_like(line, &expected)),
            "{command}\nprinted\n{printed}\nand the document says\n{expected}"
        );
    }
}

#[test]
fn the_first_conversation_is_as_it_is_told_after_the_one_command_that_spin_needs() {
    let host = start_host();
    let address = host.local_addr().to_string();
    let (_, seed) = section(README, "With Spin")
        .split_once("    curl ")
        .expect("a command for an empty directory");
    let seed = format!("curl {}", seed.lines().next().unwrap_or_default());
    let Some(printed) = run(&seed, &address) else {
        return;
    };
    assert!(printed.contains("\"end\":\"complete\""), "{printed}");
    for (document, heading, count) in [
        (README, "A first conversation", 7),
        (API, "Endpoints", 1),
        (API, "Groups", 8),
        (BULK, "Many users", 3),
    ] {
        let commands = commands(section(document, heading));
        assert_eq!(commands.len(), count, "{commands:?}");
        for (command, expected) in commands {
            let printed = run(&command, &address).unwrap_or_default();
            check(&command, &printed, &expected);
        }
    }
}

#[test]
fn a_procedure_is_called_as_it_is_told() {
    let host = start_host();
    let address = host.local_addr().to_string();
    for name in ["Alice", "Bob"] {
        let create = format!(
            "curl localhost:3000/users -H 'content-type: application/json' -d '{{\"name\":\"{name}\"}}'"
        );
        if run(&create, &address).is_none() {
            return;
        }
    }
    let commands = commands(section(README, "Procedure calls"));
    assert_eq!(commands.len(), 2, "{commands:?}");
    for (command, expected) in commands {
        let program = command.split(' ').next().unwrap_or_default();
        if Command::new(program).arg("--help").output().is_err() {
            println!("SKIPPED: it needs {program}");
            continue;
        }
        let printed = run(&command, &address).unwrap_or_default();
        check(&command, &printed, &expected);
    }
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    for (line, expected, alike) in [
        ("[{\"id\":1,\"name\":\"A\"}]", "[{\"id\":1,…}]", true),
        ("[{\"id\":2,\"name\":\"A\"}]", "[{\"id\":1,…}]", false),
        ("abc", "ab…", true),
        ("abc", "ab", false),
        ("abc", "…c", true),
        ("abcd", "…c", false),
    ] {
        assert_eq!(is_like(line, expected), alike, "{line} {expected}");
    }
    let (time, other) = ("2026-11-22T23:20:11.407Z", "2027-01-02T03:04:05.678Z");
    assert_eq!(
        blurred(&format!("a{time}b")),
        blurred(&format!("a{other}b"))
    );
    assert_ne!(blurred("2026-11-22"), blurred("2026-11-23"));
}
