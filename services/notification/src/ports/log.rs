//! The log channel: one structured line per notification, for whatever reads the logs.

use kit::telemetry;
use types::text;

use crate::store::notifications::Owned;

/// Writes the line inside the trace of the request that caused it. `telemetry.log_filter` must let `info` of the
/// target `notification` through, or the channel is mute.
pub fn write(Owned { tenant, notification }: &Owned) {
    let span = tracing::info_span!("notification.deliver", otel.kind = "producer");
    if let Some(traceparent) = &notification.traceparent {
        telemetry::continue_from(&span, traceparent);
    }
    let _inside = span.entered();
    tracing::info!(
        target: "notification",
        %tenant,
        notification_id = %notification.notification_id,
        event_id = %notification.event_id,
        order_id = notification.order_id.as_ref().map(tracing::field::display),
        change_order_id = notification.change_order_id.as_ref().map(tracing::field::display),
        template = notification.template,
        audience = notification.audience.as_str(),
        subject = text::display(&notification.subject),
        body = text::display(&notification.body),
        "notification"
    );
}
