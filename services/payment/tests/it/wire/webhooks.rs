//! The webhook endpoint, spoken to byte by byte.

use std::collections::BTreeMap;
use std::time::Duration;

use payment::config::{Named, Secret};
use payment::ports::webhook::{BODY_BYTES_MAX, SIGNATURE_HEADER, sign};
use proto::payment::v1::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use types::{Clock, Timestamp};

use super::Running;
use crate::service::poll;

const NEW: &str = "whsec_new";
const OLD: &str = "whsec_old";
/// For what must happen; nothing waits for it when it does.
const PATIENCE: Duration = Duration::from_secs(30);
const OTHERS: &str = "whsec_of_another_tenant";

pub fn signing_sandbox() -> Named {
    let secrets = |texts: &[&str]| texts.iter().map(|text| Secret::new(*text)).collect::<Vec<_>>();
    let webhook_secrets: BTreeMap<_, _> =
        [("default".to_owned(), secrets(&[NEW, OLD])), ("other".to_owned(), secrets(&[OTHERS]))].into();
    Named { webhook_secrets, timeout_ms: 300, ..Named::default() }
}

fn now() -> Timestamp {
    Clock::System.now()
}

fn body(event_id: &str, refund_id: &str) -> String {
    let created = now().seconds_and_nanos().0;
    format!(
        r#"{{"id":"{event_id}","type":"refund.updated","created":{created},"data":{{"object":{{"id":"re_1","metadata":{{"refund_id":"{refund_id}"}}}}}}}}"#
    )
}

