//! Failures of HTTP, as the host reports them.

use spin_sdk::wit::wasi::http0_2_0::types::ErrorCode;

/// The reason, for the log. The SDK has a text for each error too, which takes 4 KB of the wasm file.
pub fn reason(error: ErrorCode) -> String {
    let reason = match error {
        ErrorCode::HttpRequestDenied => {
            "the host allows no request there: name it in allowed_outbound_hosts"
        }
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            "the name of its host can't be resolved"
        }
        ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable => "there is no way to its host",
        ErrorCode::ConnectionRefused => "the connection is refused",
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => {
            "the connection breaks off"
        }
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => "it takes longer than the host waits",
        ErrorCode::ConnectionLimitReached => "the host has too many connections",
        ErrorCode::TlsProtocolError => "TLS fails",
        ErrorCode::TlsCertificateError => "its certificate is not trusted",
        ErrorCode::TlsAlertReceived(_) => "TLS fails, as its host says",
        ErrorCode::InternalError(Some(text)) => return text,
        _ => "it breaks the rules of HTTP, or the host's",
    };
    reason.to_owned()
}
