//! Refusing to serve, to others than this machine, an application that asks nobody
//! who they are.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::bail;

use crate::application::manifest::Manifest;
use crate::application::variables;

/// What a component calls the variable that says whether callers need a token, and
/// its value when they don't.
const OPEN: (&str, &str) = ("auth", "off");

/// Whether a component lets everybody do everything. Fails if the address can be
/// reached from elsewhere and that isn't explicitly allowed.
pub fn check(
    manifest: &Manifest,
    values: &BTreeMap<String, String>,
    listen: SocketAddr,
    allow_open: bool,
) -> anyhow::Result<bool> {
    let (name, off) = OPEN;
    for (id, component) in &manifest.components {
        let variables = variables::resolve(component, values)?;
        if variables.get(name).is_none_or(|value| value != off) {
            continue;
        }
        if listen.ip().to_canonical().is_loopback() || allow_open {
            return Ok(true);
        }
        bail!(
            "component {id} has {name}={off}, so that everybody who reaches {listen} could read \
             and change everything; listen on 127.0.0.1, or leave {name} out and make a token \
             with `edge-users token new`, or insist with --allow-open"
        );
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn check(auth: &str, listen: &str, allow_open: bool) -> anyhow::Result<bool> {
        let manifest = "spin_manifest_version = 2\n[application]\nname = 'a'\n\
            [variables]\nmode = { default = 'token' }\n\
            [[trigger.http]]\nroute = '/'\ncomponent = 'c'\n\
            [component.c]\nsource = 'c.wasm'\nvariables = { auth = '{{ mode }}' }\n";
        let manifest = Manifest::parse(manifest, Path::new("spin.toml")).unwrap();
        let values = [("mode".to_owned(), auth.to_owned())].into();
        super::check(&manifest, &values, listen.parse().unwrap(), allow_open)
    }

    #[test]
    fn what_is_open_is_for_this_machine_alone_unless_somebody_insists() {
        for listen in [
            "127.0.0.1:80",
            "127.1.2.3:0",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(check("off", listen, false).unwrap(), "{listen}");
        }
        for listen in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80"] {
            let error = check("off", listen, false).unwrap_err().to_string();
            assert!(error.contains(listen), "{error}");
            assert!(error.contains("--allow-open"), "{error}");
            assert!(check("off", listen, true).unwrap());
            assert!(!check("token", listen, false).unwrap());
        }
    }
}
