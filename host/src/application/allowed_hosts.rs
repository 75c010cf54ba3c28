//! Where a component may send requests: `allowed_outbound_hosts`, as Spin reads it.
//!
//! `SCHEME://HOST[:PORT]`, where `*` stands for any of each, `*.` at the beginning of
//! a host for its subdomains, and a port may be a range, `8000..9000`. Without a port it is
//! the port of the scheme. Hosts that aren't named are not allowed. Another component of the
//! application is a host like others: `http://ID.spin.internal`, or `http://*.spin.internal`.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context as _, bail};
use http::Uri;

use crate::application::internal_host;
use crate::application::template::Template;

/// The hosts that a component may send requests to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<AllowedHost>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedHost {
    /// Any if none.
    scheme: Option<String>,
    host: HostPattern,
    /// Any if none.
    ports: Option<Range<u32>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// All hosts that end with this, which begins with a dot.
    SubdomainOf(String),
    Is(String),
}

impl AllowedHosts {
    /// The allowed hosts of a manifest, with its variables' values filled in. One that is empty
    /// then allows nothing.
    pub fn resolve(
        templates: &[Template],
        values: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let mut hosts = Vec::new();
        for template in templates {
            let text = template.render(|variable| {
                values
                    .get(variable)
                    .map(String::as_str)
                    .with_context(|| format!("unknown variable {variable:?}"))
            })?;
            if !matches!(text.as_str(), "" | "http://" | "https://") {
                let host = AllowedHost::parse(&text)
                    .with_context(|| format!("allowed_outbound_hosts: {text:?}"))?;
                hosts.push(host);
            }
        }
        Ok(Self(hosts))
    }

    /// Whether any component of the application may be among them.
    pub fn have_components(&self) -> bool {
        self.0.iter().any(|allowed| match &allowed.host {
            HostPattern::Is(host) => internal_host::component(host).is_some(),
            pattern => pattern.allows("any.spin.internal"),
        })
    }

    /// Whether a request may go there.
    pub fn allow(&self, url: &Uri) -> bool {
        self.0.iter().any(|host| host.allows(url))
    }
}

/// Why the text isn't an allowed host, if it isn't.
pub fn check(text: &str) -> anyhow::Result<()> {
    AllowedHost::parse(text).map(drop)
}

impl AllowedHost {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let Some((scheme, rest)) = text.trim().split_once("://") else {
            bail!("it must be in the form SCHEME://HOST[:PORT], such as https://example.com");
        };
        let (host, port) = match rest.rsplit_once(':') {
            // The colons of an IPv6 address are in brackets.
            Some((host, port)) if !port.ends_with(']') => (host, port.trim_end_matches('/')),
            _ => (rest.trim_end_matches('/'), ""),
        };
        let scheme = match scheme {
            "*" => None,
            name if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Some(name.to_ascii_lowercase())
            }
            _ => bail!("its scheme must be letters, or *"),
        };
        let ports = match (port, scheme.as_deref()) {
            ("*", _) => None,
            ("", Some("http")) => Some(80..81),
            ("", Some("https")) => Some(443..444),
            ("", _) => bail!("it needs a port, or *"),
            (port, _) => Some(ports(port).context("its port must be a number, a range, or *")?),
        };
        Ok(Self {
            scheme,
            host: HostPattern::parse(host)?,
            ports,
        })
    }

    fn allows(&self, url: &Uri) -> bool {
        let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
            return false;
        };
        let port = url.port_u16().or(match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        let ports = |ports: &Range<u32>| port.is_some_and(|port| ports.contains(&port.into()));
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
            && self.host.allows(&host.to_ascii_lowercase())
            && self.ports.as_ref().is_none_or(ports)
    }
}

/// One port, or a range of ports, to which its last one does not belong.
fn ports(text: &str) -> Option<Range<u32>> {
    let number = |text: &str| text.parse::<u16>().ok().map(u32::from);
    match text.split_once("..") {
        Some((first, last)) => Some(number(first)?..number(last)?),
        None => number(text).map(|port| port..port + 1),
    }
}

