//! The command line: its output and exit codes.

use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Application, Program, TEST_TIMEOUT, edge_host, get, probe_path, refused};

#[test]
fn bad_usage_ends_with_2() {
    for arguments in [
        &[][..],
        &["down"],
        &["up", "--nonsense"],
        &["up", "--listen", "nowhere"],
        &["up", "--variable", "novalue"],
        &["up", "--request-timeout", "soon"],
    ] {
        let output = edge_host().args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn help_names_the_flags() {
    let output = edge_host().args(["up", "--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in [
        "--from",
        "--build",
        "--listen",
        "--allow-open",
        "--allow-host",
        "--state-dir",
        "--variable",
        "--runtime-config-file",
        "--env",
        "--key-value",
        "--quiet",
        "--log-dir",
        "--max-instance-memory",
        "--max-memory",
        "--max-instance-reuse-count",
        "--idle-instance-timeout",
        "--request-timeout",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[tokio::test]
async fn it_says_what_it_serves_and_where_the_data_is() {
    let application = Application::probe("description = 'Does as told.'");
    let program = Program::start(&application, &[]);
    let directory = application.directory().canonicalize().unwrap();
    let database = directory.join(".spin/sqlite_key_value.db");
    assert_eq!(
        program.summary(),
        [
            format!("Storing default key-value data to {database:?}."),
            String::new(),
            format!("Serving http://{}", program.address()),
            "Available Routes:".to_owned(),
            format!("  probe: http://{}/ (wildcard)", program.address()),
        ]
    );
    assert_eq!(get(program.address(), "/hello").await.text(), "hello");
}

#[test]
fn a_missing_manifest_is_named() {
    let application = Application::manifest("");
    let line = refused(&application, &["--from", "elsewhere.toml"]);
    assert!(line.contains("elsewhere.toml"), "{line}");
}

#[test]
fn a_mistake_in_the_manifest_is_told_with_its_line() {
    let application = Application::manifest("[[trigger.http]]\nruote = '/'\ncomponent = 'c'\n");
    let line = refused(&application, &[]);
    assert!(line.starts_with("spin.toml:5: "), "{line}");
    assert!(line.contains("ruote"), "{line}");
}

#[test]
fn a_missing_wasm_file_is_told_with_how_to_build_it() {
    let application = Application::manifest(
        "[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n\
         [component.c]\nsource = 'c.wasm'\n[component.c.build]\ncommand = 'make c.wasm'\n",
    );
    let line = refused(&application, &[]);
    assert!(line.contains("c.wasm does not exist"), "{line}");
    assert!(line.contains("`make c.wasm`"), "{line}");
    assert!(line.contains("--build"), "{line}");
}

#[test]
fn a_file_that_is_no_wasm_is_refused() {
    let application = Application::manifest(
        "[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n[component.c]\nsource = 'spin.toml'\n",
    );
    let line = refused(&application, &[]);
    assert!(line.contains("component c: "), "{line}");
    assert!(line.contains("not a wasm file"), "{line}");
}

#[test]
fn an_unknown_store_label_is_named() {
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n\
         [component.c]\nsource = '{}'\nkey_value_stores = ['users']\n",
        probe_path()
    ));
    let line = refused(&application, &[]);
    assert!(
        line.contains("unknown key_value_stores label \"users\""),
        "{line}"
    );
}

#[test]
fn a_variable_without_a_value_is_named() {
    let application = Application::manifest(&format!(
        "[variables]\ntoken = {{ required = true }}\n\
         [[trigger.http]]\nroute = '/'\ncomponent = 'c'\n[component.c]\nsource = '{}'\n",
        probe_path()
    ));
    let line = refused(&application, &[]);
    assert!(
        line.contains("no value for the required variable token"),
        "{line}"
    );
}

#[test]
fn a_store_of_another_kind_is_told_with_what_there_is() {
    let application = Application::probe("");
    let config = application.directory().join("runtime.toml");
    std::fs::write(
        config,
        "[key_value_store.default]\ntype = 'azure_cosmos'\nkey = 'x'\n",
    )
    .unwrap();
    let line = refused(&application, &["--runtime-config-file", "runtime.toml"]);
    assert!(line.starts_with("runtime.toml:2: "), "{line}");
    assert!(line.contains("supports \"spin\" and \"redis\""), "{line}");
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let application = Application::probe("");
    let output = edge_host()
        .args(["up", "--listen", &address])
        .current_dir(application.directory())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        stderr,
        format!("Error: {address} is already in use; choose another with --listen\n")
    );
}

#[tokio::test]
async fn build_runs_the_commands_of_the_manifest_first() {
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/...'\ncomponent = 'c'\n\
         [component.c]\nsource = 'built/c.wasm'\n\
         [component.c.build]\ncommand = ['touch begun', 'cp {} c.wasm']\nworkdir = 'built'\n",
        probe_path()
    ));
    std::fs::create_dir(application.directory().join("built")).unwrap();
    let program = Program::start(&application, &["--build"]);
    assert!(application.directory().join("built/begun").exists());
    assert_eq!(get(program.address(), "/hello").await.text(), "hello");
}

