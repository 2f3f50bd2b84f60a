use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use kit::config::Auth;
use kit::server::{Routes, Server};
use proto::audit::v1::audit_service_server::{AuditService, AuditServiceServer};
use proto::audit::v1::{
    ExportBooksRequest, ExportBooksResponse, ListGatewayEffectsRequest, ListGatewayEffectsResponse,
};
use tokio::sync::Notify;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use super::{EMPTY, PATIENCE, begin, raw, strict};
use crate::desk::{Running, auth};

/// Books without an end, and a word when their reader was given up.
struct Endless(Arc<Notify>);

struct Pages(Arc<Notify>);

impl Stream for Pages {
    type Item = Result<ExportBooksResponse, Status>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let page = ExportBooksResponse { book: "x".repeat(16 * 1_024), ..ExportBooksResponse::default() };
        Poll::Ready(Some(Ok(page)))
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tonic::async_trait]
impl AuditService for Endless {
    type ExportBooksStream = Pages;

    async fn export_books(&self, _: Request<ExportBooksRequest>) -> Result<Response<Pages>, Status> {
        Ok(Response::new(Pages(Arc::clone(&self.0))))
    }

    async fn list_gateway_effects(
        &self,
        _: Request<ListGatewayEffectsRequest>,
    ) -> Result<Response<ListGatewayEffectsResponse>, Status> {
        Err(Status::unimplemented("this test streams"))
    }
}

#[tokio::test]
async fn a_reader_who_does_not_read_is_let_go_and_told_so() {
    let ended = Arc::new(Notify::new());
    let routes = Routes::new().add_service(AuditServiceServer::new(Endless(Arc::clone(&ended))));
    let builder = Server::builder("endless")
        .auth(&Auth { development_headers: true, ..auth() })
        .limits(&strict())
        .public("127.0.0.1:0".parse().unwrap(), routes)
        .internal("127.0.0.1:0".parse().unwrap(), Routes::new());
    let desk = Running::of(builder.bind().await.unwrap());
    let (mut sending, _closed) = raw(&desk.public).await;
    let (response, mut request) = begin(&mut sending, "ExportBooks", "idler");
    request.send_data(EMPTY.into(), true).unwrap();
    let mut reply = response.await.unwrap().into_body();

    timeout(PATIENCE, ended.notified()).await.expect("the unread reply is kept");

    let read_on = async {
        while let Some(Ok(piece)) = reply.data().await {
            reply.flow_control().release_capacity(piece.len()).unwrap();
        }
        reply.trailers().await.unwrap().unwrap()
    };
    let trailers = timeout(PATIENCE, read_on).await.expect("the reply has an end");
    assert_eq!(trailers.get("grpc-status").unwrap(), "14");
}
