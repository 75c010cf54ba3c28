//! The description of the interface: its parts put together, without the white
//! space that is there for people, and compressed.

use std::fs;
use std::io::Write;

use anyhow::Context;
use flate2::{Compression, GzBuilder};
use serde_json::{Deserializer, Serializer};

/// As it is sent: gzip.
pub fn compressed() -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
    encoder.write_all(description()?.as_bytes())?;
    Ok(encoder.finish()?)
}

fn description() -> anyhow::Result<String> {
    let paths = [
        ("/users", "users"),
        ("/users/import", "import"),
        ("/users/export", "export"),
        ("/users/delete", "bulk-delete"),
        ("/users/{id}", "user"),
        ("/users/{id}/groups", "groups-of-user"),
        ("/groups", "groups"),
        ("/groups/import", "import-groups"),
        ("/groups/export", "export-groups"),
        ("/groups/{id}", "group"),
        ("/groups/{id}/members", "members"),
        ("/groups/{id}/members/{user}", "member"),
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
    let servers = r#"[{"url":"/","description":"Where this document is."}]"#;
    Ok(object(&[
        ("openapi", r#""3.1.0""#.to_owned()),
        ("info", part("info")?),
        ("servers", servers.to_owned()),
        ("security", r#"[{"bearerAuth":[]}]"#.to_owned()),
        ("tags", part("tags")?),
        ("paths", parts("paths", &paths)?),
        ("components", parts("components", &components)?),
    ]))
}

/// The object of these members, each of which is in the file of that name.
fn parts(directory: &str, members: &[(&'static str, &str)]) -> anyhow::Result<String> {
    let members = members.iter().map(|(member, name)| {
        let part = part(&format!("{directory}/{name}"))?;
        Ok((*member, part))
    });
    let members: Vec<_> = members.collect::<anyhow::Result<_>>()?;
    Ok(object(&members))
}

/// The JSON in a file, without white space, and with its members in their order: a
/// `Value` would sort them.
fn part(name: &str) -> anyhow::Result<String> {
    let path = format!("src/rest/openapi/{name}.json");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let mut minified = Vec::new();
    let mut source = Deserializer::from_str(&text);
    serde_transcode::transcode(&mut source, &mut Serializer::new(&mut minified))
        .and_then(|()| source.end())
        .with_context(|| format!("{path} is not JSON"))?;
    Ok(String::from_utf8(minified)?)
}

/// The object of these members, whose values are JSON.
fn object(members: &[(&str, String)]) -> String {
    let members = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
