//! The description of the interface: its parts put together, without the white
//! space that is there for people, and compressed.

use std::fs;
use std::io::Write;

use anyhow::Context;
use flate2::{Compression, GzBuilder};

/// As it is sent: gzip.
pub fn compressed() -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(minified(&source()?).as_bytes())?;
    Ok(encoder.finish()?)
}

fn source() -> anyhow::Result<String> {
    let paths = [
        ("/users", "users"),
        ("/users/import", "import"),
        ("/users/export", "export"),
        ("/users/{id}", "user"),
        ("/", "root"),
        ("/healthz", "health"),
        ("/readyz", "readiness"),
        ("/openapi.json", "openapi"),
        ("/docs", "docs"),
        ("/problems", "problems"),
        ("/problems/{slug}", "problem"),
        ("/.well-known/api-catalog", "api-catalog"),
    ];
    let components = [
        ("securitySchemes", "security"),
        ("schemas", "schemas"),
        ("parameters", "parameters"),
        ("headers", "headers"),
        ("responses", "responses"),
        ("examples", "examples"),
    ];
    let parts = |directory: &str, members: &[(&'static str, &str)]| {
        let members = members.iter().map(|(member, name)| {
            let part = part(&format!("{directory}/{name}"))?;
            Ok((*member, part))
        });
        let members: Vec<_> = members.collect::<anyhow::Result<_>>()?;
        anyhow::Ok(object(&members))
    };
    let servers = r#"[{ "url": "/", "description": "Where this document is." }]"#;
    Ok(object(&[
        ("openapi", r#""3.1.0""#.to_owned()),
        ("info", part("info")?),
        ("servers", servers.to_owned()),
        ("security", r#"[{ "bearerAuth": [] }]"#.to_owned()),
        ("tags", part("tags")?),
        ("paths", parts("paths", &paths)?),
        ("components", parts("components", &components)?),
    ]))
}

fn part(name: &str) -> anyhow::Result<String> {
    let path = format!("src/rest/openapi/{name}.json");
    fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}

/// The object of these members, whose values are JSON.
fn object(members: &[(&str, String)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// `json` without white space outside of strings.
fn minified(json: &str) -> String {
    let mut in_string = false;
    let mut escaped = false;
    let significant = json.chars().filter(|&c| {
        if !in_string && c.is_ascii_whitespace() {
            return false;
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = c == '\\' && !escaped;
        true
    });
    significant.collect()
}
