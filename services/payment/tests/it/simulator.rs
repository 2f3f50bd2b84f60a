//! The simulator: told to misbehave, and telling by webhooks what has changed.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use payment::domain::gateway::{Answer, DisputeState, EventKind, FoundDispute, GatewayEvent};
use payment::ports::gateway::Gateway;
use payment::ports::sandbox::face::Face;
use payment::ports::sandbox::{self, Delays, Sandbox};
use payment::ports::simulator::Simulator;
use payment::ports::{http, webhook};
use serde_json::{Value, json};
use storage::testing;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use types::{Clock, Timestamp};

use crate::contract::{Paid, Shows, Subject, done, is_open};

const TIMEOUT: Duration = Duration::from_millis(800);
const NOW: &str = "2026-11-22T02:00:00.000000Z";

/// A simulator with the adapter that calls it.
pub struct Simulated {
    pub subject: Subject,
    url: String,
    client: reqwest::Client,
}

/// One simulator on each engine there is.
pub async fn on_each_engine(name: &str) -> Vec<Simulated> {
    let mut all = Vec::new();
    for database in testing::databases(name).await {
        database.migrate(sandbox::NAME, sandbox::MIGRATIONS).await.unwrap();
        let clock = Clock::manual(Timestamp::parse(NOW).unwrap());
        let delays = Delays { late: Duration::from_mins(1), fail_after: Duration::from_mins(1) };
        let face = Face::new(Sandbox::start(database, clock.clone(), delays), clock).unwrap();
        let url = serve(face.router()).await;
        let gateway = Gateway::Simulator(Simulator::new(&url, TIMEOUT).unwrap());
        let shows = Shows { keys: true, cap: false, search: true };
        let subject = Subject::new(gateway, shows, ["tok_approve", "tok_decline"]);
        all.push(Simulated { subject, url, client: http::client(Duration::from_secs(20)).unwrap() });
    }
    all
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

impl Simulated {
    pub fn address(&self) -> std::net::SocketAddr {
        self.url.trim_start_matches("http://").parse().unwrap()
    }

    async fn control(&self, path: &str, body: &Value) -> StatusCode {
        let url = format!("{}/control/default{path}", self.url);
        self.client.post(url).json(body).send().await.unwrap().status()
    }

    async fn told(&self, path: &str, body: &Value) {
        let status = self.control(path, body).await;
        assert!(status.is_success(), "{path}: {status}");
    }

    async fn send_webhooks_to(&self, receiver: &Receiver, at_once: bool) {
        let body = json!({ "url": receiver.url, "secrets": ["new", "old"], "at_once": at_once });
        let url = format!("{}/control/default/webhooks", self.url);
        assert!(self.client.put(url).json(&body).send().await.unwrap().status().is_success());
    }

    /// A payment of 1,000 with a card that says how its refunds go.
    async fn paid_with(&mut self, card: &str) -> Paid {
        card.clone_into(&mut self.subject.card);
        self.subject.captured(1_000).await
    }
}

/// An endpoint that takes webhooks and believes only signed ones.
#[derive(Clone, Default)]
struct Receiver {
    url: String,
    taken: Arc<Mutex<Vec<GatewayEvent>>>,
}

impl Receiver {
    async fn start() -> Self {
        let mut receiver = Self::default();
        let router = Router::new().route("/", post(take)).with_state(receiver.clone());
        receiver.url = serve(router).await;
        receiver
    }

    fn taken(&self) -> Vec<GatewayEvent> {
        self.taken.lock().unwrap().clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers.get(webhook::SIGNATURE_HEADER).unwrap().to_str().unwrap();
    let now = Timestamp::parse(NOW).unwrap();
    // Either of the live secrets alone proves it.
    for secret in ["new", "old"] {
        webhook::verify(header, &body, &[secret], now).unwrap();
    }
    assert!(webhook::verify(header, &body, &["another"], now).is_err());
    receiver.taken.lock().unwrap().push(webhook::parse("simulator", &body).unwrap());
    StatusCode::OK
}

#[tokio::test]
async fn every_fault_it_is_told_to_make_leaves_one_refund_in_the_end() {
    for simulated in on_each_engine("sim_faults").await {
        let subject = &simulated.subject;
        for (fault, applies) in [
            ("limited", false),
            ("fail_before", false),
            ("hang_before", false),
            ("fail_after", true),
            ("hang_after", true),
        ] {
            let paid = subject.captured(1_000).await;
            let task = subject.refund_task(&paid, 100);
            simulated.told("/faults", &json!({ "fault": fault })).await;

            assert!(is_open(&subject.call(&task).await), "{fault}");

            assert_eq!(subject.query(&task).await.is_some(), applies, "{fault}");
            done(&subject.call(&task).await);
            assert_eq!(subject.made_by(&task, &paid).await.len(), 1, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_pending_refund_ends_when_and_as_it_is_told() {
    for mut simulated in on_each_engine("sim_ends").await {
        let paid = simulated.paid_with("tok_refund_pending").await;
        let receiver = Receiver::start().await;
        simulated.send_webhooks_to(&receiver, true).await;
        let subject = &simulated.subject;
        let (first, second) = (subject.refund_task(&paid, 100), subject.refund_task(&paid, 200));
        for task in [&first, &second] {
            assert!(matches!(subject.call(task).await, Answer::Pending { .. }));
        }
        let end = |task: &payment::domain::gateway::Task| format!("/refunds/{}/end", task.subject.key());

        simulated.told(&end(&first), &json!({ "outcome": "succeeded" })).await;
        simulated.told(&end(&second), &json!({ "outcome": "failed" })).await;

        done(&subject.query(&first).await.unwrap());
        assert!(matches!(subject.query(&second).await, Some(Answer::Declined { .. })));
        let again = simulated.control(&end(&second), &json!({ "outcome": "succeeded" })).await;
        assert_eq!(again, StatusCode::CONFLICT, "what has ended stays ended");
        simulated.told(&end(&first), &json!({ "outcome": "failed_after" })).await;
        assert!(matches!(subject.query(&first).await, Some(Answer::FailedAfter { .. })));
        let told = receiver.taken();
        let of_first =
            told.iter().filter(|event| event.our_reference.as_deref() == Some(first.subject.key()));
        assert_eq!(of_first.count(), 3, "pending, succeeded, failed after");
        assert_eq!(told.len(), 5);
        assert!(told.iter().all(|event| event.kind == EventKind::Refund));
    }
}

#[tokio::test]
async fn a_webhook_at_once_comes_before_the_answer() {
    for simulated in on_each_engine("sim_first").await {
        let receiver = Receiver::start().await;
        simulated.send_webhooks_to(&receiver, true).await;
        let subject = &simulated.subject;
        let paid = subject.captured(1_000).await;
        let task = subject.refund_task(&paid, 100);
        simulated.told("/faults", &json!({ "fault": "hang_after" })).await;

        assert!(is_open(&subject.call(&task).await), "the answer has not come");

        let told = receiver.taken();
        assert_eq!(told.len(), 1, "and the webhook has");
        assert_eq!(told[0].our_reference.as_deref(), Some(task.subject.key()));
        assert_eq!(told[0].payment_reference, paid.authorisation);
    }
}

#[tokio::test]
async fn webhooks_come_twice_and_backwards_when_told_to() {
    for simulated in on_each_engine("sim_order").await {
        let receiver = Receiver::start().await;
        simulated.send_webhooks_to(&receiver, false).await;
        let subject = &simulated.subject;
        let paid = subject.captured(1_000).await;
        let task = subject.refund_task(&paid, 100);
        done(&subject.call(&task).await);
        let end = format!("/refunds/{}/end", task.subject.key());
        simulated.told(&end, &json!({ "outcome": "failed_after" })).await;
        assert_eq!(receiver.taken(), [], "they wait to be delivered");

        simulated.told("/webhooks/deliver", &json!({ "reversed": true, "copies": 2 })).await;
        simulated.told("/webhooks/deliver", &json!({})).await;

        let ids: Vec<String> = receiver.taken().into_iter().map(|event| event.event_id).collect();
        let (made, failed) = (
            format!("evt_{}_applied", task.subject.key()),
            format!("evt_{}_failed_after", task.subject.key()),
        );
        assert_eq!(
            ids,
            [failed.clone(), failed, made.clone(), made],
            "each twice, the last first, and none again"
        );
    }
}

#[tokio::test]
async fn what_is_done_at_the_dashboard_is_in_the_book_and_told() {
    for simulated in on_each_engine("sim_dashboard").await {
        let receiver = Receiver::start().await;
        simulated.send_webhooks_to(&receiver, true).await;
        let subject = &simulated.subject;
        let paid = subject.captured(1_000).await;
        let of_payment = format!("/payments/{}", paid.payment_id);

        let refund = json!({ "reference": "by-hand-1", "amount_minor": 300 });
        for _ in 0..2 {
            simulated.told(&format!("{of_payment}/refunds"), &refund).await;
        }
        for state in ["open", "lost"] {
            let dispute = json!({ "reference": "dp-1", "amount_minor": 700, "state": state });
            simulated.told(&format!("{of_payment}/disputes"), &dispute).await;
        }

        let statement = subject.statement(&paid).await;
        assert_eq!(statement.captured_minor, 1_000);
        assert_eq!(statement.refunds.len(), 1, "the same reference is the same refund");
        assert_eq!((statement.refunds[0].amount_minor, statement.refunds[0].refund_id.as_ref()), (300, None));
        let dispute = FoundDispute {
            gateway_reference: "dp-1".to_owned(),
            amount_minor: 700,
            state: DisputeState::Lost,
        };
        assert_eq!(statement.disputes, [dispute]);
        let told = receiver.taken();
        let kinds: Vec<EventKind> = told.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [EventKind::Refund, EventKind::Dispute, EventKind::Dispute]);
        assert_eq!(told[0].our_reference, None, "it is none of ours");
    }
}

#[tokio::test]
async fn what_it_cannot_read_it_refuses() {
    for simulated in on_each_engine("sim_refusals").await {
        let paid = simulated.subject.captured(1_000).await;
        for (path, body) in [
            ("/faults", json!({ "fault": "explode" })),
            ("/refunds/rfd_1/end", json!({ "outcome": "perhaps" })),
            ("/payments/pay_1/refunds", json!({ "reference": "a", "amount_minor": 1 })),
            (
                &*format!("/payments/{}/refunds", paid.payment_id),
                json!({ "reference": "a", "amount_minor": 0 }),
            ),
            (
                &*format!("/payments/{}/refunds", paid.payment_id),
                json!({ "reference": "a/b", "amount_minor": 1 }),
            ),
        ] {
            assert_eq!(simulated.control(path, &body).await, StatusCode::BAD_REQUEST, "{path} {body}");
        }
        let much = simulated.control("/faults", &json!({ "fault": "limited", "times": 1_001 })).await;
        assert_eq!(much, StatusCode::CONFLICT);
    }
}

/// The simulator as a process of its own; killed when dropped.
struct Process {
    child: tokio::process::Child,
    url: String,
}

async fn process(database: &str) -> Process {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_payment"));
    command.args(["simulator", "--listen", "127.0.0.1:0", "--database", database]);
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    assert!(line.contains("simulated") && line.contains("no money moves"), "{line}");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    Process { url: url.trim_end_matches(';').to_owned(), child }
}

#[tokio::test]
async fn the_process_keeps_its_book_when_it_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", directory.path().join("gateway.db").display());
    let adapter = |process: &Process| Gateway::Simulator(Simulator::new(&process.url, TIMEOUT * 10).unwrap());
    let shows = Shows { keys: true, cap: false, search: true };
    let mut first = process(&database).await;
    let mut subject = Subject::new(adapter(&first), shows, ["tok_approve", "tok_decline"]);
    let paid = subject.captured(1_000).await;
    let task = subject.refund_task(&paid, 100);
    let reference = done(&subject.call(&task).await);

    first.child.kill().await.unwrap();
    assert!(is_open(&subject.call(&task).await), "nobody is there");
    let second = process(&database).await;
    subject.gateway = adapter(&second);

    assert_eq!(done(&subject.call(&task).await), reference);
    assert_eq!(subject.made_by(&task, &paid).await.len(), 1);
}
