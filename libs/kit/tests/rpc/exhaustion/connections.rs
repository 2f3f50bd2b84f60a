use kit::config::{Auth, Limits};
use kit::server::{Routes, Server};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{EMPTY, PATIENCE, begin, raw, strict, tcp, try_begin};
use crate::desk::{Desk, Running, connect, text};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";
/// A head of ten bytes that ends in a later frame.
const UNFINISHED_HEAD: &[u8] = b"\0\0\x0a\x01\0\0\0\0\x01\x82\x86";

fn desk() -> Desk {
    Desk::new(async |_| Ok("answered".to_owned()))
}

/// Reads until the server hangs up.
async fn closed(mut peer: TcpStream) {
    let mut said = Vec::new();
    let ended = timeout(PATIENCE, peer.read_to_end(&mut said)).await;
    // An end and a reset are both: nobody is connected any more.
    drop(ended.expect("the connection stays open"));
}

#[tokio::test]
async fn a_connection_that_begins_nothing_is_closed() {
    let desk = desk().start_within(&strict()).await;

    for said in [&b""[..], b"PRI * HTTP", PREFACE] {
        let mut peer = tcp(&desk.public).await;
        peer.write_all(said).await.unwrap();
        closed(peer).await;
    }
    for url in [&desk.public, &desk.internal] {
        closed(tcp(url).await).await;
    }
}

#[tokio::test]
async fn a_connection_on_which_nobody_says_who_they_are_is_closed() {
    let desk = desk().start_within(&strict()).await;

    for head in [&b""[..], UNFINISHED_HEAD] {
        let mut peer = tcp(&desk.public).await;
        peer.write_all(&[PREFACE, SETTINGS, head].concat()).await.unwrap();
        closed(peer).await;
    }
}

#[tokio::test]
async fn calls_that_are_refused_do_not_keep_a_connection() {
    let builder = Server::builder("desk")
        .auth(&Auth::default())
        .limits(&strict())
        .public("127.0.0.1:0".parse().unwrap(), desk().routes())
        .internal("127.0.0.1:0".parse().unwrap(), Routes::new());
    let desk = Running::of(builder.bind().await.unwrap());
    let (mut sending, ended) = raw(&desk.public).await;

    let calling = async {
        while let Ok((response, _body)) = try_begin(&mut sending, "ListGatewayEffects", "nobody") {
            if response.await.is_err() {
                break;
            }
        }
    };

    timeout(PATIENCE, calling).await.expect("a caller whom nobody knows stays connected");
    timeout(PATIENCE, ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_the_next_call_makes_another() {
    let desk = desk().start_within(&strict()).await;
    let (mut sending, ended) = raw(&desk.public).await;
    let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "jo");
    body.send_data(EMPTY.into(), true).unwrap();
    assert!(response.await.unwrap().status().is_success());
    let mut client = desk.client();
    text(&mut client).await.unwrap();

    timeout(PATIENCE, ended).await.expect("the idle connection stays open").unwrap();

    assert_eq!(text(&mut client).await.unwrap(), "answered");
}

#[tokio::test]
async fn one_address_has_its_share_of_the_connections() {
    let limits = Limits { connections_per_address_max: 2, ..Limits::default() };
    let desk = desk().start_within(&limits).await;
    let (mut first, _ended) = raw(&desk.public).await;
    let _second = raw(&desk.public).await;

    closed(tcp(&desk.public).await).await;

    let (response, mut body) = begin(&mut first, "ListGatewayEffects", "jo");
    body.send_data(EMPTY.into(), true).unwrap();
    assert!(response.await.unwrap().status().is_success());
}

#[tokio::test]
async fn a_trusted_proxy_has_as_many_connections_as_there_are() {
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let limits =
        Limits { connections_max: 3, connections_per_address_max: 1, trusted_proxies, ..Limits::default() };
    let desk = desk().start_within(&limits).await;
    let _first = raw(&desk.public).await;
    let _second = raw(&desk.public).await;

    let mut third = AuditServiceClient::new(connect(&desk.public));
    assert_eq!(text(&mut third).await.unwrap(), "answered");

    closed(tcp(&desk.public).await).await;
}

#[tokio::test]
async fn a_connection_that_ends_makes_room_for_another() {
    let limits = Limits { connections_max: 1, ..Limits::default() };
    let desk = desk().start_within(&limits).await;
    drop(raw(&desk.public).await.0);

    let again = async {
        while text(&mut AuditServiceClient::new(connect(&desk.public))).await.is_err() {
            tokio::task::yield_now().await;
        }
    };

    timeout(PATIENCE, again).await.expect("there is room again");
}
