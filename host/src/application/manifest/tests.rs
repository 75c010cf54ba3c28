use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = 'a'\n";

fn parse(rest: &str) -> anyhow::Result<Manifest> {
    Manifest::parse(&format!("{HEAD}{rest}"), Path::new("spin.toml"))
}

fn error(rest: &str) -> String {
    parse(rest).unwrap_err().to_string()
}

#[test]
fn everything_that_spin_reads_and_this_host_needs_not_is_tolerated() {
    let manifest = parse(
        "version = '1.0.0'\ndescription = 'd'\nauthors = ['a <a@example.com>']\n\
         [application.trigger.http]\nbase = '/'\n\
         [variables]\nv = { default = 'x', description = 'd', secret = true }\n\
         [[trigger.http]]\nid = 't'\nroute = '/...'\ncomponent = 'c'\nexecutor = { type = 'http' }\n\
         [component.c]\nsource = 'c.wasm'\ndescription = 'd'\nfiles = []\nai_models = []\n\
         allowed_outbound_hosts = ['https://*']\nkey_value_stores = ['default']\n\
         environment = { A = 'b' }\nvariables = { v = '{{ v }}' }\n\
         [component.c.build]\ncommand = 'make'\nworkdir = 'w'\nwatch = ['src']\n\
         [component.c.tool.x]\ny = 1\n",
    )
    .unwrap();
    assert_eq!(manifest.name, "a");
    assert_eq!(manifest.version, "1.0.0");
    let component = &manifest.components["c"];
    assert_eq!(component.key_value_stores, ["default"]);
    assert_eq!(component.build.as_ref().unwrap().commands, ["make"]);
    assert_eq!(manifest.triggers[0].route.as_deref(), Some("/..."));
}

#[test]
fn errors_name_the_line() {
    for (rest, line, text) in [
        (
            "[[trigger.http]]\nroute = 1\ncomponent = 'c'\n[component.c]\nsource = 'c'\n",
            5,
            "a route is",
        ),
        (
            "[[trigger.http]]\nroute = '/'\ncomponent = 'd'\n",
            6,
            "no component \"d\"",
        ),
        (
            "[[trigger.http]]\nroute = '/*b'\ncomponent = 'c'\n[component.c]\nsource = 'c'\n",
            5,
            "can't be parsed",
        ),
        (
            "[[trigger.http]]\nroute = '/'\n",
            4,
            "either `component` or `static_response`",
        ),
        (
            "[trigger]\n[component.c]\nsource = 'c'\nsqlite_databases = ['x']\n",
            7,
            "sqlite_databases",
        ),
        (
            "[trigger]\n[component.c]\nsource = { url = 'x', digest = 'y' }\n",
            6,
            "local file",
        ),
        ("[trigger]\n[component.c]\nsorce = 'c'\n", 6, "sorce"),
        (
            "[trigger]\n[variables]\nA = { default = 'x' }\n",
            6,
            "invalid variable name",
        ),
        (
            "[trigger]\n[variables]\na = { required = true, default = 'x' }\n",
            6,
            "one of them",
        ),
        ("[trigger]\n[variables]\na = {}\n", 6, "one of them"),
        (
            "[trigger]\n[component.c]\nsource = 'c'\nvariables = { v = '{{ w }}' }\n",
            7,
            "unknown variable \"w\"",
        ),
        (
            "[trigger]\n[component.c]\nsource = 'c'\nvariables = { v = '{{ w' }\n",
            7,
            "unmatched",
        ),
        ("[[trigger.redis]]\nchannel = 'x'\n", 4, "redis"),
        ("[trigger\n", 4, ""),
    ] {
        let error = error(rest);
        assert!(error.starts_with(&format!("spin.toml:{line}: ")), "{error}");
        assert!(error.contains(text), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn other_versions_are_refused() {
    for version in ["spin_manifest_version = 1", "spin_manifest_version = '1'"] {
        let error = Manifest::parse(version, Path::new("spin.toml")).unwrap_err();
        assert!(
            error.to_string().contains("spin_manifest_version = 2"),
            "{error}"
        );
    }
}

#[test]
fn a_private_route_is_no_route() {
    let manifest = parse(
        "[[trigger.http]]\nroute = { private = true }\ncomponent = 'c'\n\
         [component.c]\nsource = 'c.wasm'\n",
    )
    .unwrap();
    assert_eq!(manifest.triggers[0].route, None);
}
