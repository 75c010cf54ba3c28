//! Whether a request is one that can be answered at all, whatever the application.

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, StatusCode, Uri};

use crate::application::internal_host;
use crate::serve::refusal::Refusal;

/// The most fields of a head. hyper has the same limit for HTTP/1.1.
const MAX_FIELDS: usize = 100;

/// The most bytes of a head's fields. A component may allow less, and say so in a document
/// of its own.
pub const MAX_HEAD: usize = 64 << 10;

/// Checks the head of a request, removes fields of the connection, and gives
/// its URI the authority that it is for.
pub fn check(head: &mut Parts) -> Result<(), Refusal> {
    check_size(&head.headers)?;
    check_transfer_encoding(&head.headers)?;
    head.headers.remove(CONNECTION);
    let uri = std::mem::take(&mut head.uri);
    head.uri = absolute_uri(uri, &head.headers)?;
    Ok(())
}

fn check_size(headers: &HeaderMap) -> Result<(), Refusal> {
    let bytes = || {
        headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
    };
    if headers.len() > MAX_FIELDS || bytes().sum::<usize>() > MAX_HEAD {
        let detail = format!("A request has at most {MAX_FIELDS} fields of {MAX_HEAD} bytes here.");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Refusal::new(status, detail));
    }
    Ok(())
}

/// hyper reads a body by the last coding, and takes it off. A coding before it would stay
/// on the body unnoticed.
fn check_transfer_encoding(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next().map(|coding| coding.as_bytes().trim_ascii());
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if first.is_none_or(is_chunked) && codings.next().is_none() {
        return Ok(());
    }
    let detail = "The one Transfer-Encoding that a request may have is chunked, once.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, detail))
}

/// The request's URI, with the authority of its Host field: one, as RFC 9112, section 3.2
/// has it, without a user (RFC 9110, section 4.2.4), and as Spin wants it, the same as in
/// the URI if there is one.
fn absolute_uri(uri: Uri, headers: &HeaderMap) -> Result<Uri, Refusal> {
    let refuse = |detail| Err(Refusal::new(StatusCode::BAD_REQUEST, detail));
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return refuse("The request has several Host fields.");
    }
    let host = match host.map(|host| Authority::try_from(host.as_bytes())) {
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return refuse("The Host field is not a host, with or without a port."),
        None => None,
    };
    let mut parts = uri.into_parts();
    let authority = match (host, parts.authority) {
        (Some(host), Some(authority)) if host != authority => {
            return refuse("The Host field and the target of the request differ.");
        }
        (None, None) => return refuse("The request has no Host field."),
        (host, authority) => host.or(authority),
    };
    if let Some(authority) = &authority {
        if authority.as_str().contains('@') {
            return refuse("The Host field names a user. It may name a host and a port.");
        }
        if internal_host::component(authority.host()).is_some() {
            return refuse("This host name is for the components of the application alone.");
        }
    }
    parts.authority = authority;
    parts.scheme = Some(Scheme::HTTP);
    // Fails for CONNECT, which has an authority and no path.
    Uri::from_parts(parts).or_else(|_| refuse("The target of the request has no path."))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn checked(uri: &str, fields: &[(&str, &str)]) -> Result<Uri, u16> {
        let mut request = Request::get(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        match check(&mut head) {
            Ok(()) => Ok(head.uri),
            Err(refusal) => {
                let id = crate::runtime::request_id::RequestId::draw();
                Err(refusal.response(&id).status().as_u16())
            }
        }
    }

    #[test]
    fn a_request_is_for_one_host() {
        let uri = checked("/a?b", &[("host", "a.test:80")]).unwrap();
        assert_eq!(uri, "http://a.test:80/a?b");
        assert!(checked("http://a.test/", &[]).is_ok());
        assert!(checked("http://a.test/", &[("host", "a.test")]).is_ok());
        for (uri, hosts) in [
            ("/", &[][..]),
            ("/", &["a.test", "a.test"]),
            ("/", &["a b"]),
            ("/", &["user@a.test"]),
            ("/", &["users.spin.internal"]),
            ("/", &["Users.Spin.Internal:80"]),
            ("/", &["users.spin.internal."]),
            ("http://users.spin.internal/", &[]),
            ("http://user@a.test/", &[]),
            ("http://a.test/", &["b.test"]),
        ] {
            let fields: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
            assert_eq!(checked(uri, &fields), Err(400), "{uri} {hosts:?}");
        }
    }

    #[test]
    fn a_body_has_no_coding_but_chunked_once() {
        let with = |codings: &[&str]| {
            let mut fields = vec![("host", "a.test")];
            fields.extend(codings.iter().map(|coding| ("transfer-encoding", *coding)));
            checked("/", &fields)
        };
        assert!(with(&["chunked"]).is_ok() && with(&["Chunked "]).is_ok());
        for codings in [
            &["gzip, chunked"][..],
            &["chunked, chunked"],
            &["gzip", "chunked"],
            &["chunked", "chunked"],
            &["gzip"],
            &["chunked;x=1"],
            &[""],
        ] {
            assert_eq!(with(codings), Err(400), "{codings:?}");
        }
    }

    #[test]
    fn a_head_has_a_number_of_fields_and_of_bytes() {
        let field = ("x-field", "1");
        let mut fields = vec![field; 99];
        fields.push(("host", "a.test"));
        assert!(checked("/", &fields).is_ok());
        fields.push(field);
        assert_eq!(checked("/", &fields), Err(431));
        let long = "x".repeat(MAX_HEAD);
        assert_eq!(checked("/", &[("host", "a.test"), ("x", &long)]), Err(431));
    }
}