#[test]
fn a_build_that_fails_is_named() {
    let application = Application::manifest(
        "[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n\
         [component.c]\nsource = 'c.wasm'\n[component.c.build]\ncommand = 'exit 3'\n",
    );
    let line = refused(&application, &["--build"]);
    assert!(line.contains("component c: `exit 3` failed"), "{line}");
}

#[tokio::test]
async fn variables_come_from_the_command_line_before_the_environment() {
    let application = Application::manifest(&format!(
        "[variables]\na = {{ default = 'default' }}\nb = {{ default = 'default' }}\n\
         c = {{ default = 'default' }}\nd = {{ default = 'default' }}\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\n[component.probe.variables]\n\
         all = '{{{{a}}}} {{{{b}}}} {{{{c}}}} {{{{d}}}}'\n",
        probe_path()
    ));
    let write = |name: &str, contents: &str| {
        std::fs::write(application.directory().join(name), contents).unwrap();
    };
    write("values.json", "{ \"a\": \"file\" }");
    write(
        "runtime.toml",
        "[[variables_provider]]\ntype = 'static'\nvalues = { b = 'config' }\n",
    );
    write(".env", "SPIN_VARIABLE_D=dotenv\n");
    let mut command: Command = edge_host();
    command
        .args([
            "up",
            "--listen",
            "127.0.0.1:0",
            "--variable",
            "@values.json",
        ])
        .args(["--runtime-config-file", "runtime.toml"])
        .envs([
            ("SPIN_VARIABLE_A", "environment"),
            ("SPIN_VARIABLE_B", "environment"),
            ("SPIN_VARIABLE_C", "environment"),
        ])
        .current_dir(application.directory());
    let program = Program::spawn(command);
    let answer = get(program.address(), "/variable/all").await;
    assert_eq!(answer.text(), "Ok(\"file config environment dotenv\")");
}

#[tokio::test]
async fn values_can_be_put_into_the_default_store() {
    let application = Application::probe("");
    let arguments = ["--key-value", "k=v=w", "--state-dir", "state"];
    let program = Program::start(&application, &arguments);
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "v=w");
    assert!(
        application
            .directory()
            .join("state/sqlite_key_value.db")
            .exists()
    );
    assert!(!application.database().exists());
}

#[tokio::test]
async fn an_empty_state_directory_keeps_the_store_in_memory() {
    let application = Application::probe("");
    let program = Program::start(&application, &["--state-dir", "", "--key-value", "k=v"]);
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "v");
    assert!(!application.database().exists());
}

#[test]
fn a_start_that_fails_leaves_the_store_as_it_was() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let application = Application::probe("");
    let output = edge_host()
        .args(["up", "--key-value", "k=v", "--listen", &address])
        .current_dir(application.directory())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let database = std::fs::read(application.database()).unwrap();
    assert!(!database.windows(8).any(|bytes| bytes == b"defaultk"));
}

#[test]
fn the_cache_can_be_disabled_as_other_switches_are() {
    for value in ["1", "true", "0", ""] {
        let application = Application::manifest("");
        let output = edge_host()
            .args(["up", "--from", "elsewhere.toml"])
            .env("DISABLE_WASMTIME_CACHE", value)
            .current_dir(application.directory())
            .output()
            .unwrap();
        // Not 2, which would be bad usage.
        assert_eq!(output.status.code(), Some(1), "{value:?}: {output:?}");
    }
}

#[test]
fn stopping_during_a_build_stops_the_build() {
    let application = Application::manifest(
        "[[trigger.http]]\nroute = '/'\ncomponent = 'c'\n[component.c]\nsource = 'c.wasm'\n\
         [component.c.build]\ncommand = 'sh -c \"echo $$ > pid; sleep 600\"; true'\n",
    );
    let mut host = edge_host()
        .args(["up", "--build"])
        .current_dir(application.directory())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + TEST_TIMEOUT;
    let wait = |what: &str, until: &mut dyn FnMut() -> bool| {
        while !until() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let signal = |name: &str, pid: &str| {
        let kill = Command::new("kill").args(["-s", name, pid]).output();
        kill.unwrap().status.success()
    };
    let mut pid = String::new();
    wait("the build begins", &mut || {
        pid = std::fs::read_to_string(application.directory().join("pid")).unwrap_or_default();
        pid.ends_with('\n')
    });
    assert!(signal("TERM", &host.id().to_string()));
    assert_eq!(host.wait().unwrap().code(), Some(0));
    wait("the build ends", &mut || !signal("0", pid.trim()));
}
