//! One change is one trace, over all four services.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tests::collector::{Collector, Span};
use tests::{Service, Shop, eventually};
use tonic::Request;

use crate::Stage;

const TRACE_ID: [u8; 16] = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes();
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What each service says of its part: the call that was answered, the steps that were carried out, the message sent.
const EXPECTED: [(Service, &str); 7] = [
    (Service::Order, "countermand.order.v1.ChangeOrderService/SubmitChangeOrder"),
    (Service::Order, "saga.step"),
    (Service::Inventory, "hold_goods"),
    (Service::Inventory, "release_goods"),
    (Service::Payment, "reserve_refund"),
    (Service::Payment, "settle_refund"),
    (Service::Notification, "notification.deliver"),
];

pub async fn a_change_is_one_trace_over_all_services(stage: &Stage) -> Result<()> {
    let collector = Collector::start().await?;
    let extra = [
        ("COUNTERMAND_TELEMETRY__OTLP_ENDPOINT", collector.url().to_owned()),
        // Of the exporter itself: it sends what it has after this many milliseconds.
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    let suite = stage.own_suite(&extra).await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let mut request = Request::new(shop.cancel_request(&order.order_id, &[]));
    request.metadata_mut().insert("traceparent", TRACEPARENT.parse()?);

    shop.clients.changes().submit_change_order(request).await?;

    let complete = async || Ok(missing(&collector.trace(TRACE_ID)).is_empty().then_some(()));
    let seen = eventually("every service takes part in the trace", complete).await;
    ensure!(
        seen.is_ok(),
        "missing {:?} in {:#?}",
        missing(&collector.trace(TRACE_ID)),
        collector.trace(TRACE_ID)
    );
    Ok(())
}

fn missing(trace: &BTreeSet<Span>) -> Vec<(Service, &'static str)> {
    let seen = |service: Service, name: &str| {
        trace.iter().any(|span| span.service == service.name() && span.name == name)
    };
    EXPECTED.into_iter().filter(|(service, name)| !seen(*service, name)).collect()
}
