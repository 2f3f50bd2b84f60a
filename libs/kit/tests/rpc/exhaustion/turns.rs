use std::sync::Arc;

use kit::Principal;
use kit::config::{Auth, Limits};
use kit::server::{Routes, Server};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tonic::Request;

use super::{EMPTY, PATIENCE, begin, raw, refused, strict};
use crate::desk::{Desk, Running};

fn quick() -> Desk {
    Desk::new(async |_| Ok(String::new()))
}

#[tokio::test]
async fn messages_that_are_never_finished_take_nobodys_turn() {
    let limits = Limits { calls_max: 2, ..Limits::default() };
    let desk = quick().start_within(&limits).await;
    let (mut sending, _ended) = raw(&desk.public).await;
    let unfinished: Vec<_> =
        (0..9).map(|_| begin(&mut sending, "ListGatewayEffects", "slow")).map(|(_, body)| body).collect();

    let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "jo");
    body.send_data(EMPTY.into(), true).unwrap();

    let response = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(refused(&response), "", "a whole call is refused");
    drop(unfinished);
}

#[tokio::test]
async fn a_message_that_is_not_finished_in_time_is_not_waited_for() {
    let desk = quick().start_within(&strict()).await;
    let (mut sending, _ended) = raw(&desk.public).await;
    let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "slow");
    body.send_data(EMPTY[..3].into(), false).unwrap();

    let response = timeout(PATIENCE, response).await.expect("the call is waited for").unwrap();

    // DEADLINE_EXCEEDED: nothing was done, and the caller cannot know.
    assert_eq!(refused(&response), "4");
}

#[tokio::test]
async fn a_message_that_says_it_is_too_large_is_not_read() {
    let desk = quick().start().await;
    let (mut sending, _ended) = raw(&desk.public).await;
    let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "jo");
    body.send_data(b"\0\xff\xff\xff\xff"[..].into(), false).unwrap();

    let response = timeout(PATIENCE, response).await.expect("the rest is waited for").unwrap();

    assert_eq!(refused(&response), "3");
}

#[tokio::test]
async fn whoever_nobody_knows_is_refused_before_their_message_is_read() {
    let builder = Server::builder("desk")
        .auth(&Auth::default())
        .public("127.0.0.1:0".parse().unwrap(), quick().routes())
        .internal("127.0.0.1:0".parse().unwrap(), Routes::new());
    let desk = Running::of(builder.bind().await.unwrap());
    let (mut sending, _ended) = raw(&desk.public).await;

    let (response, _unfinished) = begin(&mut sending, "ListGatewayEffects", "nobody");

    let response = timeout(PATIENCE, response).await.expect("the message is waited for").unwrap();
    assert_eq!(refused(&response), "16");
}

#[tokio::test]
async fn one_caller_leaves_turns_to_the_others() {
    let (begun, permission) = (Arc::new(Semaphore::new(0)), Arc::new(Notify::new()));
    let (begins, permitted) = (Arc::clone(&begun), Arc::clone(&permission));
    let desk = Desk::new(move |request: Request<_>| {
        let (begins, permitted) = (Arc::clone(&begins), Arc::clone(&permitted));
        async move {
            if Principal::of(&request)?.user == "greedy" {
                begins.add_permits(1);
                permitted.notified().await;
            }
            Ok(String::new())
        }
    });
    let desk = desk.start_within(&Limits { calls_max: 4, ..Limits::default() }).await;
    let (mut sending, _ended) = raw(&desk.public).await;
    let mut greedy = Vec::new();
    for _ in 0..4 {
        let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "greedy");
        body.send_data(EMPTY.into(), true).unwrap();
        greedy.push(response);
    }
    let _three = timeout(PATIENCE, begun.acquire_many(3)).await.unwrap().unwrap();

    let (response, mut body) = begin(&mut sending, "ListGatewayEffects", "modest");
    body.send_data(EMPTY.into(), true).unwrap();

    let response = timeout(PATIENCE, response).await.unwrap().unwrap();
    assert_eq!(refused(&response), "", "the others have no turn");
    assert_eq!(begun.available_permits(), 0, "one caller has all turns");
    permission.notify_waiters();
}
