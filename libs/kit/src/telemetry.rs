//! Logs and traces of one process, and the trace context that travels with work.
//!
//! Spans always get trace ids, so that a log line, an outbox row and a saga step can be joined; they
//! are exported only when a collector is configured. Logs go to standard error: standard output
//! belongs to the command line's answers.

mod json;

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use proto::common::v1::StepContext;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::{EnvFilter, ParseError};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, Registry};

use self::json::Json;
use crate::config::{LogFormat, Telemetry};

/// Flushes what was recorded when it is dropped; `main` holds it to the end.
#[must_use = "dropping the guard ends the export of spans"]
pub struct Guard {
    provider: SdkTracerProvider,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("reading telemetry.log_filter {filter:?}")]
    Filter { filter: String, source: ParseError },
    #[error("making the exporter for telemetry.otlp_endpoint")]
    Exporter(#[from] ExporterBuildError),
    #[error("installing the log subscriber, which a process may do once")]
    AlreadyInstalled(#[from] TryInitError),
}

/// Installs logs and traces for this process. Must run inside the runtime when a collector is set.
pub fn init(service: &'static str, settings: &Telemetry) -> Result<Guard, TelemetryError> {
    let filter = EnvFilter::try_new(&settings.log_filter)
        .map_err(|source| TelemetryError::Filter { filter: settings.log_filter.clone(), source })?;
    let provider = provider(service, settings.otlp_endpoint.as_deref())?;
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(service))
        .with_location(false)
        .with_threads(false)
        // Its own filter: a quiet log must not break the traces that pass through.
        .with_filter(LevelFilter::INFO);

    Registry::default().with(spans).with(log(service, settings.log_format).with_filter(filter)).try_init()?;
    Ok(Guard { provider })
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

fn provider(service: &'static str, endpoint: Option<&str>) -> Result<SdkTracerProvider, ExporterBuildError> {
    let builder =
        SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(service).build());
    let Some(endpoint) = endpoint else {
        // Ids without recording: a span costs next to nothing when nobody collects it.
        return Ok(builder.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff))).build());
    };
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    Ok(builder.with_batch_exporter(exporter).build())
}

fn log<S>(service: &'static str, format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Pretty => layer.compact().boxed(),
        LogFormat::Json => layer.event_format(Json { service }).boxed(),
    }
}

/// The W3C trace context of the span that runs now, to be stored with work that goes on later.
pub fn traceparent() -> Option<String> {
    traceparent_of(&Span::current())
}

pub(crate) fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| {
        format!("00-{}-{}-{:02x}", context.trace_id(), context.span_id(), context.trace_flags().to_u8())
    })
}

/// Makes `span` a child of the remote span that `traceparent` names. A malformed one is ignored: a
/// broken trace must never refuse a call. Call it before the span is entered.
pub fn continue_from(span: &Span, traceparent: &str) {
    let Some(remote) = parse(traceparent) else {
        return;
    };
    let parent = opentelemetry::Context::new().with_remote_span_context(remote);
    if let Err(error) = span.set_parent(parent) {
        tracing::trace!(%error, "the span keeps its own trace");
    }
}

/// The span of a saga's step carried out here. A batch brings steps of many traces in one call, so each goes on with
/// the trace of its own saga instead of the call's.
pub fn step_span(context: Option<&StepContext>) -> Span {
    let span = tracing::info_span!(
        "saga.participate",
        otel.name = context.map(|context| context.step.as_str()),
        otel.kind = "consumer",
    );
    if let Some(context) = context {
        continue_from(&span, &context.traceparent);
    }
    span
}

/// A name for one failure that both the caller's message and the log line carry: the trace id, or a
/// number of this process when nothing is traced.
pub(crate) fn correlation() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    match ids() {
        Some((trace_id, _)) => trace_id,
        None => format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)),
    }
}

/// The trace and span ids of the span that runs now.
fn ids() -> Option<(String, String)> {
    let context = Span::current().context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| (context.trace_id().to_string(), context.span_id().to_string()))
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace_id, span_id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let shaped = version == "00" && trace_id.len() == 32 && span_id.len() == 16 && flags.len() == 2;
    if !shaped || parts.next().is_some() || ![trace_id, span_id, flags].into_iter().all(lower_hex) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace_id).ok()?,
        SpanId::from_hex(span_id).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::Tracer as _;

    use super::*;

    #[test]
    fn a_traceparent_is_read_as_its_parts() {
        let context = parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();

        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled());
    }

    #[test]
    fn a_malformed_traceparent_is_no_parent() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_collector_that_is_not_there_does_not_hold_the_process() {
        let provider = provider("example", Some("http://127.0.0.1:1")).unwrap();
        drop(provider.tracer("example").start("work"));

        let ended = tokio::task::spawn_blocking(move || provider.shutdown());

        let limit = std::time::Duration::from_secs(20);
        assert!(tokio::time::timeout(limit, ended).await.is_ok(), "shutdown waits for the collector");
    }
}