impl HostPattern {
    fn parse(host: &str) -> anyhow::Result<Self> {
        let host = host.to_ascii_lowercase();
        if host == "*" {
            return Ok(Self::Any);
        }
        if host == "self" || host == "self.alt" {
            bail!("this host has no {host}; name the component, as in http://ID.spin.internal");
        }
        if host.contains('/') {
            bail!("it has a path, or is a network, neither of which this host supports");
        }
        let (domain, pattern): (&str, fn(String) -> Self) = match host.strip_prefix("*.") {
            Some(domain) => (domain, |domain| Self::SubdomainOf(format!(".{domain}"))),
            None => (&host, Self::Is),
        };
        if domain.contains('*') {
            bail!("a * is for a whole host, or for the subdomains of one");
        }
        // No request could ever be for a host that no URL can have.
        let url = format!("http://{domain}").parse::<Uri>();
        if !url.is_ok_and(|url| url.host() == Some(domain) && url.authority().is_some()) {
            bail!("its host isn't one");
        }
        Ok(pattern(domain.to_owned()))
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::SubdomainOf(domain) => host.ends_with(domain),
            Self::Is(literal) => host == literal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(texts: &[&str], url: &str) -> bool {
        let templates: Vec<_> = texts
            .iter()
            .map(|text| Template::parse(text).unwrap())
            .collect();
        let values = [("host", "db.test"), ("none", "")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
        AllowedHosts::resolve(&templates, &values.into())
            .unwrap()
            .allow(&url.parse().unwrap())
    }

    #[test]
    fn what_is_named_is_allowed_and_nothing_else() {
        for (text, url, allowed) in [
            ("https://a.test", "https://a.test/keys?x=1", true),
            ("https://a.test", "https://A.test:443/", true),
            ("https://a.test/", "https://a.test/", true),
            ("https://a.test", "http://a.test/", false),
            ("https://a.test", "https://a.test:8443/", false),
            ("https://a.test", "https://b.a.test/", false),
            ("https://a.test", "https://a.test.evil.test/", false),
            ("https://a.test", "https://a.test@evil.test/", false),
            ("https://a.test:8443", "https://a.test:8443/", true),
            ("http://a.test:8000..8002", "http://a.test:8001/", true),
            ("http://a.test:8000..8002", "http://a.test:8002/", false),
            ("http://a.test:*", "http://a.test:1/", true),
            ("https://*.a.test", "https://b.c.a.test/", true),
            ("https://*.a.test", "https://a.test/", false),
            ("https://*.a.test", "https://ba.test/", false),
            ("https://*", "https://anything.test/", true),
            ("https://*", "https://anything.test:8443/", false),
            ("*://*:*", "http://127.0.0.1:1/", true),
            ("*://a.test:80", "http://a.test/", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/", true),
            ("http://[::1]:3000", "http://[::1]:3000/", true),
            ("http://[::1]", "http://[::1]/", true),
            ("http://[::1]", "/relative", false),
            ("http://b.spin.internal", "http://b.spin.internal/", true),
            ("http://b.spin.internal", "https://b.spin.internal/", false),
            ("http://b.spin.internal", "http://c.spin.internal/", false),
            ("http://*.spin.internal", "http://c.spin.internal/", true),
            ("*://*:*", "http://c.spin.internal/", true),
            ("http://{{ host }}", "http://db.test/", true),
            ("{{ none }}", "http://db.test/", false),
            ("https://{{ none }}", "https://db.test/", false),
        ] {
            assert_eq!(allow(&[text], url), allowed, "{text} {url}");
        }
        assert!(!allow(&[], "https://a.test/"));
        assert!(allow(
            &["https://b.test", "https://a.test"],
            "https://a.test/"
        ));
    }

    #[test]
    fn components_are_among_the_hosts_that_have_such_names() {
        for (text, have) in [
            ("http://users.spin.internal", true),
            ("https://*.spin.internal", true),
            ("http://*.internal", true),
            ("*://*:*", true),
            ("https://*.test", false),
            ("https://spin.internal", false),
        ] {
            let hosts = AllowedHosts(vec![AllowedHost::parse(text).unwrap()]);
            assert_eq!(hosts.have_components(), have, "{text}");
        }
    }

    #[test]
    fn what_spin_would_refuse_or_this_host_lacks_is_refused() {
        for text in [
            "*",
            "a.test",
            "a.test:80",
            "://a.test",
            "ht-tp://a.test",
            "redis://a.test",
            "*://a.test",
            "https://",
            "https://a.test/path",
            "https://a.test:80/path",
            "https://a.test:port",
            "https://a.test:70000",
            "https://a.*.test",
            "https://*a.test",
            "https://*.*",
            "https://user@a.test",
            "https://a b",
            "http://10.0.0.0/8",
            "http://self",
            "https://self.alt",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
