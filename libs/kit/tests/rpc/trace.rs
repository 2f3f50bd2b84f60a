use std::sync::OnceLock;

use kit::config::Telemetry;
use kit::{Failure, telemetry};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tonic::Request;
use tonic::metadata::AsciiMetadataValue;

use crate::desk::{Desk, ask, connect, text};

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// A process has one subscriber, whichever test comes first.
fn traced() {
    static GUARD: OnceLock<telemetry::Guard> = OnceLock::new();
    GUARD.get_or_init(|| {
        let quiet = Telemetry { log_filter: "off".to_owned(), ..Telemetry::default() };
        telemetry::init("desk", &quiet).unwrap()
    });
}

fn traceparent() -> Result<String, Failure> {
    telemetry::traceparent().ok_or_else(|| Failure::internal("the call has no trace"))
}

#[tokio::test]
async fn a_trace_is_carried_through_a_hop() {
    traced();
    let inner = Desk::new(async |_| traceparent()).start().await;
    let channel = connect(&inner.public);
    let outer = Desk::new(move |_| {
        let mut client = AuditServiceClient::new(channel.clone());
        async move {
            let inner = text(&mut client).await.map_err(|status| Failure::internal(status.message()))?;
            Ok(format!("{} {inner}", traceparent()?))
        }
    })
    .start()
    .await;
    let mut request = Request::new(ask(""));
    let sent = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    let value = AsciiMetadataValue::try_from(sent.as_str()).unwrap();
    request.metadata_mut().insert("traceparent", value);

    // Without telemetry in between: the caller's own channel would continue the test's trace.
    let mut client = AuditServiceClient::new(
        tonic::transport::Endpoint::from_shared(outer.public.clone()).unwrap().connect_lazy(),
    );
    let reply = client.list_gateway_effects(request).await.unwrap().into_inner().next_page_token;

    let (outer, inner) = reply.split_once(' ').unwrap();
    for traceparent in [outer, inner] {
        assert!(traceparent.starts_with(&format!("00-{TRACE_ID}-")), "{traceparent} left the trace");
    }
    assert_ne!(outer, inner, "two calls are two spans");
    assert_ne!(outer, sent, "the server's span is its own");
}

#[tokio::test]
async fn work_that_goes_on_later_joins_the_trace_it_was_stored_with() {
    traced();
    let stored = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    let span = tracing::info_span!("later");

    telemetry::continue_from(&span, &stored);

    let now = span.in_scope(|| telemetry::traceparent().unwrap());
    assert!(now.starts_with(&format!("00-{TRACE_ID}-")), "{now}");
}
