//! A service whose handler each test writes: one unary call and one stream that never ends, and the same call as a peer
//! makes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use kit::client::{Channel, ClientConfig};
use kit::config::{Auth, Internal, Limits, Reflection, Secret};
use kit::server::{Bound, Routes, Server, ServerError};
use kit::{Failure, client};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use proto::audit::v1::{
    ExportBooksRequest, ExportBooksResponse, ListGatewayEffectsRequest, ListGatewayEffectsResponse,
};
use proto::inventory::v1::propagation_service_client::PropagationServiceClient;
use proto::inventory::v1::propagation_service_server::{PropagationService, PropagationServiceServer};
use proto::inventory::v1::{
    ForecastTargetsRequest, ForecastTargetsResponse, PartnerTask, TellTargetRequest, TellTargetResponse,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use types::{Grants, Permission, Permissions, Reach, Role};

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

    /// The same for peers.
    pub fn internal_routes(self) -> Routes {
        Routes::new().add_service(PropagationServiceServer::new(self))
    }

    /// Both listeners on free ports, with the development headers believed and reflection on.
    pub async fn bind(self) -> Bound {
        self.bind_within(&Limits::default()).await
    }

    pub async fn bind_within(self, limits: &Limits) -> Bound {
        let builder = Server::builder("desk")
            .auth(&Auth { development_headers: true, ..auth() })
            .reflection(&Reflection { enabled: true })
            .workloads(&shared())
            .limits(limits)
            .public("127.0.0.1:0".parse().unwrap(), self.clone().routes())
            .internal("127.0.0.1:0".parse().unwrap(), self.internal_routes());
        builder.bind().await.unwrap()
    }

    pub async fn start_within(self, limits: &Limits) -> Running {
        Running::of(self.bind_within(limits).await)
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
        Ok(Response::new(ListGatewayEffectsResponse {
            next_page_token,
            ..ListGatewayEffectsResponse::default()
        }))
    }
}

#[tonic::async_trait]
impl PropagationService for Desk {
    async fn forecast_targets(
        &self,
        _: Request<ForecastTargetsRequest>,
    ) -> Result<Response<ForecastTargetsResponse>, Status> {
        Ok(Response::new(ForecastTargetsResponse::default()))
    }

    async fn tell_target(
        &self,
        request: Request<TellTargetRequest>,
    ) -> Result<Response<TellTargetResponse>, Status> {
        let told = (self.0)(request.map(|request| ask(&request.note))).await?;
        let task = PartnerTask { address: told, ..PartnerTask::default() };
        Ok(Response::new(TellTargetResponse { task: Some(task) }))
    }
}

/// The roles that these tests call with may call the desk.
pub fn auth() -> Auth {
    let permissions = Permissions::of(&[Permission::BooksExport]);
    let roles = ["staff", "buyer", "guest"]
        .map(|name| (Role::parse(name).unwrap(), Grants { permissions, reach: Reach::NONE }));
    Auth { roles: BTreeMap::from(roles), ..Auth::default() }
}

/// Calls as a peer, and reads the handler's text.
pub async fn told(channel: Channel, note: &str) -> Result<String, Status> {
    let request = TellTargetRequest { note: note.to_owned(), ..TellTargetRequest::default() };
    let told = PropagationServiceClient::new(channel).tell_target(request).await?;
    Ok(told.into_inner().task.unwrap().address)
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

/// What the services of one suite share.
pub fn shared() -> Internal {
    Internal { secret: Secret::new("the-secret-of-these-tests-is-long-enough"), ..Internal::default() }
}

/// As another service of the suite.
pub fn connect_peer(url: &str) -> Channel {
    client::connect_peer(url, &ClientConfig::default(), &shared()).unwrap()
}

pub fn ask(text: &str) -> ListGatewayEffectsRequest {
    ListGatewayEffectsRequest { page_size: 0, page_token: text.to_owned() }
}

/// Calls and reads the handler's text.
pub async fn text(client: &mut AuditServiceClient<Channel>) -> Result<String, Status> {
    Ok(client.list_gateway_effects(ask("")).await?.into_inner().next_page_token)
}
