//! A client that sends exactly the bytes that a test gives.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TEST_TIMEOUT;

/// A response, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The problem document that a refusal of the host is.
    pub fn problem(&self) -> serde_json::Value {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert!(self.headers.contains_key("x-request-id"));
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem
    }
}

/// A connection that is kept alive.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// The response, or why it isn't whole.
    pub async fn try_send(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        let exchange = async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.collect().await?.to_bytes().into(),
            })
        };
        timeout(TEST_TIMEOUT, exchange).await.expect("an answer")
    }

    /// The head of the response; its body is still to come.
    pub async fn begin(&mut self, path: &str) -> Response<Incoming> {
        let exchange = async {
            self.sender.ready().await?;
            self.sender.send_request(request("GET", path, "")).await
        };
        timeout(TEST_TIMEOUT, exchange)
            .await
            .expect("an answer")
            .unwrap()
    }

    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(request("GET", path, "")).await
    }
}

/// The text of a body.
pub async fn rest_of(response: Response<Incoming>) -> String {
    let body = timeout(TEST_TIMEOUT, response.into_body().collect());
    let bytes = body.await.expect("an end").unwrap().to_bytes();
    String::from_utf8(bytes.into()).unwrap()
}

/// A request with a Host header and no other.
pub fn request(method: &str, path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "edge.test")
        .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}

/// Sends it on a connection of its own.
pub async fn send(address: SocketAddr, request: Request<Full<Bytes>>) -> Answer {
    Client::connect(address).await.send(request).await
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, request("GET", path, "")).await
}

pub async fn put(address: SocketAddr, path: &str, body: &str) -> Answer {
    send(address, request("PUT", path, body)).await
}
