//! A name that means one address when it is checked and another when it is called.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kit::outbound::{AddressGuard, Lookup, Outbound};
use notification::domain::webhook::Answer;
use notification::ports::webhook::{Post, Poster};
use types::Clock;

use crate::receiver::Receiver;

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 3, 1));
const OURS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Ours as well, with nobody behind it.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));

type Found = BoxFuture<'static, io::Result<Vec<IpAddr>>>;

/// Public when it is asked for the first time, ours ever after.
fn turning_inwards(_: String) -> Found {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let is_first = ASKED.fetch_add(1, Ordering::SeqCst) == 0;
    async move { Ok(vec![if is_first { PUBLIC } else { OURS }]) }.boxed()
}

/// A harmless address beside one of ours.
fn mixed(_: String) -> Found {
    async { Ok(vec![OURS, PUBLIC, NOBODY]) }.boxed()
}

static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

/// Ours once, and somebody else's at every later question.
fn once_ours(_: String) -> Found {
    let is_first = LOOKUPS.fetch_add(1, Ordering::SeqCst) == 0;
    async move { Ok(vec![if is_first { OURS } else { NOBODY }]) }.boxed()
}

/// Posts to public addresses, and to what `inside` names, at the receiver's port.
fn poster(receiver: &Receiver, inside: &[&str], lookup: Lookup, timeout: Duration) -> Poster {
    let inside = inside.iter().map(|entry| (*entry).to_owned()).collect();
    let allowed = Outbound { ports: vec![receiver.address.port()], inside, ..Outbound::default() };
    let guard = AddressGuard::resolving_with(&allowed, lookup).expect("the entries are addresses");
    Poster::new(guard, timeout).expect("a client needs nothing but memory")
}

async fn post(poster: &Poster, url: &str) -> Answer {
    let body = "{}".to_owned();
    let sent_at = Clock::System.now();
    poster.post(Post { url, id: "evt_1", sent_at, signatures: "v1,x", traceparent: None, body }).await
}

#[tokio::test]
async fn a_name_that_turns_inwards_after_it_was_checked_is_not_called() {
    let receiver = Receiver::start().await;
    let poster = poster(&receiver, &[], turning_inwards, Duration::from_millis(300));
    let url = format!("https://partner.example:{}/hook", receiver.address.port());
    assert!(poster.check(&url).is_ok(), "nothing is wrong with it when it is added");

    for _ in 0..3 {
        let answer = post(&poster, &url).await;
        assert!(matches!(answer, Answer::Unreached(_) | Answer::Unanswered(_)), "{answer:?}");
    }

    let answer = post(&poster, &url).await;
    let why = "partner.example has no address that may be called";
    assert_eq!(answer, Answer::Unreached(why.to_owned()));
    assert_eq!(receiver.heard(), []);
}

#[tokio::test]
async fn of_several_addresses_none_of_ours_is_tried() {
    let receiver = Receiver::start().await;
    let poster = poster(&receiver, &[], mixed, Duration::from_millis(300));

    let answer = post(&poster, &format!("https://partner.example:{}/hook", receiver.address.port())).await;

    assert!(matches!(answer, Answer::Unreached(_) | Answer::Unanswered(_)), "{answer:?}");
    assert_eq!(receiver.heard(), []);
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_called() {
    let receiver = Receiver::start().await;
    let poster = poster(&receiver, &["partner.example:*"], once_ours, Duration::from_secs(5));

    let answer = post(&poster, &format!("http://partner.example:{}/hook", receiver.address.port())).await;

    assert!(matches!(answer, Answer::Status { .. }), "{answer:?}");
    assert_eq!(LOOKUPS.load(Ordering::SeqCst), 1, "the name is looked up once, by the guard");
}
