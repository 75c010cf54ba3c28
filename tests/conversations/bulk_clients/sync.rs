//! `edge-users sync`: what becomes of the rows of a file, and of the users who are not in it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{Breaking, Done, run, start};
use crate::support::{Service, client_program, new_state_dir, start_host_with, variable};
use edge_host::UpOptions;
use serde_json::{Value, json};

/// Runs `edge-users sync` on a file of that name and content.
fn sync(url: &str, name: &str, content: impl AsRef<[u8]>, options: &[&str]) -> Done {
    let file = new_state_dir().join(name);
    fs::create_dir_all(file.parent().expect("a directory")).expect("it is made");
    fs::write(&file, content).expect("it is written");
    let file = file.to_str().expect("text");
    run(&[&["sync", file], options].concat(), url, "")
}

/// All users, ascending by id, without what differs from run to run.
fn users(service: &Service) -> Vec<Value> {
    let fields = "name,email,username,external_id,active,attributes";
    let export = service.get(&format!("/users/export?fields={fields}")).body;
    let lines = export
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .filter(|line: &Value| line.get("end").is_none())
        .collect()
}

fn summary(done: &Done) -> &str {
    let line = done.stderr.lines().last().expect("a summary");
    line.rsplit_once(", in ").expect("a time").0
}

/// The rows of so many people.
fn people(count: usize) -> String {
    let row = |n| format!("u{n}@example.com,Person {n},blue\n");
    let rows: String = (1..=count).map(row).collect();
    format!("email,name,attributes.team\n{rows}")
}

