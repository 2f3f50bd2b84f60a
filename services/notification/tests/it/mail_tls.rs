//! E-mail through a real SMTP server that encrypts: with a certificate that is trusted, and never without one.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use notification::config::{Mail, MailMode, MailTls};
use notification::domain::{Audience, Delivery, Outcome, Outlet, Progress};
use notification::ports::Carrier;
use notification::ports::mail::Mailer;
use tempfile::TempDir;
use types::{Clock, Ids, Tenant};

/// For `localhost` and 127.0.0.1, by an authority of its own that no system knows.
fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../libs/kit/tests/rpc/certificates").join(name)
}

/// aiosmtpd, which ends with this value.
struct Server {
    process: Child,
    port: u16,
    taken: TempDir,
}

impl Server {
    /// Without a mode it speaks in the clear.
    fn start(mode: &str) -> Option<Self> {
        let Ok(python) = std::env::var("COUNTERMAND_TEST_PYTHON") else {
            eprintln!("COUNTERMAND_TEST_PYTHON names no Python with aiosmtpd; tests/run does");
            return None;
        };
        let taken = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/smtp_sink.py");
        let mut command = Command::new(python);
        command.arg(script).arg(taken.path());
        if !mode.is_empty() {
            command.arg(mode).arg(certificate("server.pem")).arg(certificate("server.key"));
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().expect("the server prints its port; is aiosmtpd installed?");
        Some(Self { process, port, taken })
    }

    async fn send(&self, tls: MailTls, host: &str, ca_file: Option<PathBuf>) -> Outcome {
        let config = Mail {
            mode: MailMode::Smtp,
            host: host.to_owned(),
            port: self.port,
            tls,
            ca_file,
            timeout_seconds: 5,
            ..Mail::default()
        };
        Mailer::new(&config).unwrap().unwrap().carry(&Tenant::DEFAULT, &delivery()).await
    }

    fn taken(&self) -> usize {
        std::fs::read_dir(self.taken.path()).unwrap().count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("it is ours");
        self.process.wait().expect("it was started");
    }
}

fn delivery() -> Delivery {
    let clock = Clock::System;
    let ids = Ids::random(clock.clone());
    Delivery {
        delivery_id: ids.mint(),
        event_id: ids.mint(),
        outlet: Outlet::Email,
        recipient: "ann@home.example".to_owned(),
        audience: Audience::Buyer,
        template: "order.confirmed".to_owned(),
        locale: "en".to_owned(),
        order_id: None,
        change_order_id: None,
        stream: String::new(),
        payload: r#"{"order":{"number":"1042","total":"GBP 12.34","lines":2,"units":5}}"#.to_owned(),
        traceparent: None,
        progress: Progress::queued(),
        created_at: clock.now(),
    }
}

/// Not sent, and it may be tried again: a certificate is renewed some day.
fn later(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Later { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn mail_is_sent_over_starttls_and_over_tls_from_the_first_byte() {
    for (mode, tls) in [("starttls", MailTls::Starttls), ("implicit", MailTls::Implicit)] {
        let Some(server) = Server::start(mode) else { return };
        for host in ["localhost", "127.0.0.1"] {
            let outcome = server.send(tls, host, Some(certificate("ca.pem"))).await;
            assert!(matches!(outcome, Outcome::Taken { .. }), "{mode} {host}: {outcome:?}");
        }
        assert_eq!(server.taken(), 2);
    }
}

#[tokio::test]
async fn a_server_whose_certificate_nobody_vouches_for_is_told_nothing() {
    for (mode, tls) in [("starttls", MailTls::Starttls), ("implicit", MailTls::Implicit)] {
        let Some(server) = Server::start(mode) else { return };

        let outcome = server.send(tls, "localhost", None).await;

        assert!(later(&outcome).contains("certificate"), "{mode}: {outcome:?}");
        assert_eq!(server.taken(), 0);
    }
}

#[tokio::test]
async fn a_server_that_does_not_encrypt_is_told_nothing() {
    let Some(server) = Server::start("") else { return };
    for tls in [MailTls::Starttls, MailTls::Implicit] {
        let outcome = server.send(tls, "localhost", Some(certificate("ca.pem"))).await;

        assert!(!later(&outcome).is_empty());
        assert_eq!(server.taken(), 0);
    }
}

#[tokio::test]
async fn a_server_that_insists_on_encryption_takes_nothing_in_the_clear() {
    let Some(server) = Server::start("starttls") else { return };

    let outcome = server.send(MailTls::None, "127.0.0.1", None).await;

    assert!(!matches!(outcome, Outcome::Taken { .. }), "{outcome:?}");
    assert_eq!(server.taken(), 0);
}
