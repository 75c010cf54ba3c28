//! Whether the application is open to everybody, and the names by which clients reach it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::bail;
use http::uri::Authority;

use crate::application::manifest::Settings;

/// Refuses an address that other machines reach if the application would let everybody do
/// everything there, unless the operator insists by `allow_open`. Returns the setting that
/// lets everybody in, such as `auth=off`, if there is one.
pub fn check(
    settings: &Settings,
    values: &BTreeMap<String, String>,
    listen: SocketAddr,
    allow_open: bool,
) -> anyhow::Result<Option<String>> {
    let mut open = settings.open.iter();
    let Some((name, value)) = open.find(|(name, value)| values.get(*name) == Some(*value)) else {
        return Ok(None);
    };
    if !listen.ip().to_canonical().is_loopback() && !allow_open {
        bail!(
            "with {name}={value} everybody who reaches {listen} could do everything; \
             listen on 127.0.0.1, or give {name} another value, or insist with --allow-open"
        );
    }
    Ok(Some(format!("{name}={value}")))
}

/// Adds these names to the variable of the names by which the application may be reached.
pub fn allow_hosts(
    settings: &Settings,
    values: &mut BTreeMap<String, String>,
    names: &[String],
) -> anyhow::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let Some(variable) = &settings.allow_host else {
        bail!(
            "--allow-host: the manifest names no variable for it, as allow_host in \
             [application.tool.edge-host]"
        );
    };
    let value = values.entry(variable.clone()).or_default();
    for name in names {
        if !value.is_empty() {
            value.push(',');
        }
        value.push_str(name);
    }
    Ok(())
}

/// The name of a host on the command line.
pub fn parse_host(argument: &str) -> anyhow::Result<String> {
    // Whoever reads the variable knows more, such as whether a port may be there.
    let is_authority = argument.parse::<Authority>().is_ok();
    if argument != "*" && (!is_authority || argument.contains(['@', ','])) {
        bail!("it must be the name of a host, such as users.example.com");
    }
    Ok(argument.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            open: [("mode".to_owned(), "off".to_owned())].into(),
            allow_host: Some("names".to_owned()),
            ..Settings::default()
        }
    }

    fn values(name: &str, value: &str) -> BTreeMap<String, String> {
        [(name.to_owned(), value.to_owned())].into()
    }

    fn check(mode: &str, listen: &str, allow_open: bool) -> anyhow::Result<Option<String>> {
        let listen = listen.parse().unwrap();
        super::check(&settings(), &values("mode", mode), listen, allow_open)
    }

    #[test]
    fn an_open_application_is_for_this_machine_alone_unless_somebody_insists() {
        for listen in [
            "127.0.0.1:80",
            "127.1.2.3:0",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            let open = check("off", listen, false).unwrap();
            assert_eq!(open.as_deref(), Some("mode=off"), "{listen}");
        }
        for listen in ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[2001:db8::1]:80"] {
            let error = check("off", listen, false).unwrap_err().to_string();
            assert!(error.contains(listen), "{error}");
            assert!(error.contains("--allow-open"), "{error}");
            assert!(check("off", listen, true).unwrap().is_some());
            assert!(check("token", listen, false).unwrap().is_none());
        }
    }

    #[test]
    fn names_of_hosts_are_added_to_those_that_are_there() {
        let names = ["b.test".to_owned(), "c.test".to_owned()];
        for (before, after) in [("", "b.test,c.test"), ("a.test", "a.test,b.test,c.test")] {
            let mut values = values("names", before);
            allow_hosts(&settings(), &mut values, &names).unwrap();
            assert_eq!(values["names"], after);
        }
        let unknown = Settings::default();
        assert!(allow_hosts(&unknown, &mut BTreeMap::new(), &names).is_err());
        assert!(allow_hosts(&unknown, &mut BTreeMap::new(), &[]).is_ok());
    }

    #[test]
    fn a_name_is_one_host() {
        for name in ["users.example.com", "192.0.2.1", "[2001:db8::1]", "*"] {
            assert!(parse_host(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a,b", "a@b", "http://a", "a/b"] {
            assert!(parse_host(name).is_err(), "{name}");
        }
    }
}
