//! The host that a request is sent to, by the name that its client knows (RFC 9110, section 7.2).
//!
//! The owner of a name can point it at an address inside a network. A page of that name then reads
//! answers of a service there, as the browser takes both for one origin (DNS rebinding). Such a
//! request has the owner's name as its host.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::HOST;

/// Names of hosts, without ports; `*` is all of them.
#[derive(Debug, Default, PartialEq)]
pub struct HostNames(Vec<String>);

impl HostNames {
    /// Reads names. Fails with the rule that one of them breaks.
    pub fn read(names: &[&str]) -> Result<HostNames, &'static str> {
        let mut read = Vec::new();
        for name in names {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
            let is_address = name.parse::<IpAddr>().is_ok();
            let has_port = !is_address && without_port(name).len() < name.len();
            if *name != "*" && (!name.bytes().all(plain) || has_port) {
                return Err("must list names of hosts without ports, separated by commas, or be *");
            }
            read.push(bare(name).to_owned());
        }
        Ok(HostNames(read))
    }

    /// Whether a request with these headers was sent to one of these names, to this machine by
    /// its own name, or to the service by another component of the application. A request that
    /// names no host comes from no browser.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        let Some(host) = headers.get(HOST) else {
            return true;
        };
        let Ok(host) = host.to_str() else {
            return false;
        };
        let host = bare(without_port(host));
        host.eq_ignore_ascii_case("localhost")
            || is_loopback(host)
            || ends_with_ignore_ascii_case(host, ".spin.internal")
            || self
                .0
                .iter()
                .any(|name| host.eq_ignore_ascii_case(name) || name == "*")
    }
}

/// The host of an authority (RFC 3986, section 3.2). An IPv6 address keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// Without the dot of the root and the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    address.unwrap_or(host)
}

fn ends_with_ignore_ascii_case(host: &str, end: &str) -> bool {
    let begin = host.len().checked_sub(end.len());
    let last = begin.and_then(|begin| host.get(begin..));
    last.is_some_and(|last| last.eq_ignore_ascii_case(end))
}

fn is_loopback(host: &str) -> bool {
    let address: Result<IpAddr, _> = host.parse();
    address.is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(allowed: &str, host: &str) -> bool {
        let allowed: Vec<_> = allowed.split_whitespace().collect();
        let names = HostNames::read(&allowed).expect("names");
        names.admit(&[(HOST, host.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn this_machine_and_the_application_reach_the_service_by_their_own_names() {
        for host in [
            "localhost",
            "LocalHost:3000",
            "localhost.:3000",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]:3000",
            "[::ffff:127.0.0.1]",
            "edge-users.spin.internal",
        ] {
            assert!(admits("", host), "{host}");
        }
        assert!(HostNames::default().admit(&HeaderMap::new()));
        for host in [
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "spin.internal.evil.example",
            "user@localhost",
            "localhost:3000:evil",
            "128.0.0.1",
            "[::2]",
            "",
            " ",
        ] {
            assert!(!admits("", host), "{host}");
        }
    }

    #[test]
    fn other_names_are_those_that_the_operator_allows() {
        let allowed = "users.example 192.0.2.1 2001:db8::1";
        for host in [
            "Users.Example",
            "users.example.:8443",
            "192.0.2.1:80",
            "[2001:DB8::1]:80",
        ] {
            assert!(admits(allowed, host), "{host}");
        }
        assert!(!admits(allowed, "other.users.example"));
        assert!(admits("*", "evil.example"));
        for text in [
            "users.example:80",
            "https://users.example",
            "a/b",
            "*.example",
            "[::1]:80",
        ] {
            assert!(HostNames::read(&[text]).is_err(), "{text}");
        }
    }
}
