//! Plain HTTP for callers that speak no gRPC, behind the same limits of connections, heads and bodies.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tower::{Service, ServiceExt as _};
use types::Reason;

use super::{body, listener};
use crate::config::Limits;

const HEADERS_MAX: usize = 64;

/// Serves until `stop` fires; requests that came in are answered first. A request's body is read whole, within
/// `body_bytes_max` and the time that the limits give it, before `service` sees it.
pub async fn serve_http<S, B>(
    socket: TcpListener,
    service: S,
    body_bytes_max: usize,
    limits: &Limits,
    stop: CancellationToken,
) where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let answers = Answers { service, body_bytes_max, limits: Arc::new(limits.clone()) };
    let stopping = stop.clone();
    let serve = move |stream, _: IpAddr| talk(stream, answers.clone(), stop.clone());
    listener::accept(socket, limits, &stopping, serve).await;
}

async fn talk<S, B>(stream: TcpStream, answers: Answers<S>, stop: CancellationToken)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut http = http1::Builder::new();
    // The head's time runs from the first moment on, and again after each answer: nobody stays who says nothing.
    http.timer(TokioTimer::new()).header_read_timeout(answers.limits.handshake()).max_headers(HEADERS_MAX);
    let mut talking = pin!(http.serve_connection(TokioIo::new(stream), answers));
    tokio::select! {
        // How it ended is the peer's affair.
        _ = &mut talking => return,
        () = stop.cancelled() => talking.as_mut().graceful_shutdown(),
    }
    drop(talking.await);
}

#[derive(Clone)]
struct Answers<S> {
    service: S,
    body_bytes_max: usize,
    limits: Arc<Limits>,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Answers<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let Self { service, body_bytes_max, limits } = self.clone();
        Box::pin(async move {
            match body::read_plain(request.map(Body::new), body_bytes_max, limits.body()).await {
                Ok(request) => Ok(service.oneshot(request).await?.map(Body::new)),
                Err(failure) => {
                    let mut response = Response::new(Body::empty());
                    *response.status_mut() = match failure.reason() {
                        Reason::MessageTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                        Reason::DeadlineExceeded => StatusCode::REQUEST_TIMEOUT,
                        _ => StatusCode::BAD_REQUEST,
                    };
                    Ok(response)
                }
            }
        })
    }
}
