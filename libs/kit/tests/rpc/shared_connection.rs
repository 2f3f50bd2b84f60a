//! A connection that many share, as behind a proxy: what one of them is refused takes nothing from the others.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::desk::Desk;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// Streams that begin before the messages of any of them are sent; no more than a server lets be open.
const AT_ONCE: u32 = 100;
/// Together more than the 1,024 resets after which HTTP/2 servers end a connection.
const ROUNDS: u32 = 15;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A header that no table knows, uncompressed.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut header = vec![0];
    for text in [name, value] {
        header.push(u8::try_from(text.len()).unwrap());
        header.extend(text.as_bytes());
    }
    header
}

/// The head of a call by somebody who is not known.
fn head() -> Vec<u8> {
    let headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/countermand.audit.v1.AuditService/ListGatewayEffects"),
        (":authority", "desk"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("x-countermand-role", "nobody-knows"),
    ];
    headers.iter().flat_map(|(name, value)| literal(name, value)).collect()
}

/// The kinds of the frames that arrived, as far as they are whole.
fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        kinds.push(*kind);
        let length = usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).unwrap();
        bytes = rest.get(length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test]
async fn refused_calls_whose_messages_come_late_do_not_end_the_connection() {
    let desk = Desk::new(async |_| Ok(String::new())).start().await;
    let address = desk.public.trim_start_matches("http://").to_owned();
    let (mut reading, mut writing) = TcpStream::connect(address).await.unwrap().into_split();
    let heard = tokio::spawn(async move {
        let mut bytes = Vec::new();
        // A connection that is broken off has told why before.
        let _ = reading.read_to_end(&mut bytes).await;
        bytes
    });
    writing.write_all(PREFACE).await.unwrap();
    writing.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    writing.write_all(&frame(SETTINGS, ACK, 0, &[])).await.unwrap();

    for round in 0..ROUNDS {
        let streams = (0..AT_ONCE).map(|number| 2 * (round * AT_ONCE + number) + 1);
        for stream in streams.clone() {
            writing.write_all(&frame(HEADERS, END_HEADERS, stream, &head())).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        for stream in streams {
            writing.write_all(&frame(DATA, END_STREAM, stream, &[0; 5])).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    writing.shutdown().await.unwrap();

    let kinds = kinds(&heard.await.unwrap());
    let answered: Vec<&u8> = kinds.iter().filter(|kind| **kind == HEADERS).collect();
    assert_eq!(answered.len(), usize::try_from(AT_ONCE * ROUNDS).unwrap());
    assert!(!kinds.contains(&GOAWAY), "the connection was ended");
}
