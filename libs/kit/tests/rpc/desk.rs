//! A service whose handler each test writes: one unary call and one stream that never ends.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use kit::client::{Channel, ClientConfig};
use kit::config::{Auth, Reflection};
use kit::server::{Bound, Routes, Server, ServerError};
use kit::{Failure, client};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use proto::audit::v1::{
    ExportBooksRequest, ExportBooksResponse, ListGatewayEffectsRequest, ListGatewayEffectsResponse,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub const REQUEST_BYTES_MAX: usize = 1_024;

type Handler = Arc<
    dyn Fn(Request<ListGatewayEffectsRequest>) -> BoxFuture<'static, Result<String, Failure>> + Send + Sync,
>;

/// The service. A handler's text comes back as `next_page_token`.
#[derive(Clone)]
pub struct Desk(Handler);

impl Desk {
    pub fn new<F, Handling>(handler: F) -> Self
    where
        F: Fn(Request<ListGatewayEffectsRequest>) -> Handling + Send + Sync + 'static,
        Handling: Future<Output = Result<String, Failure>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(handler(request))))
    }

    pub fn routes(self) -> Routes {
        let server = AuditServiceServer::new(self).max_decoding_message_size(REQUEST_BYTES_MAX);
        Routes::new().add_service(server)
    }

    /// Both listeners on free ports, with the development headers believed and reflection on.
    pub async fn bind(self) -> Bound {
        let builder = Server::builder("desk")
            .auth(&Auth { development_headers: true, ..Auth::default() })
            .reflection(&Reflection { enabled: true })
            .public("127.0.0.1:0".parse().unwrap(), self.clone().routes())
            .internal("127.0.0.1:0".parse().unwrap(), self.routes());
        builder.bind().await.unwrap()
    }

    pub async fn start(self) -> Running {
        Running::of(self.bind().await)
    }
}

#[tonic::async_trait]
impl AuditService for Desk {
    type ExportBooksStream = BoxStream<'static, Result<ExportBooksResponse, Status>>;

    async fn export_books(
        &self,
        _: Request<ExportBooksRequest>,
    ) -> Result<Response<Self::ExportBooksStream>, Status> {
        let first = ExportBooksResponse { book: "first".to_owned(), ..ExportBooksResponse::default() };
        let messages = futures::stream::iter([Ok(first)]).chain(futures::stream::pending());
        Ok(Response::new(messages.boxed()))
    }

    async fn list_gateway_effects(
        &self,
        request: Request<ListGatewayEffectsRequest>,
    ) -> Result<Response<ListGatewayEffectsResponse>, Status> {
        let next_page_token = (self.0)(request).await?;
        Ok(Response::new(ListGatewayEffectsResponse { effects: Vec::new(), next_page_token }))
    }
}

/// A server that runs in this test's runtime.
pub struct Running {
    pub public: String,
    pub internal: String,
    pub shutdown: CancellationToken,
    pub ended: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    pub fn of(bound: Bound) -> Self {
        let shutdown = CancellationToken::new();
        Self {
            public: format!("http://{}", bound.public_addr()),
            internal: format!("http://{}", bound.internal_addr()),
            ended: tokio::spawn(bound.run(shutdown.clone())),
            shutdown,
        }
    }

    pub fn client(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(connect(&self.public))
    }
}

pub fn connect(url: &str) -> Channel {
    client::connect(url, &ClientConfig::default()).unwrap()
}

pub fn ask(text: &str) -> ListGatewayEffectsRequest {
    ListGatewayEffectsRequest { page_size: 0, page_token: text.to_owned() }
}

/// Calls and reads the handler's text.
pub async fn text(client: &mut AuditServiceClient<Channel>) -> Result<String, Status> {
    Ok(client.list_gateway_effects(ask("")).await?.into_inner().next_page_token)
}
