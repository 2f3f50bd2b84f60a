//! A proxy between us and PostgreSQL that loses the answer to COMMIT, with or without passing it on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use storage::{Database, DatabaseConfig, DbError, WriteError, Writer, testing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::group_commit::{Desk, good};
use crate::world::{SHOP, on_hand, stock_up};

const HONEST: u8 = 0;
const LOSES_ANSWER: u8 = 1;
const LOSES_COMMIT: u8 = 2;

/// Starts the proxy and gives back the database's address through it.
async fn proxy(direct: &str, conduct: Arc<AtomicU8>) -> String {
    let (head, tail) = direct.split_once('@').expect("the url has a user");
    let (server, path) = tail.split_once('/').expect("the url has a path");
    let server = server.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, server.clone(), Arc::clone(&conduct)));
        }
    });
    format!("{head}@127.0.0.1:{port}/{path}")
}

async fn pass_on(client: TcpStream, server: String, conduct: Arc<AtomicU8>) {
    let server = TcpStream::connect(server).await.expect("the server is up");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 65_536];
    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
        let conduct = conduct.load(Ordering::Relaxed);
        let is_commit = buffer[..read].windows(7).any(|window| window == b"COMMIT\0");
        if is_commit && conduct != HONEST {
            answers.abort();
            if conduct == LOSES_ANSWER {
                to_server.write_all(&buffer[..read]).await.expect("the server is up");
                // The server ends the session when it has done what it was told.
                to_server.shutdown().await.expect("the server is up");
            }
            return;
        }
        to_server.write_all(&buffer[..read]).await.expect("the server is up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_an_answer_is_unknown_to_all_and_a_repeat_tells() {
    let Some(config) = testing::postgres("lost_commit").await else { return };
    let direct = Database::open(&config).await.unwrap();
    direct.migrate("shop", &[storage::REQUESTS, SHOP]).await.unwrap();
    stock_up(&direct, &[("cup", 0), ("tea", 0)]).await;
    let conduct = Arc::new(AtomicU8::new(HONEST));
    let proxied = DatabaseConfig { url: proxy(&config.url, Arc::clone(&conduct)).await, ..config };
    let database = Database::open(&proxied).await.unwrap();
    let writer = Writer::start(database.clone(), Desk::new(true));
    writer.submit(good("honest", "tea", 1)).await.unwrap();

    conduct.store(LOSES_ANSWER, Ordering::Relaxed);
    let unanswered = writer.submit(good("unanswered", "tea", 1)).await;
    conduct.store(LOSES_COMMIT, Ordering::Relaxed);
    let uncommitted = writer.submit(good("uncommitted", "cup", 1)).await;
    conduct.store(HONEST, Ordering::Relaxed);
    let repeat_of_committed = writer.submit(good("unanswered", "tea", 1)).await;
    let repeat_of_uncommitted = writer.submit(good("uncommitted", "cup", 1)).await;

    assert_eq!(unanswered, Err(WriteError::OutcomeUnknown));
    assert_eq!(uncommitted, Err(WriteError::OutcomeUnknown));
    assert!(matches!(repeat_of_committed, Err(WriteError::Failed(DbError::Unique { .. }))));
    assert_eq!(repeat_of_uncommitted, Ok("uncommitted".to_owned()));
    assert_eq!((on_hand(&direct, "tea").await, on_hand(&direct, "cup").await), (2, 1));
}
