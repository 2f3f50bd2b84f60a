//! E-mail through a real SMTP server (aiosmtpd) that refuses, delays, and drops the connection in the crash window. On both
//! engines; `COUNTERMAND_TEST_PYTHON` names a Python that has aiosmtpd, as `tests/run` installs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use notification::config::{Mail, MailMode, MailTls};
use notification::domain::{Audience, Delivery, DeliveryState, Outlet, Progress};
use notification::ops::Dispatch;
use notification::ports::mail::{Mailer, message_id};
use notification::store::deliveries::{self, Claimed, DeliveryFilter};
use storage::testing;
use tempfile::TempDir;
use types::Tenant;

use crate::events::World;

const A_DAY: Duration = Duration::from_hours(30);
const FACTS: &str = r#"{"order":{"number":"1042","total":"GBP 12.34","lines":2,"units":5}}"#;

/// The server's process, which ends with its standard input.
struct Server {
    process: Child,
    port: u16,
    taken: TempDir,
}

impl Server {
    fn start() -> Option<Self> {
        let Ok(python) = std::env::var("COUNTERMAND_TEST_PYTHON") else {
            eprintln!("COUNTERMAND_TEST_PYTHON names no Python with aiosmtpd; tests/run does");
            return None;
        };
        let taken = tempfile::tempdir().expect("a test needs what it set up");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/smtp_sink.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(taken.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the named Python starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("a test needs what it set up"))
            .read_line(&mut line)
            .expect("a test needs what it set up");
        let port = line.trim().parse().expect("the server prints its port; is aiosmtpd installed?");
        Some(Self { process, port, taken })
    }

    fn mailer(&self) -> Mailer {
        let config = Mail {
            mode: MailMode::Smtp,
            from: "Shop <orders@shop.example>".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            tls: MailTls::None,
            timeout_seconds: 2,
            ..Mail::default()
        };
        Mailer::new(&config).expect("a test needs what it set up").expect("a test needs what it set up")
    }

