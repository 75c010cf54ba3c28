//! The page for administrators as files; `tests/browser/` has it in a browser.

use crate::support::{Send, manifest, root, service};
use wasmparser::{Parser, Payload};

/// Every file that the page names.
fn files(page: &str) -> Vec<&str> {
    let targets = page.split('"');
    targets
        .filter(|text| text.starts_with("/admin/files/"))
        .collect()
}

#[test]
fn the_page_is_small_and_loads_only_its_own_files() {
    let get = |path: &str| {
        let request = service().request("GET", path);
        request.header("accept-encoding", "gzip").answer_of_call()
    };
    let plain = service().request("GET", "/admin/users/7?q=a");
    let plain = plain.answer_of_call();
    assert_eq!(plain.status, 200);
    let paths = files(&plain.body);
    assert!(paths.len() > 10, "{paths:?}");
    assert!(!plain.body.contains("://"), "{}", plain.body);
    let mut bytes = 0;
    for path in [&["/admin/"][..], &paths].concat() {
        let file = get(path);
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("content-encoding"), Some("gzip"), "{path}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        assert!(file.header("x-request-id").is_some() && file.header("server-timing").is_some());
        let policy = file.header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let length: Option<usize> = file
            .header("content-length")
            .and_then(|text| text.parse().ok());
        bytes += length.expect("a length");
    }
    assert!(bytes <= 60_000, "{bytes} bytes over the wire");
}

#[test]
fn other_paths_methods_and_sessions_from_elsewhere_are_refused() {
    let status = |method: &str, path: &str| {
        let answer = service().request(method, path).answer_of_call();
        answer.problem();
        answer.status
    };
    assert_eq!(status("GET", "/admin/files/0/main.js"), 404);
    assert_eq!(status("GET", "/admin/other"), 404);
    assert_eq!(status("DELETE", "/admin/users/1"), 405);
    assert_eq!(status("PATCH", "/admin/session"), 405);
    for method in ["GET", "POST", "DELETE"] {
        assert_eq!(status(method, "/admin/session"), 400);
    }
}

#[test]
fn the_component_is_small_and_knows_no_store() {
    manifest();
    let path = root().join("target/wasm32-wasip1/release/edge_users_admin.wasm");
    let component = std::fs::read(path).expect("the component can be read");
    assert!(component.len() <= 400_000, "{} bytes", component.len());
    for payload in Parser::new(0).parse_all(&component) {
        if let Payload::ImportSection(imports) = payload.expect("a module") {
            for import in imports.into_imports() {
                let module = import.expect("an import").module;
                assert!(!module.contains("keyvalue"), "{module}");
            }
        }
    }
}
