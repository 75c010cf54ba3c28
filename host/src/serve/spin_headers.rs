//! The headers that tell a component where its request came in.
//!
//! As in Spin they are added to the header fields that the client sent. A client can send
//! fields of the same names, which then stand before them. So nothing should be decided by
//! them.

use std::net::SocketAddr;

use http::header::HOST;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::application::router::RouteMatch;

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");

/// The header value for a client, made once a connection.
pub fn client_header(address: SocketAddr) -> HeaderValue {
    HeaderValue::from_str(&address.to_string()).expect("an address is printable ASCII")
}

/// Adds the headers.
pub fn append<T>(
    headers: &mut HeaderMap,
    found: &RouteMatch<'_, '_, T>,
    uri: &Uri,
    client: &HeaderValue,
) {
    let full_url = full_url(headers.get(HOST), uri);
    let route = found.route;
    headers.reserve(7 + route.segment_headers.len());
    // A value that no header can have is left out, as Spin does.
    if let Ok(path_info) = HeaderValue::from_str(&found.path_info()) {
        headers.append(PATH_INFO, path_info);
    }
    if let Ok(full_url) = full_url {
        headers.append(FULL_URL, full_url);
    }
    headers.append(MATCHED_ROUTE, route.matched_header.clone());
    headers.append(BASE_PATH, HeaderValue::from_static("/"));
    headers.append(RAW_COMPONENT_ROUTE, route.raw_header.clone());
    headers.append(COMPONENT_ROUTE, route.prefix_header.clone());
    headers.append(CLIENT_ADDR, client.clone());
    for (segment, header) in &route.segment_headers {
        let value = found.segment(segment).map(HeaderValue::from_str);
        if let Some(Ok(value)) = value {
            headers.append(header, value);
        }
    }
}

/// The whole URL, by the Host header. A request without one, as HTTP/2 has it, is
/// said to be for `localhost`, as Spin says.
fn full_url(
    host: Option<&HeaderValue>,
    uri: &Uri,
) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let host = host.map_or(b"localhost".as_slice(), HeaderValue::as_bytes);
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut url = Vec::with_capacity("http://".len() + host.len() + target.len());
    url.extend_from_slice(b"http://");
    url.extend_from_slice(host);
    url.extend_from_slice(target.as_bytes());
    HeaderValue::from_maybe_shared(bytes::Bytes::from(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::router::Router;

    fn headers(route: &str, uri: &str, sent: &[(&'static str, &'static str)]) -> HeaderMap {
        let (router, _) = Router::build([(route.to_owned(), ())]).unwrap();
        let uri: Uri = uri.parse().unwrap();
        let mut headers: HeaderMap = sent
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        let client = client_header("192.0.2.1:4711".parse().unwrap());
        let found = router.find(uri.path()).unwrap();
        append(&mut headers, &found, &uri, &client);
        headers
    }

    #[test]
    fn a_component_is_told_its_route_and_its_client() {
        let headers = headers(
            "/users/...",
            "/users/1?full=1",
            &[("host", "directory.test")],
        );
        assert_eq!(headers["spin-path-info"], "/1");
        assert_eq!(
            headers["spin-full-url"],
            "http://directory.test/users/1?full=1"
        );
        assert_eq!(headers["spin-matched-route"], "/users/...");
        assert_eq!(headers["spin-raw-component-route"], "/users/...");
        assert_eq!(headers["spin-component-route"], "/users");
        assert_eq!(headers["spin-base-path"], "/");
        assert_eq!(headers["spin-client-addr"], "192.0.2.1:4711");
    }

    #[test]
    fn named_segments_have_headers_of_their_own() {
        let headers = headers("/teams/:team_id", "/teams/7", &[]);
        assert_eq!(headers["spin-path-match-team-id"], "7");
        assert_eq!(headers["spin-full-url"], "http://localhost/teams/7");
    }

    #[test]
    fn what_the_client_forged_stays_before_them() {
        let headers = headers("/", "/", &[("spin-client-addr", "127.0.0.1:1")]);
        let values: Vec<_> = headers.get_all("spin-client-addr").iter().collect();
        assert_eq!(values, ["127.0.0.1:1", "192.0.2.1:4711"]);
    }
}
