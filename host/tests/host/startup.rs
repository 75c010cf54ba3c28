//! The host's checks before it serves.

use std::process::Command;

use crate::support::{Application, Program, edge_host, get, probe_path, refused};

/// The probe with a variable `mode`, by which it lets everybody in, a list of names, and a
/// check that answers as told.
fn application(mode: &str, check: &str) -> Application {
    Application::manifest(&format!(
        "[application.tool.edge-host]\nopen = {{ mode = 'off' }}\nallow_host = 'names'\n\
         readiness = ['/hello', '/check']\n\
         [variables]\nmode = {{ default = '{mode}' }}\nnames = {{ default = 'a.test' }}\n\
         [[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [[trigger.http]]\nroute = '/check'\nstatic_response = {{ {check} }}\n\
         [component.probe]\nsource = '{}'\n\
         variables = {{ mode = '{{{{ mode }}}}', names = '{{{{ names }}}}' }}\n",
        probe_path()
    ))
}

/// A response of the status 503 with a problem document of that type.
fn problem(kind: &str) -> String {
    format!(
        "status_code = 503, headers = {{ content-type = 'application/problem+json' }}, \
         body = '{{\"type\":\"{kind}\",\"detail\":\"The variable rate must be a number.\"}}'"
    )
}

#[tokio::test]
async fn an_open_application_is_served_to_this_machine_and_says_so() {
    let application = application("off", "body = 'ok'");
    let program = Program::start(&application, &[]);
    let summary = program.summary();
    let said = |line: &String| {
        line.starts_with("Everybody who reaches the address below") && line.ends_with("mode=off.")
    };
    assert!(summary.iter().any(said), "{summary:?}");
    assert_eq!(get(program.address(), "/hello").await.text(), "hello");
}

#[tokio::test]
async fn an_open_application_is_not_served_to_other_machines_unless_somebody_insists() {
    let open = application("off", "body = 'ok'");
    let line = refused(&open, &["--listen", "0.0.0.0:0"]);
    assert!(line.contains("mode=off"), "{line}");
    assert!(line.contains("--allow-open"), "{line}");
    let closed = application("token", "body = 'ok'");
    for (application, arguments) in [
        (&open, &["--listen", "0.0.0.0:0", "--allow-open"][..]),
        (&closed, &["--listen", "0.0.0.0:0"]),
    ] {
        let mut command: Command = edge_host();
        command
            .arg("up")
            .args(arguments)
            .current_dir(application.directory());
        let program = Program::spawn(command);
        let address = ([127, 0, 0, 1], program.address().port()).into();
        assert_eq!(get(address, "/hello").await.text(), "hello");
    }
}

#[tokio::test]
async fn names_of_hosts_reach_the_variable_that_the_manifest_names() {
    let application = application("off", "body = 'ok'");
    let arguments = ["--allow-host", "b.test", "--allow-host", "c.test"];
    let program = Program::start(&application, &arguments);
    let names = get(program.address(), "/variable/names").await;
    assert_eq!(names.text(), "Ok(\"a.test,b.test,c.test\")");
    let without = Application::probe("");
    let line = refused(&without, &["--allow-host", "b.test"]);
    assert!(line.starts_with("--allow-host: "), "{line}");
}

#[test]
fn a_variable_that_the_manifest_does_not_declare_is_refused() {
    let application = application("off", "body = 'ok'");
    let line = refused(&application, &["--variable", "moed=off"]);
    assert!(line.contains("\"moed\"; did you mean mode?"), "{line}");
    std::fs::write(
        application.directory().join("values.toml"),
        "mode = 'off'\nmodes = 'on'\n",
    )
    .unwrap();
    let line = refused(&application, &["--variable", "@values.toml"]);
    assert!(line.contains("\"modes\""), "{line}");
}

#[test]
fn an_application_that_cannot_read_its_configuration_is_not_served() {
    let application = application("off", &problem("/problems/misconfigured"));
    let line = refused(&application, &[]);
    assert!(
        line.ends_with("configuration: The variable rate must be a number."),
        "{line}"
    );
}

#[tokio::test]
async fn an_application_that_is_not_ready_yet_is_served() {
    for check in [
        problem("/problems/store-unavailable"),
        problem("about:blank"),
        "status_code = 503, body = 'misconfigured'".to_owned(),
        "status_code = 404".to_owned(),
    ] {
        let application = application("off", &check);
        let program = Program::start(&application, &[]);
        assert_eq!(get(program.address(), "/hello").await.text(), "hello");
    }
}

#[test]
fn settings_of_this_host_are_checked_and_those_of_other_tools_are_not() {
    let with = |settings: &str| {
        Application::manifest(&format!(
            "{settings}\n[variables]\nmode = {{ default = '' }}\n\
             [[trigger.http]]\nroute = '/'\nstatic_response = {{ body = 'ok' }}\n"
        ))
    };
    for (settings, message) in [
        (
            "[application.tool.edge-host]\nopne = { mode = 'off' }",
            "opne",
        ),
        (
            "[application.tool.edge-host]\nopen = { moed = 'off' }",
            "\"moed\"",
        ),
        (
            "[application.tool.edge-host]\nallow_host = 'names'",
            "\"names\"",
        ),
        (
            "[application.tool.edge-host]\nreadiness = ['readyz']",
            "\"readyz\"",
        ),
    ] {
        let line = refused(&with(settings), &[]);
        assert!(line.starts_with("spin.toml:5: "), "{line}");
        assert!(line.contains(message), "{line}");
    }
    let other = with("[application.tool.other]\nanything = [1, 2]");
    Program::start(&other, &[]);
}