impl Running {
    /// The status that the endpoint answers.
    async fn deliver(&self, path: &str, signature: Option<&str>, body: &[u8]) -> u16 {
        let mut stream = tokio::net::TcpStream::connect(self.webhooks).await.unwrap();
        let signature = signature.map(|value| format!("{SIGNATURE_HEADER}: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{signature}content-length: {}\r\n\r\n",
            body.len()
        );
        // The endpoint may answer and close before it has read what is too long.
        drop(stream.write_all(head.as_bytes()).await);
        drop(stream.write_all(body).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        let status = std::str::from_utf8(answer.get(9..12).unwrap_or(b"000")).unwrap();
        status.parse().unwrap()
    }

    async fn events(&self) -> Vec<GatewayEvent> {
        let request = ListGatewayEventsRequest::default();
        self.payments().list_gateway_events(request).await.unwrap().into_inner().events
    }
}

const PATH: &str = "/webhooks/default/sandbox";

#[tokio::test]
async fn f69_a_forged_webhook_is_refused_and_leaves_nothing() {
    for service in Running::on_each_engine("f69").await {
        let body = body("evt_1", "rfd_1");
        let good = sign(&[NEW], body.as_bytes(), now());
        let status = async |path: &str, signature: Option<&str>, body: &[u8]| {
            service.deliver(path, signature, body).await
        };

        assert_eq!(status(PATH, None, body.as_bytes()).await, 401, "unsigned");
        for wrong in ["", "v1=00", "t=1", "t=x,v1=00", &good.replace("v1=", "v0=")] {
            assert_eq!(status(PATH, Some(wrong), body.as_bytes()).await, 401, "{wrong:?}");
        }
        for secret in ["", "whsec", OTHERS] {
            let forged = sign(&[secret], body.as_bytes(), now());
            assert_eq!(status(PATH, Some(&forged), body.as_bytes()).await, 401, "{secret:?}");
        }
        for path in ["/webhooks/other/sandbox", "/webhooks/default/stripe", "/webhooks/nobody/sandbox"] {
            assert_eq!(status(path, Some(&good), body.as_bytes()).await, 401, "{path}");
        }
        for place in 0..body.len() {
            let mut altered = body.clone().into_bytes();
            altered[place] ^= 1;
            assert_eq!(status(PATH, Some(&good), &altered).await, 401, "byte {place}");
        }
        let long = vec![b' '; BODY_BYTES_MAX + 1];
        let signed = sign(&[NEW], &long, now());
        assert_eq!(status(PATH, Some(&signed), &long).await, 413);

        assert!(service.events().await.is_empty(), "nothing is kept of what is not proven");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_webhook_that_is_never_finished_is_given_up() {
    let service = Running::on_each_engine("wire_unfinished").await.remove(0);
    let begun = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{\"id\"");
    for (said, answer) in [("", ""), ("POST /webhooks/def", ""), (begun.as_str(), "HTTP/1.1 408")] {
        let mut stream = tokio::net::TcpStream::connect(service.webhooks).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();

        let mut heard = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await;

        drop(closed.expect("the connection stays open"));
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.starts_with(answer), "{said:?} was answered {heard:?}");
    }
    service.stop().await;
}

#[tokio::test]
async fn f70_a_webhook_is_taken_once_within_its_time() {
    for service in Running::on_each_engine("f70_http").await {
        let body = body("evt_1", "rfd_1");
        let old = Timestamp::from_seconds_and_nanos(now().seconds_and_nanos().0 - 301, 0).unwrap();
        let late = sign(&[NEW], body.as_bytes(), old);
        assert_eq!(service.deliver(PATH, Some(&late), body.as_bytes()).await, 400);
        assert!(service.events().await.is_empty());

        for secret in [NEW, OLD] {
            let good = sign(&[secret], body.as_bytes(), now());
            for _ in 0..5 {
                assert_eq!(service.deliver(PATH, Some(&good), body.as_bytes()).await, 200);
            }
        }

        assert_eq!(service.events().await.len(), 1);
        service.stop().await;
    }
}

#[tokio::test]
async fn f46_a_webhook_ends_a_refund_whose_answer_is_lost() {
    for service in Running::on_each_engine("f46_http").await {
        let (order, _) = service.place("tok_refund_timeout", 100).await;
        let saga = service.id::<types::SagaId>();
        let reserved = service.applied(service.reserve(&saga, &order, 0)).await;
        let refund_id = reserved.legs[0].refund_id.clone();
        let settling = service.run(super::settle(&saga, &order));
        let told = async {
            let body = body("evt_1", &refund_id);
            let good = sign(&[NEW], body.as_bytes(), now());
            service.deliver(PATH, Some(&good), body.as_bytes()).await
        };
        let (settled, status) = futures::future::join(settling, told).await;

        assert_eq!(status, 200);
        drop(settled.unwrap());
        let found = poll(async || {
            let request = GetRefundRequest { refund_id: refund_id.clone() };
            let refund = service.refunds().get_refund(request).await.unwrap().into_inner().refund.unwrap();
            (refund.state() == RefundState::Succeeded).then_some(refund)
        })
        .await;
        assert_eq!(found.explanation.unwrap_or_default().tenders.len(), 1);
        let events = service.events().await;
        assert_eq!((events.len(), events[0].event_id.as_str()), (1, "evt_1"));
        service.stop().await;
    }
}

#[tokio::test]
async fn an_operator_reconciles_retries_and_resolves_over_the_wire() {
    for service in Running::on_each_engine("mend_http").await {
        let (order, payment) = service.place("tok_refund_decline", 100).await;
        let reply = service.cancel(&order).await;
        let failed = reply.legs[0].refund_id.clone();
        let retry = RetryRefundRequest {
            request_id: "r-1".to_owned(),
            refund_id: failed.clone(),
            payment_id: String::new(),
        };

        let again = service.refunds().retry_refund(retry.clone()).await.unwrap().into_inner().refund.unwrap();
        assert_eq!((again.retry_of.as_str(), again.amount_minor), (failed.as_str(), 100));
        let same = service.refunds().retry_refund(retry.clone()).await.unwrap().into_inner().refund.unwrap();
        assert_eq!(same.refund_id, again.refund_id);
        let other_body = RetryRefundRequest { payment_id: payment.clone(), ..retry };
        let reused = service.refunds().retry_refund(other_body).await.unwrap_err();
        assert_eq!(super::refused(&reused), types::Reason::IdempotencyKeyReused);

        let resolve = ResolveRefundRequest {
            request_id: "r-2".to_owned(),
            refund_id: again.refund_id.clone(),
            reference: "transfer 7".to_owned(),
            note: String::new(),
        };
        let resolved = poll(async || service.refunds().resolve_refund(resolve.clone()).await.ok()).await;
        let resolved = resolved.into_inner().refund.unwrap();
        assert_eq!(resolved.state(), RefundState::ResolvedExternally);
        assert_eq!(resolved.resolution_reference, "transfer 7");

        let request = ReconcilePaymentRequest { payment_id: payment };
        let reconciled = service.payments().reconcile_payment(request).await.unwrap().into_inner();
        assert!(!reconciled.changed, "{reconciled:?}");
        let request = GetMoneyPositionRequest { order_id: order };
        let position =
            service.payments().get_money_position(request).await.unwrap().into_inner().position.unwrap();
        assert_eq!((position.by_hand_minor, position.owed_minor, position.position_minor), (100, 0, 0));
        assert_eq!(position.tenders.len(), 1);
        assert_eq!(position.tenders[0].confirmed_minor, position.confirmed_minor);
        service.stop().await;
    }
}
