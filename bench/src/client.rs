//! Single requests over HTTP/1.1, with the times that only a socket tells.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A kept connection.
pub struct Client {
    stream: TcpStream,
    address: SocketAddr,
    received: Vec<u8>,
}

/// An answer, and when it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// From the first byte of the request until the kernel had all of it.
    pub sending: Duration,
    /// From then until the first bytes of the answer.
    pub waiting: Duration,
    /// From then until the last.
    pub receiving: Duration,
    headers: Vec<(String, String)>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream,
            address,
            received: Vec::new(),
        })
    }

    /// Asks for `path`.
    pub async fn get(&mut self, path: &str, authorization: Option<&str>) -> Result<Answer> {
        let mut head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        if let Some(value) = authorization {
            head += &format!("authorization: {value}\r\n");
        }
        head += "\r\n";
        let begun = Instant::now();
        self.send(head.as_bytes()).await?;
        let sent = Instant::now();
        self.answer(begun, sent).await
    }

    /// Sends bytes of a request, whole or not.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes).await?)
    }

    /// Receives the answer to a request that was begun and sent at those times.
    pub async fn answer(&mut self, begun: Instant, sent: Instant) -> Result<Answer> {
        let mut first = None;
        loop {
            let read = self.stream.read_buf(&mut self.received).await?;
            if read == 0 {
                bail!("the connection was closed");
            }
            let first = *first.get_or_insert_with(Instant::now);
            let Some((head, mut answer)) = parse(&self.received)? else {
                continue;
            };
            let length: usize = match answer.header("content-length") {
                Some(length) => length.parse().context("a length is a number")?,
                None if matches!(answer.status, 204 | 304) => 0,
                None => bail!("an answer without content-length"),
            };
            if self.received.len() < head + length {
                continue;
            }
            self.received.drain(..head + length);
            answer.sending = sent - begun;
            answer.waiting = first - sent;
            answer.receiving = first.elapsed();
            return Ok(answer);
        }
    }
}

/// The length of the head and what it says, once it is there.
fn parse(received: &[u8]) -> Result<Option<(usize, Answer)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(received)? else {
        return Ok(None);
    };
    let headers = response.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).into_owned();
        (header.name.to_owned(), value)
    });
    let answer = Answer {
        status: response.code.context("an answer has a status")?,
        sending: Duration::ZERO,
        waiting: Duration::ZERO,
        receiving: Duration::ZERO,
        headers: headers.collect(),
    };
    Ok(Some((length, answer)))
}
