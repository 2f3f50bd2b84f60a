//! Books that are read while people work on: what moves between two services' readings breaks nothing.

use crate::clients::{Clients, Service};
use crate::demo::scene::Scene;
use crate::verify::books::Books;
use crate::verify::facts::Facts;
use crate::verify::heads::Heads;
use crate::verify::{PATIENCE, Verdict, check, read};

/// Orders that are placed and cancelled while the books are read.
const ORDERS: usize = 30;

pub async fn nothing_is_broken_while_it_moves(clients: &Clients) {
    Scene::new(clients).receive_stock().await.unwrap();
    let work = async {
        for number in 0..ORDERS {
            place_and_cancel(clients, &format!("O-MOVING-{number}")).await;
        }
    };
    tokio::pin!(work);
    for reading in 1.. {
        let facts = async { read(clients).await.unwrap() };
        tokio::pin!(facts);
        let facts = tokio::select! {
            facts = &mut facts => facts,
            () = &mut work => {
                assert!(reading > 3, "the books were read only {reading} times meanwhile");
                return;
            }
        };
        let report = check(&facts);
        assert_eq!(report.verdict(), Verdict::Holds, "reading {reading}: {}", report.text());
    }
}

/// Each pair of services, one read long before the other: whatever happened in between belongs to orders that moved.
pub async fn books_of_two_moments_break_nothing(clients: &Clients) {
    let before = Heads::read(clients).await.unwrap();
    let early = Books::download(clients, &Service::ALL, PATIENCE).await.unwrap();
    for number in 0..3 {
        place_and_cancel(clients, &format!("O-BETWEEN-{number}")).await;
    }
    let late = super::settled(clients).await;
    let after = Heads::read(clients).await.unwrap();

    for read_early in 1..Service::ALL.len() {
        let facts = Facts::new(mixed(&early, &late, read_early), &[&before, &after]);
        let report = check(&facts);
        assert_eq!(report.verdict(), Verdict::Holds, "{read_early} services early: {}", report.text());
    }
}

/// As `verify` reads: the gateway's book first, then the services one after the other.
fn mixed(early: &Books, late: &Books, read_early: usize) -> Books {
    let mut books = Books::default();
    books.gateways.clone_from(&early.gateways);
    for (place, service) in Service::ALL.into_iter().enumerate() {
        let from = if place < read_early { early } else { late };
        for name in from.names(service) {
            for row in from.rows(service, &name) {
                books.add(service, &name, row.columns(), row.cells().clone());
            }
        }
    }
    books
}

async fn place_and_cancel(clients: &Clients, number: &str) {
    let scene = Scene::new(clients);
    let order = scene.place(number, &[(0, 2)], (0, 0), &[("tok_approve", 678, true)]).await.unwrap();
    scene.cancel(&order.order_id, &[(1, 1)], "").await.unwrap();
    scene.cancel(&order.order_id, &[], "").await.unwrap();
}