#[test]
fn a_spreadsheet_makes_changes_and_ends_what_differs_and_nothing_else() {
    let (host, service) = start();
    let url = &service.url;
    let boss = json!({ "name": "Boss", "username": "boss" });
    service.create(boss.clone());
    // As spreadsheets write it: a mark at the beginning, semicolons, CRLF, quotes, an empty last row.
    let file = "\u{feff}Mail;Full name;Team;Level;Pay\r\n\
        ada@example.com;\"Ada; \"\"L\"\"\";blue;1.5;9\r\n\
        bob@example.com; Bob\u{a0};;;\r\n\
        eve@example.com;\"Eve\nof two lines\";red;2;\r\n;;;;\r\n";
    let columns = "Mail=email,Full name=name,Team=attributes.team,Level=attributes.level:number";
    let options = ["--columns", columns, "--delimiter", ";"];
    let done = sync(url, "people.csv", file, &options);
    assert_eq!(done.code, 1, "{done:?}");
    // A name has no line end.
    assert!(
        done.stderr.contains("line 4: eve@example.com: 422"),
        "{done:?}"
    );
    assert_eq!(
        summary(&done),
        "2 created, 0 updated, 0 unchanged, 1 refused"
    );
    let ada = json!({
        "name": "Ada; \"L\"", "email": "ada@example.com", "active": true,
        "attributes": { "team": "blue", "level": 1.5 },
    });
    let mut found = users(&service);
    found.sort_by_key(|user| user["name"].to_string());
    assert_eq!(found[0], ada);
    assert_eq!(found[1]["name"], "Bob");

    let file = file.replace("\nof two lines", "");
    let done = sync(url, "people.csv", &file, &options);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        summary(&done),
        "1 created, 0 updated, 2 unchanged, 0 refused"
    );
    let before = host.store_operations();
    let done = sync(url, "people.csv", &file, &options);
    assert_eq!(
        summary(&done),
        "0 created, 0 updated, 3 unchanged, 0 refused"
    );
    assert_eq!(
        (host.store_operations() - before).total(),
        6,
        "it reads only"
    );

    // Bob leaves, Ada's team is removed, and Boss has no email to be found by.
    let file = "email,name,attributes.team\nADA@example.com,Ada,\neve@example.com,Eve,red\n";
    let done = sync(url, "people.csv", file, &["--delete"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        summary(&done),
        "0 created, 1 updated, 1 unchanged, 1 deleted, 0 refused"
    );
    let found = users(&service);
    let names: Vec<_> = found
        .iter()
        .map(|user| user["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(
        ["Boss", "Ada", "Eve"]
            .iter()
            .all(|name| names.contains(name)),
        "{names:?}"
    );
    let ada = found
        .iter()
        .find(|user| user["name"] == "Ada")
        .expect("she stays");
    assert_eq!(ada["attributes"], json!({ "level": 1.5 }));
}

#[test]
fn users_who_are_not_in_the_file_are_switched_off_and_on_again_when_they_are_back() {
    let (_host, service) = start();
    let url = &service.url;
    let both = "username,name\nada,Ada\nbob,Bob\n";
    let one = "username,name\nada,Ada\n";
    let options = ["--match", "username", "--deactivate"];
    let active = || {
        let active = users(&service)
            .into_iter()
            .map(|user| user["active"].clone());
        active.collect::<Vec<_>>()
    };
    for (file, summed, expected) in [
        (
            both,
            "2 created, 0 updated, 0 unchanged, 0 deactivated, 0 refused",
            json!([true, true]),
        ),
        (
            one,
            "0 created, 0 updated, 1 unchanged, 1 deactivated, 0 refused",
            json!([true, false]),
        ),
        (
            one,
            "0 created, 0 updated, 1 unchanged, 0 deactivated, 0 refused",
            json!([true, false]),
        ),
        (
            both,
            "0 created, 1 updated, 1 unchanged, 0 deactivated, 0 refused",
            json!([true, true]),
        ),
    ] {
        let options = [&options[..], &["--connections", "1"]].concat();
        let done = sync(url, "people.csv", file, &options);
        assert_eq!((done.code, summary(&done)), (0, summed), "{done:?}");
        assert_eq!(json!(active()), expected);
    }
}

#[test]
fn lines_of_json_are_synced_as_they_are_written() {
    let (_host, service) = start();
    let file = "\u{feff}{\"external_id\":\"1\",\"name\":\"Ada\",\"attributes\":{\"n\":18446744073709551615}}\n\n\
        {\"external_id\":\"2\",\"name\":\"Bob\",\"id\":77}\n{\"end\":\"complete\",\"users\":2}\n";
    let options = ["--match", "external_id", "--deactivate"];
    let done = sync(&service.url, "people.ndjson", file, &options);
    assert_eq!(done.code, 0, "{done:?}");
    let found = users(&service);
    assert_eq!(found.len(), 2);
    let ada = found
        .iter()
        .find(|user| user["name"] == "Ada")
        .expect("she is made");
    assert_eq!(ada["attributes"]["n"], json!(u64::MAX));
    let cut = file.replace("complete", "time-limit");
    let done = sync(&service.url, "people.ndjson", cut, &options);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr.contains("line 4: the export was cut off"),
        "{done:?}"
    );
}

#[test]
fn a_dry_run_prints_what_would_be_done_and_changes_nothing() {
    let (_host, service) = start();
    let url = &service.url;
    sync(url, "people.csv", people(3), &["--connections", "1"]);
    let before = users(&service);
    let file = "email,name,attributes.team\nu1@example.com,Person 1,blue\n\
        u2@example.com,Person 2,red\nnew@example.com,New,red\nbad,Bad,red\n";
    let done = sync(url, "people.csv", file, &["--dry-run", "--delete"]);
    assert_eq!(
        done.code, 2,
        "a line can't be used, so that nobody is deleted: {done:?}"
    );
    let done = sync(
        url,
        "people.csv",
        file.replace("bad,Bad,red\n", ""),
        &["--dry-run", "--delete"],
    );
    assert_eq!(done.code, 0, "{done:?}");
    let mut lines: Vec<&str> = done.stdout.lines().collect();
    lines.sort();
    let expected = [
        "delete user 3 u3@example.com",
        "line 3: update user 2 u2@example.com",
        "line 4: create new@example.com",
    ];
    assert_eq!(lines, expected);
    let summed =
        "dry run, nothing was changed: 1 created, 1 updated, 1 unchanged, 1 deleted, 0 refused";
    assert_eq!(summary(&done), summed);
    assert_eq!(users(&service), before);
}

