//! A fulfilment partner's program for tests: it accepts, rejects, delays, or has an outage, as it was started. It keeps
//! what it was asked. Lying, that is to accept and ship, is up to the scenario: the partner reports its shipment.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Accepts,
    Rejects,
    /// Answers 503 this often, and accepts then.
    Delays(usize),
}

/// Serves until the runtime ends.
pub struct FakePartner {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl FakePartner {
    pub async fn start(behaviour: Behaviour) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // A caller that goes away in the middle has not asked.
                drop(serve(socket, behaviour, &log).await);
            }
        });
        Ok(Self { url, asked })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests it has had, head and body.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(mut socket: TcpStream, behaviour: Behaviour, log: &Mutex<Vec<String>>) -> Result<()> {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        let read = socket.read(&mut chunk).await?;
        anyhow::ensure!(read > 0, "the caller went away");
        request.extend_from_slice(&chunk[..read]);
    }
    let before = {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(String::from_utf8_lossy(&request).into_owned());
        log.len() - 1
    };
    let (status, body) = match behaviour {
        Behaviour::Rejects => ("409 Conflict", r#"{"cancelled": false, "why": "it is being packed"}"#),
        Behaviour::Delays(times) if before < times => ("503 Service Unavailable", "later"),
        Behaviour::Accepts | Behaviour::Delays(_) => ("200 OK", r#"{"cancelled": true}"#),
    };
    let length = body.len();
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    socket.write_all(answer.as_bytes()).await?;
    Ok(())
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| length.trim().parse().is_ok_and(|length: usize| body.len() >= length))
}