    /// Every message taken, in order.
    fn taken(&self) -> Vec<String> {
        let mut files: Vec<_> = fs::read_dir(self.taken.path())
            .expect("a test needs what it set up")
            .map(|entry| entry.expect("a test needs what it set up").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .collect();
        files.sort();
        files.iter().map(|path| fs::read_to_string(path).expect("a test needs what it set up")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it was started");
    }
}

fn delivery(world: &World, recipient: &str, facts: &str) -> Delivery {
    Delivery {
        delivery_id: world.ids.mint(),
        event_id: world.ids.mint(),
        outlet: Outlet::Email,
        recipient: recipient.to_owned(),
        audience: Audience::Buyer,
        template: "order.confirmed".to_owned(),
        locale: "en".to_owned(),
        order_id: None,
        change_order_id: None,
        stream: String::new(),
        payload: facts.to_owned(),
        traceparent: None,
        progress: Progress::queued(),
        created_at: world.clock.now(),
    }
}

async fn queue(world: &World, new: &[Delivery]) {
    let new: Vec<Claimed> =
        new.iter().map(|it| Claimed { tenant: Tenant::DEFAULT, delivery: it.clone() }).collect();
    let mut tx = world.database.begin().await.expect("a test needs what it set up");
    deliveries::insert(&mut tx, &new).await.expect("a test needs what it set up");
    tx.commit().await.expect("a test needs what it set up");
}

/// "recipient state tries" of every delivery, oldest first.
async fn states(world: &World) -> Vec<String> {
    let rows = listed(world).await;
    let row =
        |it: &Delivery| format!("{} {} {}", it.recipient, it.progress.state.as_str(), it.progress.tries);
    rows.iter().map(row).collect()
}

async fn listed(world: &World) -> Vec<Delivery> {
    let mut tx = world.database.read().await.expect("a test needs what it set up");
    let rows = deliveries::list(&mut tx, &Tenant::DEFAULT, &DeliveryFilter::default(), "", 500)
        .await
        .expect("a test needs what it set up");
    tx.rollback().await;
    rows
}

fn dispatch(world: &World, mailer: Mailer) -> Dispatch<Mailer> {
    Dispatch::new(world.database.clone(), world.clock.clone(), &world.ids, mailer)
}

/// Everything that is due, and what falls due within a few days.
async fn days(world: &World, worker: &Dispatch<Mailer>) {
    for _ in 0..4 {
        while worker.turn().await.expect("a test needs what it set up") > 0 {}
        testing::advance_clock(&world.database, A_DAY);
    }
}

fn ids(taken: &[String]) -> Vec<String> {
    let id = |mail: &String| mail.lines().find(|line| line.starts_with("Message-ID:")).map(str::to_owned);
    taken.iter().filter_map(id).collect()
}

#[tokio::test]
async fn each_recipient_is_answered_for_itself() {
    let Some(server) = Server::start() else { return };
    for (number, world) in World::each("mail_each").await.into_iter().enumerate() {
        let at = format!("engine{number}.example");
        let all = ["ok", "gone", "full", "later", "never"].map(|local| format!("{local}@{at}"));
        let before = server.taken().len();
        queue(&world, &all.clone().map(|to| delivery(&world, &to, FACTS))).await;

        days(&world, &dispatch(&world, server.mailer())).await;

        assert_eq!(
            states(&world).await,
            [
                format!("ok@{at} sent 1"),
                format!("gone@{at} dead 1"),
                format!("full@{at} sent 2"),
                format!("later@{at} sent 2"),
                format!("never@{at} dead 1"),
            ]
        );
        assert_eq!(server.taken().len() - before, 3);
        let rows = listed(&world).await;
        assert!(rows[0].progress.provider_id.as_ref().unwrap().contains("taken as"));
        assert!(rows[1].progress.last_error.as_ref().unwrap().contains("no such user"));
        // Nobody lives there: the next mail is not even offered. A policy that refuses one mail may take another.
        queue(&world, &[delivery(&world, &all[1], FACTS), delivery(&world, &all[4], FACTS)]).await;
        days(&world, &dispatch(&world, server.mailer())).await;
        let rows = listed(&world).await;
        assert_eq!(rows[5].progress.state, DeliveryState::Suppressed);
        assert!(rows[5].progress.last_error.as_ref().unwrap().starts_with("hard_bounce"));
        assert_eq!(rows[6].progress.state, DeliveryState::Dead);
    }
}

#[tokio::test]
async fn a_connection_that_drops_after_the_message_makes_one_duplicate_with_the_same_message_id() {
    let Some(server) = Server::start() else { return };
    for (number, world) in World::each("mail_crash").await.into_iter().enumerate() {
        let to = ["crash", "mute"].map(|local| format!("{local}@engine{number}.example"));
        let before = server.taken().len();
        queue(&world, &to.clone().map(|to| delivery(&world, &to, FACTS))).await;

        days(&world, &dispatch(&world, server.mailer())).await;

        assert_eq!(states(&world).await, to.map(|to| format!("{to} sent 2")));
        let mut ids = ids(&server.taken()[before..]);
        assert_eq!(ids.len(), 4, "each arrived twice");
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 2, "under the same Message-ID");
    }
}

#[tokio::test]
async fn a_server_that_is_away_loses_nothing_and_doubts_nothing() {
    let Some(server) = Server::start() else { return };
    let mailer = server.mailer();
    let port = server.port;
    drop(server);
    for world in World::each("mail_away").await.into_iter().take(1) {
        queue(&world, &[delivery(&world, "ok@shop.example", FACTS)]).await;
        let worker = dispatch(&world, server_less(port));

        assert_eq!(worker.turn().await, Ok(1));

        let row = &listed(&world).await[0];
        assert_eq!((row.progress.state, row.progress.in_doubt), (DeliveryState::Failed, 0));
    }
    drop(mailer);
}

fn server_less(port: u16) -> Mailer {
    let config = Mail {
        mode: MailMode::Smtp,
        host: "127.0.0.1".to_owned(),
        port,
        tls: MailTls::None,
        timeout_seconds: 2,
        ..Mail::default()
    };
    Mailer::new(&config).expect("a test needs what it set up").expect("a test needs what it set up")
}

#[tokio::test]
async fn a_mail_has_text_and_html_and_nothing_in_it_begins_a_header() {
    let Some(server) = Server::start() else { return };
    for world in World::each("mail_hostile").await.into_iter().take(1) {
        let hostile = r#"{"order":{"number":"1\r\nBcc: thief@evil.example\r\n\r\n<script>","total":"GBP 1","lines":1,"units":1}}"#;
        queue(&world, &[delivery(&world, "ok@shop.example", hostile)]).await;

        days(&world, &dispatch(&world, server.mailer())).await;

        let mail = server.taken().remove(0);
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert!(
            !head.contains("\nBcc:") && head.contains("Subject: Order 1 Bcc: thief@evil.example"),
            "{head}"
        );
        assert!(head.starts_with("To-Envelope: ok@shop.example\r\n"), "{head}");
        assert!(head.contains("multipart/alternative"), "{head}");
        let (text, html) = body.split_once("text/html").unwrap();
        assert!(text.contains("text/plain") && !html.contains("<script>"), "{body}");
        let id = message_id("shop.example", &Tenant::DEFAULT, &listed(&world).await[0]);
        assert!(head.contains(&format!("Message-ID: {id}")), "{head}");
    }
}

#[tokio::test]
async fn without_a_server_mails_are_files_and_each_stands_there_once() {
    let directory = tempfile::tempdir().unwrap();
    for world in World::each("mail_files").await.into_iter().take(1) {
        let config =
            Mail { mode: MailMode::File, directory: directory.path().join("mail"), ..Mail::default() };
        let mailer = || Mailer::new(&config).unwrap().unwrap();
        let one = delivery(&world, "ok@shop.example", FACTS);
        queue(&world, std::slice::from_ref(&one)).await;

        days(&world, &dispatch(&world, mailer())).await;
        // The same once more, as after a crash.
        notification::ports::Carrier::carry(&mailer(), &Tenant::DEFAULT, &one).await;

        assert_eq!(states(&world).await, ["ok@shop.example sent 1"]);
        assert_eq!(fs::read_dir(directory.path().join("mail")).unwrap().count(), 1);
    }
}

#[test]
fn mail_is_off_until_it_is_configured_and_never_sent_in_the_clear_over_a_network() {
    assert!(Mailer::new(&Mail::default()).unwrap().is_none());
    let to_a_network =
        Mail { mode: MailMode::Smtp, host: "mail.example".to_owned(), tls: MailTls::None, ..Mail::default() };
    assert!(Mailer::new(&to_a_network).is_err());
    let encrypted = Mail { tls: MailTls::Starttls, ..to_a_network };
    assert!(Mailer::new(&encrypted).is_ok());
}
