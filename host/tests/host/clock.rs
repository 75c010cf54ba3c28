//! Clocks before 1970, as on machines that have just been switched on
//! and have no battery.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Application, Client, Program, edge_host};

/// Takes the place of the system's clock: before 1970 while the file FAKE_CLOCK is there.
const CLOCK: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <time.h>
    #include <unistd.h>
    int clock_gettime(clockid_t clock, struct timespec *time) {
        static int (*real)(clockid_t, struct timespec *);
        if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
        int result = real(clock, time);
        const char *file = getenv("FAKE_CLOCK");
        if (clock == CLOCK_REALTIME && file && access(file, F_OK) == 0)
            time->tv_sec = -86400;
        return result;
    }
"#;

/// The library that does so; none where it can't be made.
fn library(directory: &Path) -> Option<PathBuf> {
    let source = directory.join("clock.c");
    let library = directory.join("clock.so");
    std::fs::write(&source, CLOCK).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    let is_compiled = compiled.is_ok_and(|status| status.success());
    if !is_compiled || !cfg!(target_os = "linux") {
        println!("SKIPPED: the clock can't be set here");
        return None;
    }
    Some(library)
}

#[tokio::test]
async fn a_clock_before_1970_is_told_and_breaks_no_connection() {
    let application = Application::probe("");
    let Some(library) = library(application.directory()) else {
        return;
    };
    let switch = application.directory().join("before-1970");
    let command = || {
        let mut command = edge_host();
        command
            .args(["up", "--listen", "127.0.0.1:0"])
            .current_dir(application.directory())
            .env("LD_PRELOAD", &library)
            .env("FAKE_CLOCK", &switch);
        command
    };
    let program = Program::spawn(command());
    let mut client = Client::connect(program.address()).await;
    assert_eq!(client.get("/hello").await.text(), "hello");
    std::fs::write(&switch, "").unwrap();
    let answer = client.get("/hello").await;
    assert_eq!(answer.status, 503);
    let problem = answer.problem();
    assert!(
        problem["detail"].as_str().unwrap().contains("1970"),
        "{problem}"
    );
    assert!(!answer.headers.contains_key("date"));
    let output = command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("before 1970") && said.lines().count() == 1,
        "{said}"
    );
    std::fs::remove_file(&switch).unwrap();
    assert_eq!(client.get("/hello").await.text(), "hello");
}
