//! A partner's program, as small as HTTP allows.

use std::sync::{Arc, Mutex};

use inventory::domain::Connector;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A partner's program: answers every request with the same status and body, and remembers them.
pub struct Program {
    url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Program {
    pub async fn answering(status: &'static str, body: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut chunk = [0; 4096];
                while !is_whole(&request) {
                    let read = socket.read(&mut chunk).await.unwrap();
                    request.extend_from_slice(&chunk[..read]);
                }
                log.lock().unwrap().push(String::from_utf8(request).unwrap());
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { url, heard }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub fn connector(&self) -> Connector {
        Connector {
            url: format!("{}/orders/{{{{ external_number }}}}/cancel", self.url),
            headers: [("authorization".to_owned(), "Bearer {{ secret('partner_key') }}".to_owned())].into(),
            body: "{\"reason\": \"{{ reason }}\", \"units\": {{ units }}}".to_owned(),
            success: "status == 200 and body.cancelled".to_owned(),
            ..Connector::default()
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().unwrap())
}
