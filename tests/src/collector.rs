//! A collector of traces: takes OTLP over gRPC, as the services export it, and remembers who said what.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// One span, as far as the tests look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    pub service: String,
    pub name: String,
}

type Spans = Arc<Mutex<Vec<(Vec<u8>, Span)>>>;

/// Dropping it ends it.
pub struct Collector {
    url: String,
    spans: Spans,
    server: AbortHandle,
}

impl Collector {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening for traces")?;
        let url = format!("http://{}", listener.local_addr()?);
        let spans = Spans::default();
        let service = TraceServiceServer::new(Intake { spans: Arc::clone(&spans) });
        let serving =
            Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        let server = tokio::spawn(serving).abort_handle();
        Ok(Self { url, spans, server })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What was said so far about one trace.
    pub fn trace(&self, trace_id: [u8; 16]) -> BTreeSet<Span> {
        let spans = self.spans.lock().expect("no test panics with it");
        spans.iter().filter(|(id, _)| *id == trace_id).map(|(_, span)| span.clone()).collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Intake {
    spans: Spans,
}

#[tonic::async_trait]
impl TraceService for Intake {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut known = self.spans.lock().expect("no test panics with it");
        for resource_spans in request.into_inner().resource_spans {
            let service = resource_spans.resource.as_ref().map(service_name).unwrap_or_default();
            for span in resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                known.push((span.trace_id, Span { service: service.clone(), name: span.name }));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn service_name(resource: &Resource) -> String {
    let mut named = resource.attributes.iter().filter(|attribute| attribute.key == "service.name");
    match named.next().and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        Some(_) | None => String::new(),
    }
}
