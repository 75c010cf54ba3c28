//! A proxy before a service that can stop: then every request gets 503.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Service;

#[derive(Clone)]
pub struct Gate {
    pub url: String,
    is_closed: Arc<watch::Sender<bool>>,
}

const AWAY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\
    content-type: application/problem+json\r\ncontent-length: 58\r\nconnection: close\r\n\r\n\
    {\"status\":503,\"title\":\"Away\",\"detail\":\"Away for a while.\"}";

impl Gate {
    pub async fn before(service: &Service) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let target = service.url.replace("http://", "");
        let (is_closed, watched) = watch::channel(false);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, target.clone(), watched.clone()));
            }
        });
        Gate {
            url,
            is_closed: Arc::new(is_closed),
        }
    }

    /// Connections that are open end.
    pub fn set_closed(&self, is_closed: bool) {
        self.is_closed.send_replace(is_closed);
    }
}

async fn pass(mut client: TcpStream, target: String, mut closed: watch::Receiver<bool>) {
    // A browser opens connections before it needs them.
    client.peek(&mut [0]).await.ok();
    if *closed.borrow_and_update() {
        // What is not read would reset the connection before the answer arrives.
        let mut head = vec![0; 64 * 1024];
        if client.read(&mut head).await.is_ok_and(|read| read > 0) {
            client.write_all(AWAY).await.ok();
        }
        return;
    }
    let Ok(mut service) = TcpStream::connect(target).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut service) => {}
        _ = closed.changed() => {}
    }
}
