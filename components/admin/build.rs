//! Puts the files of the page into the component, compressed.
//!
//! All files but the page itself are under one path that has the hash of them all. So a browser may
//! keep them for good, and modules import each other by their plain names.

#[path = "../build.rs"]
mod link;

use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

/// The page. What else is in its folder it needs.
const PAGE: &str = "index.html";

fn main() {
    link::main();
    println!("cargo::rerun-if-changed=page");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("Cargo sets it"));
    let mut files: Vec<(String, String)> = fs::read_dir("page")
        .expect("the folder page")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str());
            let text = fs::read_to_string(&path).expect("a text in UTF-8");
            (name.expect("a name in UTF-8").to_owned(), text)
        })
        .collect();
    files.sort();

    // Not for secrecy: another text has another path.
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    let folder = format!("/admin/files/{:016x}", hasher.finish());

    let modules = files.iter().filter(|(name, _)| name.ends_with(".js"));
    let modules = modules.fold(String::new(), |mut links, (name, _)| {
        writeln!(
            links,
            "<link rel=\"modulepreload\" href=\"{folder}/{name}\">"
        )
        .expect("a string takes it");
        links
    });
    let mut list = String::from("&[\n");
    for (name, text) in &files {
        let (path, text) = if name == PAGE {
            let text = text.replace("<!-- modules -->\n", &modules);
            let version = std::env::var("CARGO_PKG_VERSION").expect("Cargo sets it");
            let text = text
                .replace("{folder}", &folder)
                .replace("{version}", &version);
            (String::new(), text)
        } else {
            (format!("{folder}/{name}"), text.clone())
        };
        let media_type = match Path::new(name).extension().and_then(|end| end.to_str()) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => panic!("page/{name} has no known media type"),
        };
        let compressed = out.join(format!("{name}.gz"));
        let mut encoder = GzBuilder::new().write(Vec::new(), Compression::best());
        let bytes = encoder
            .write_all(text.as_bytes())
            .and_then(|()| encoder.finish());
        fs::write(&compressed, bytes.expect("memory takes it")).expect("OUT_DIR can be written");
        writeln!(
            list,
            "File {{ path: {path:?}, media_type: {media_type:?}, compressed: include_bytes!({compressed:?}) }},"
        )
        .expect("a string takes it");
    }
    list.push(']');
    fs::write(out.join("files.rs"), list).expect("OUT_DIR can be written");
}
