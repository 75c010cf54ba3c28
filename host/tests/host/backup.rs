//! `edge-host backup` and `edge-host restore`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{Application, Client, Program, edge_host, request};

/// Runs a command on the application's database; its output, or the line it fails with.
fn run(application: &Application, arguments: &[&str]) -> Result<String, String> {
    let output = edge_host()
        .args(arguments)
        .current_dir(application.directory())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

fn stop(mut program: Program) {
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
}

async fn set(client: &mut Client, key: &str, value: &str) {
    let path = format!("/stores/default/set/{key}");
    assert_eq!(
        client.send(request("PUT", &path, value)).await.text(),
        "Ok(())"
    );
}

async fn value(client: &mut Client, key: &str) -> String {
    let path = format!("/stores/default/get/{key}");
    client.get(&path).await.text().to_owned()
}

/// The files beside the database, apart from its log.
fn files(application: &Application) -> Vec<PathBuf> {
    let directory = fs::read_dir(application.database().parent().unwrap()).unwrap();
    let mut files: Vec<_> = directory.map(|file| file.unwrap().path()).collect();
    files.retain(|file| !file.to_str().unwrap().ends_with("-wal"));
    files.retain(|file| !file.to_str().unwrap().ends_with("-shm"));
    files.sort();
    files
}

#[tokio::test]
async fn a_backup_under_load_has_all_that_was_answered_before_and_nothing_by_half() {
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let address = program.address();
    let answered: Arc<[AtomicU32; 4]> = Arc::default();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let answered = answered.clone();
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                for number in 0.. {
                    set(&mut client, &format!("{writer}-{number}"), "x").await;
                    answered[writer].store(number + 1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut backups = Vec::new();
    for name in ["first", "second", "third"] {
        let before = answered
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed));
        let goal = before.map(|count| count + 20);
        let grown =
            || (0..4).all(|writer| answered[writer].load(Ordering::Relaxed) >= goal[writer]);
        while !grown() {
            tokio::task::yield_now().await;
        }
        let output = run(&application, &["backup", name]).unwrap();
        assert!(output.starts_with("Backed up "), "{output}");
        backups.push((name, goal));
    }
    writers.iter().for_each(|writer| writer.abort());
    stop(program);

    for (name, answered) in backups {
        let backup = application.directory().join(name);
        let other = Application::probe("");
        run(&other, &["restore", backup.to_str().unwrap()]).unwrap();
        let program = Program::start(&other, &[]);
        let mut client = Client::connect(program.address()).await;
        for (writer, answered) in answered.into_iter().enumerate() {
            let mut there = 0;
            while value(&mut client, &format!("{writer}-{there}")).await == "x" {
                there += 1;
            }
            assert!(there >= answered, "{name}: {there} of {answered}");
            // Each writer waited for its answers, so there is no later one either.
            for later in there..there + 50 {
                let key = format!("{writer}-{later}");
                assert_ne!(value(&mut client, &key).await, "x", "{name}: {key}");
            }
        }
        stop(program);
    }
}

#[tokio::test]
async fn a_restore_waits_for_the_host_to_stop_and_keeps_the_former_database() {
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    set(&mut client, "a", "before").await;
    run(&application, &["backup", "copy"]).unwrap();
    set(&mut client, "a", "after").await;

    let error = run(&application, &["restore", "copy"]).unwrap_err();
    assert!(error.contains("is in use: stop the host"), "{error}");
    assert_eq!(value(&mut client, "a").await, "after");
    set(&mut client, "b", "later").await;
    assert_eq!(files(&application), [application.database()]);
    stop(program);

    // Also after a host that was killed, whose last writes are in its log.
    let mut program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    set(&mut client, "c", "last").await;
    program.signal("KILL");
    program.wait();
    let output = run(&application, &["restore", "copy"]).unwrap();
    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    assert_eq!(value(&mut client, "a").await, "before");
    assert_ne!(value(&mut client, "c").await, "last");
    stop(program);

    let [database, former] = &files(&application)[..] else {
        panic!("{:?}", files(&application));
    };
    assert!(
        output.contains(former.file_name().unwrap().to_str().unwrap()),
        "{output}"
    );
    let other = Application::probe("");
    let former = ["restore", former.to_str().unwrap()];
    run(&other, &former).unwrap();
    assert_eq!(database, &application.database());
    let program = Program::start(&other, &[]);
    let mut client = Client::connect(program.address()).await;
    for (key, expected) in [("a", "after"), ("b", "later"), ("c", "last")] {
        assert_eq!(value(&mut client, key).await, expected);
    }
    stop(program);
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    for number in 0..200 {
        set(&mut client, &format!("key-{number}"), &"x".repeat(100)).await;
    }
    stop(program);
    run(&application, &["backup", "good"]).unwrap();
    let path = |name: &str| application.directory().join(name);
    let good = fs::read(path("good")).unwrap();
    fs::write(path("text"), "users").unwrap();
    fs::write(path("short"), &good[..good.len() / 2]).unwrap();
    let mut spoiled = good.clone();
    let middle = good.len() / 2;
    spoiled[middle..middle + 4096].fill(0xaa);
    fs::write(path("spoiled"), &spoiled).unwrap();
    fs::write(path("empty"), "").unwrap();
    let database = fs::read(application.database()).unwrap();

    for (arguments, expected) in [
        (&["restore", "nothing"][..], "there is no file nothing"),
        (&["restore", "text"], "not a database"),
        (&["restore", "short"], "malformed"),
        (&["restore", "spoiled"], "malformed"),
        (&["restore", "empty"], "no such table"),
        (
            &["backup", "good"],
            "good exists: give the backup another name",
        ),
        (
            &["backup", "new", "--database", "nothing"],
            "there is no file nothing",
        ),
        (&["backup", "new", "--database", "text"], "not a database"),
        (&["backup", "nowhere/new"], "cannot write nowhere/new"),
    ] {
        let error = run(&application, arguments).unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(
            files(&application),
            [application.database()],
            "{arguments:?}"
        );
        assert!(!Path::new(&path("new")).exists(), "{arguments:?}");
    }
    assert_eq!(fs::read(application.database()).unwrap(), database);
    assert_eq!(fs::read(path("good")).unwrap(), good);
}

#[cfg(unix)]
#[tokio::test]
async fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    run(&application, &["backup", "copy"]).unwrap();
    stop(program);
    let metadata = fs::metadata(application.directory().join("copy")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}