#[test]
fn what_the_service_says_is_told_in_whole_sentences() {
    let (_host, service) = start();
    let nowhere = format!("{}/nowhere", service.url);
    let done = sync(&nowhere, "people.csv", people(1), &[]);
    assert!(
        done.stderr.contains(" at /docs. Run the command"),
        "{done:?}"
    );
    let done = run(&["export"], &nowhere, "");
    assert!(
        done.stderr.contains(" at /docs. It has 0 users, "),
        "{done:?}"
    );
}

#[test]
fn a_file_that_may_be_incomplete_ends_nobody() {
    let (_host, service) = start();
    let url = &service.url;
    assert_eq!(sync(url, "people.csv", people(30), &[]).code, 0);
    for (file, options, why) in [
        (
            people(0),
            &["--delete"][..],
            "the file has no users. If 30 users are to be deleted, give --end-at-most 30",
        ),
        (
            people(24),
            &["--delete"],
            "of 30 users, 6 are not in the file, and at most 5",
        ),
        (
            people(20),
            &["--deactivate", "--end-at-most", "30%"],
            "at most 9 may be deactivated",
        ),
        (
            people(28) + "u29@example.com,Per",
            &["--delete"],
            "1 line can't be used",
        ),
        (
            people(28) + "u29@example.com,,\n",
            &["--delete", "--keep-empty"],
            "",
        ),
    ] {
        let done = sync(url, "people.csv", &file, options);
        assert_eq!(done.code, if why.is_empty() { 0 } else { 2 }, "{done:?}");
        assert!(done.stderr.contains(why), "{done:?}");
        let left = if why.is_empty() { 29 } else { 30 };
        let found = users(&service);
        assert_eq!(found.len(), left, "{done:?}");
        assert!(found.iter().all(|user| user["active"] == true));
    }
    let done = sync(
        url,
        "people.csv",
        people(9),
        &["--delete", "--end-at-most", "20"],
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(users(&service).len(), 9);
}

#[test]
fn rows_that_cannot_be_used_are_told_and_harm_no_others() {
    let (_host, service) = start();
    let mut file = people(2).into_bytes();
    file.extend(b"U1@example.com,Again,red\nshort@example.com\n,Nobody,red\nlatin@example.com,J\xf6rg,red\n");
    let done = sync(&service.url, "people.csv", file, &[]);
    assert_eq!(done.code, 1, "{done:?}");
    for line in [
        "line 4: it has the email of line 2",
        "line 5: it has 1 cells, and the header has 3",
        "line 6: it has no email",
        "line 7: it is not UTF-8",
    ] {
        assert!(done.stderr.contains(line), "{line}: {done:?}");
    }
    assert_eq!(
        summary(&done),
        "2 created, 0 updated, 0 unchanged, 4 refused"
    );
    for (name, file, options, why) in [
        (
            "people.csv",
            "Mail;Name\n",
            &[][..],
            "is --delimiter needed?",
        ),
        (
            "people.csv",
            "mail,name\n",
            &[],
            "no column of the file is email: give --columns",
        ),
        (
            "people.csv",
            "mail\n",
            &["--columns", "Mail=email"],
            "the file has no column \"Mail\"",
        ),
        ("people.txt", "", &[], "give --format csv or ndjson"),
        (
            "people.csv",
            "\u{e000}\n",
            &["--delimiter", ";;"],
            "one character",
        ),
    ] {
        let done = sync(&service.url, name, file, options);
        assert_eq!(done.code, 2, "{done:?}");
        assert!(done.stderr.contains(why), "{why}: {done:?}");
    }
}

#[test]
fn an_email_goes_from_a_user_who_leaves_to_one_who_comes() {
    let (_host, service) = start();
    let url = &service.url;
    let options = ["--match", "external_id", "--delete"];
    let old = "external_id,name,email\n1,Ada,info@example.com\n2,Bob,bob@example.com\n";
    assert_eq!(sync(url, "people.csv", old, &options).code, 0);
    let new = "external_id,name,email\n3,Eve,info@example.com\n2,Bob,bob@example.com\n";
    let done = sync(url, "people.csv", new, &options);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        summary(&done),
        "1 created, 0 updated, 1 unchanged, 1 deleted, 0 refused"
    );
    // But not from one who stays.
    let taken = new.replace("bob@", "info@");
    let done = sync(url, "people.csv", taken, &options);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr
            .contains("line 3: 2: 409 Another user has this email."),
        "{done:?}"
    );
}

