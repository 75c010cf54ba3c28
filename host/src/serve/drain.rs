//! The last phase of a host, so that none of its clients loses a request.
//!
//! 1. It drains, for as long as it is told to. It says that it is not ready, so that balancers send
//!    their requests elsewhere, and that each connection ends with its response. Everything
//!    else is served, for not every balancer asks.
//! 2. It stops listening. [`last_connections`] are those that have reached this machine by then.
//! 3. Each connection ends with the response to its last request. One that is new may still send
//!    its first.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderValue, Version};
use tokio::net::{TcpListener, TcpStream};

use crate::serve::refusal::Refusal;

/// How long a handshake may take that has begun when the host stops listening.
const HANDSHAKE: Duration = Duration::from_millis(10);

/// Whether the host drains.
#[derive(Debug)]
pub struct Drain {
    /// The paths at which the application says whether it is ready.
    readiness: Vec<String>,
    has_begun: AtomicBool,
}

impl Drain {
    /// Not yet.
    pub fn new(readiness: Vec<String>) -> Self {
        Self {
            readiness,
            has_begun: AtomicBool::new(false),
        }
    }

    /// From now on the host is not ready, and connections end with their next response.
    pub fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// The answer of a host that drains to a request that asks whether the application is ready.
    pub fn refusal(&self, path: &str) -> Option<Refusal> {
        (self.has_begun() && self.readiness.iter().any(|ready| ready == path))
            .then(|| Refusal::busy("This host is about to stop. Send requests to another."))
    }

    /// Marks a response as the last one of its connection, if it is to be. HTTP/2 has GOAWAY, and no
    /// such header.
    pub fn mark(&self, version: Version, headers: &mut HeaderMap) {
        if self.has_begun() && version <= Version::HTTP_11 {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }
}

/// Stops listening, and returns the connections that were made until then and are not accepted.
///
/// The kernel makes connections by itself, and breaks those that nobody has accepted when the
/// socket is closed: a client that has sent its request can't know whether it was carried out. So
/// first of all no connection is made any more. Who tries gets no answer, tries again by itself
/// after a second, and is then refused, after which a request can be sent elsewhere.
pub async fn last_connections(listener: TcpListener) -> Vec<TcpStream> {
    if stop_handshakes(&listener).is_ok() {
        tokio::time::sleep(HANDSHAKE).await;
    }
    // Not by tokio, which may not have heard of the last ones yet.
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    std::iter::from_fn(|| listener.accept().ok())
        .filter_map(|(stream, _)| {
            stream.set_nonblocking(true).ok()?;
            TcpStream::from_std(stream).ok()
        })
        .collect()
}

/// Has the kernel drop every SYN that comes to this socket.
#[cfg(target_os = "linux")]
fn stop_handshakes(listener: &TcpListener) -> std::io::Result<()> {
    use socket2::{SockFilter, SockRef};

    // Classic BPF, as in <linux/bpf_common.h>; a packet begins with its TCP header.
    const LOAD_BYTE: u16 = 0x30;
    const JUMP_IF_SET: u16 = 0x45;
    const RETURN: u16 = 0x06;
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    SockRef::from(listener).attach_filter(&[
        SockFilter::new(LOAD_BYTE, 0, 0, FLAGS),
        SockFilter::new(JUMP_IF_SET, 0, 1, SYN),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ])
}

/// Elsewhere a connection may come just before the socket is closed, and be lost.
#[cfg(not(target_os = "linux"))]
fn stop_handshakes(_listener: &TcpListener) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read as _, Write as _};
    use std::net;

    #[tokio::test]
    async fn connections_that_nobody_has_accepted_are_the_last_ones() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients: Vec<_> = (0..20)
            .map(|_| net::TcpStream::connect(address).unwrap())
            .collect();
        for client in &mut clients {
            client.write_all(b"x").unwrap();
        }
        let accepted = last_connections(listener).await;
        assert_eq!(accepted.len(), clients.len());
        for stream in accepted {
            let mut stream = stream.into_std().unwrap();
            stream.set_nonblocking(false).unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            stream.write_all(&byte).unwrap();
        }
        for mut client in clients {
            client.read_exact(&mut [0]).unwrap();
        }
        let refused = net::TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn no_connection_is_made_once_handshakes_are_stopped() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut made = net::TcpStream::connect(address).unwrap();
        stop_handshakes(&listener).unwrap();
        let moment = Duration::from_millis(100);
        assert!(net::TcpStream::connect_timeout(&address, moment).is_err());
        // What is sent on the others arrives.
        made.write_all(b"x").unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
}
