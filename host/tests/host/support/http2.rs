//! A client of HTTP/2 that reads only what it is told to.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::TEST_TIMEOUT;
use super::client::Answer;

/// A connection whose streams have so many bytes of window each.
pub struct Http2 {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

impl Http2 {
    pub async fn connect(address: SocketAddr, window: u32) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(window)
            .initial_connection_window_size(window.max(65_535));
        let handshake = timeout(TEST_TIMEOUT, builder.handshake(stream));
        let (sender, connection) = handshake.await.expect("a handshake").unwrap();
        Self {
            sender,
            connection: tokio::spawn(connection),
        }
    }

    /// Sends the head of a request; its body is still to come.
    pub async fn begin(
        &mut self,
        method: &str,
        path: &str,
        headers: HeaderMap,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let sent = self.request(method, path, headers, false).await;
        sent.unwrap()
    }

    /// Sends a request without a body.
    pub async fn get(&mut self, path: &str) -> ResponseFuture {
        self.try_get(path).await.unwrap()
    }

    /// The same, or why the connection takes no request.
    pub async fn try_get(&mut self, path: &str) -> Result<ResponseFuture, h2::Error> {
        let sent = self.request("GET", path, HeaderMap::new(), true).await;
        sent.map(|(response, _)| response)
    }

    async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: HeaderMap,
        is_end: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://edge.test{path}"));
        let mut request = request.body(()).unwrap();
        *request.headers_mut() = headers;
        let ready = timeout(TEST_TIMEOUT, self.sender.clone().ready());
        let mut sender = ready.await.expect("a free stream")?;
        sender.send_request(request, is_end)
    }

    /// Waits until the host closes the connection.
    pub async fn closed(self) {
        timeout(TEST_TIMEOUT, self.connection)
            .await
            .expect("the host closes it")
            .unwrap()
            .ok();
    }

    pub fn is_closed(&self) -> bool {
        self.connection.is_finished()
    }
}

/// The status of a response; nothing of its body is read.
pub async fn status_of(response: ResponseFuture) -> Result<(StatusCode, RecvStream), h2::Error> {
    let response = timeout(TEST_TIMEOUT, response).await.expect("an answer")?;
    Ok((response.status(), response.into_body()))
}

/// The whole response.
pub async fn answer_of(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let response = timeout(TEST_TIMEOUT, response).await.expect("an answer")?;
    let (head, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(data) = timeout(TEST_TIMEOUT, stream.data()).await.expect("more") {
        let data = data?;
        body.extend_from_slice(&data);
        stream.flow_control().release_capacity(data.len())?;
    }
    Ok(Answer {
        status: head.status,
        headers: head.headers,
        body,
    })
}

/// Waits for the host to end the stream before its time; answers with the reason.
pub async fn reset_of(mut body: RecvStream) -> h2::Reason {
    loop {
        let data = timeout(TEST_TIMEOUT, body.data()).await;
        match data.expect("the host ends the stream") {
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.reason().expect("a reset"),
            None => panic!("the response is whole"),
        }
    }
}

/// Sends a byte every so often, until the stream is over.
pub async fn drip(mut stream: SendStream<Bytes>, pause: Duration) {
    while stream.send_data(Bytes::from_static(b"x"), false).is_ok() {
        tokio::time::sleep(pause).await;
    }
}
