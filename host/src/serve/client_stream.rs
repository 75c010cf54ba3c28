//! The socket of a client.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use http::StatusCode;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::serve::exchange::Client;
use crate::serve::refusal::Refusal;

/// How many bytes of a refused request are read and discarded at most before the
/// connection is closed.
const MAX_DISCARDED: usize = 64 << 20;

pin_project! {
    /// A socket that makes two things good.
    ///
    /// *A refusal arrives.* A server that closes a connection on which there is something
    /// left to read resets it, and the client may lose the answer. So the socket first
    /// closes its own side alone, and then reads and discards: until the client closes its
    /// side, up to [`MAX_DISCARDED`], and for as long as a client may keep the host waiting.
    ///
    /// *A refusal explains.* A head that hyper can't read, or that is too large, never
    /// becomes a request. Hyper answers with a status alone; the socket puts a problem
    /// document in its place.
    pub struct ClientStream<S> {
        #[pin]
        stream: S,
        client: Arc<Client>,
        // Written instead of hyper's own refusal, from the next byte on.
        refusal: Option<(Vec<u8>, usize)>,
        is_shut: bool,
        discarded: usize,
    }
}

impl<S> ClientStream<S> {
    /// The socket of `client`.
    pub fn new(stream: S, client: Arc<Client>) -> Self {
        Self {
            stream,
            client,
            refusal: None,
            is_shut: false,
            discarded: 0,
        }
    }
}

impl<S: AsyncRead> AsyncRead for ClientStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.project().stream.poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite> AsyncWrite for ClientStream<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut this = self.project();
        if this.refusal.is_none() {
            let Some(refusal) = bare_refusal(bytes) else {
                return this.stream.poll_write(context, bytes);
            };
            this.client.is_refused.store(true, Ordering::Relaxed);
            *this.refusal = Some((refusal.last_message(), 0));
        }
        if let Some((message, written)) = this.refusal {
            while *written < message.len() {
                let rest = &message[*written..];
                *written += ready!(this.stream.as_mut().poll_write(context, rest))?;
            }
        }
        // Nothing of a connection comes after it.
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [bytes] => self.poll_write(context, bytes),
            _ => self.project().stream.poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        if !*this.is_shut {
            ready!(this.stream.as_mut().poll_shutdown(context))?;
            *this.is_shut = true;
        }
        if !this.client.is_refused.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; 16 << 10];
        while *this.discarded < MAX_DISCARDED {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(this.stream.as_mut().poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            *this.discarded += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}

/// The refusal that hyper writes by itself, in its own few bytes: a status, and that the
/// connection is closed. The host's own responses say more.
fn bare_refusal(bytes: &[u8]) -> Option<Refusal> {
    let head = bytes.strip_prefix(b"HTTP/1.")?;
    let (status_line, fields) = head.split_at(head.iter().position(|byte| *byte == b'\r')?);
    if fields != b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" {
        return None;
    }
    let status = StatusCode::from_bytes(status_line.get(2..5)?).ok()?;
    let detail = match status {
        StatusCode::BAD_REQUEST => "This is not a request of HTTP/1.1.",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "The head of a request has at most 65,536 bytes and 100 fields here."
        }
        StatusCode::URI_TOO_LONG => "The target of the request is too long.",
        _ => return None,
    };
    Some(Refusal::new(status, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_is_told_from_every_other_response() {
        let bare = |text: &str| bare_refusal(text.as_bytes()).is_some();
        let refusal = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert!(bare(refusal));
        assert!(!bare(&refusal.replace("400 Bad Request", "404 Not Found")));
        assert!(!bare(
            &refusal.replace("close\r\n", "close\r\ndate: today\r\n")
        ));
        assert!(!bare(&format!("{refusal}HTTP/1.1 200 OK")));
        assert!(!bare("HTTP/1.1 400"));
    }
}