/// Five thousand people, in requests that the service ends after a second.
#[test]
fn a_sync_that_is_killed_is_finished_by_running_it_again() {
    let host = start_host_with(UpOptions {
        state_dir: Some(new_state_dir()),
        variables: vec![variable("bulk_time_limit", "1")],
        ..UpOptions::default()
    });
    let service = Service::of(&host);
    let file = new_state_dir().join("people.csv");
    fs::create_dir_all(file.parent().expect("a directory")).expect("it is made");
    fs::write(&file, people(5000)).expect("it is written");
    let file = file.to_str().expect("text");
    let mut child = Command::new(client_program())
        .args(["sync", file, "--url", &service.url])
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    while service.get("/users?limit=1").header("x-total-count") == Some("0") {
        thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let done = run(&["sync", file], &service.url, "");
    assert_eq!(done.code, 0, "{done:?}");
    let made = users(&service);
    assert_eq!(made.len(), 5000);
    let done = run(&["sync", file, "--delete"], &service.url, "");
    let summed = "0 created, 0 updated, 5000 unchanged, 0 deleted, 0 refused";
    assert_eq!((done.code, summary(&done)), (0, summed));
    assert_eq!(users(&service), made);
}

#[test]
fn a_sync_goes_on_after_broken_connections_and_refusals_for_a_while() {
    let (_host, service) = start();
    for after in [0, 200, 3000] {
        let breaking = Breaking::before(&service, 6, after);
        let done = sync(&breaking.url, "people.csv", people(1000), &["--delete"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert!(breaking.broken() > 0);
        assert_eq!(users(&service).len(), 1000);
    }
    let (url, refused) = refusing(&service, 5);
    let done = sync(&url, "people.csv", people(990), &["--delete"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(refused.load(Ordering::Relaxed), 5);
    assert_eq!(
        summary(&done),
        "0 created, 0 updated, 990 unchanged, 10 deleted, 0 refused"
    );
    assert_eq!(users(&service).len(), 990);
}

/// Passes connections on to a service, but for the first ones, which get 503.
fn refusing(service: &Service, times: usize) -> (String, Arc<AtomicUsize>) {
    let upstream = service.authority().expect("a plain URL").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let refused = Arc::new(AtomicUsize::new(0));
    let count = refused.clone();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("a connection");
            if count.load(Ordering::Relaxed) < times {
                count.fetch_add(1, Ordering::Relaxed);
                let mut some = [0; 16 * 1024];
                let read = client.read(&mut some).expect("a request");
                assert!(read > 0, "a request");
                let answer = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 0\r\n\
                    content-length: 0\r\nconnection: close\r\n\r\n";
                client.write_all(answer.as_bytes()).expect("it is sent");
                continue;
            }
            let server = TcpStream::connect(&upstream).expect("the service listens");
            let mut from = client.try_clone().expect("a second handle");
            let mut to = server.try_clone().expect("a second handle");
            thread::spawn(move || std::io::copy(&mut from, &mut to).ok());
            thread::spawn(move || std::io::copy(&mut &server, &mut &client).ok());
        }
    });
    (url, refused)
}

#[test]
fn a_user_whom_somebody_changes_meanwhile_is_not_deleted() {
    let (_host, service) = start();
    let url = service.url.clone();
    assert_eq!(
        sync(&url, "people.csv", people(2), &["--connections", "1"]).code,
        0
    );
    // The rows come by a pipe, so that the change is made after the users were read.
    let mut child = Command::new(client_program())
        .args(["sync", "-", "--format", "csv", "--delete", "--url", &url])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"email,name\n").expect("it is written");
    thread::sleep(Duration::from_millis(1000));
    let renamed = service.patch("/users/2", json!({ "name": "Renamed" }));
    assert_eq!(renamed.status, 200);
    stdin
        .write_all(b"u1@example.com,Person 1\n")
        .expect("it is written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(output.stderr).expect("text");
    assert!(
        stderr.contains("user 2 u2@example.com: not deleted"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(service.get("/users/2").json()["name"], "Renamed");
}
