//! What lies between us and a gateway: passes everything on, and spoils one effect when told to.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use payment::ports::http::client;
use tokio::net::TcpListener;

/// Longer than a fake takes for anything.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many requests; nothing is done.
    Limited,
    /// A server's error; nothing is done.
    FailBefore,
    /// Nobody answers; nothing is done.
    HangBefore,
    /// It is done, and the answer is a server's error.
    FailAfter,
    /// It is done, and nobody answers.
    HangAfter,
    /// It is done, and the answer is cut off.
    CutAfter,
}

impl Fault {
    pub const ALL: [Self; 6] =
        [Self::Limited, Self::FailBefore, Self::HangBefore, Self::FailAfter, Self::HangAfter, Self::CutAfter];

    /// Whether the effect is made all the same.
    pub fn applies(self) -> bool {
        match self {
            Self::Limited | Self::FailBefore | Self::HangBefore => false,
            Self::FailAfter | Self::HangAfter | Self::CutAfter => true,
        }
    }
}

/// The faults of one proxy; it ends with the test's runtime.
#[derive(Clone)]
pub struct Faults {
    pub url: String,
    next: Arc<Mutex<Option<Fault>>>,
}

impl Faults {
    /// Lies in front of this address.
    pub async fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let next = Arc::new(Mutex::new(None));
        let way = Way { target, client: client(PATIENCE).unwrap(), next: Arc::clone(&next) };
        let router = Router::new().fallback(pass).with_state(way);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, next }
    }

    pub fn arm(&self, fault: Fault) {
        *self.next.lock().unwrap() = Some(fault);
    }

    pub fn spent(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

#[derive(Clone)]
struct Way {
    target: SocketAddr,
    client: reqwest::Client,
    next: Arc<Mutex<Option<Fault>>>,
}

async fn pass(State(way): State<Way>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    // Only an effect is spoiled; questions are answered.
    let fault = if method == Method::POST { way.next.lock().unwrap().take() } else { None };
    match fault {
        Some(Fault::Limited) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
        Some(Fault::FailBefore) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::HangBefore) => return pending().await,
        Some(Fault::FailAfter | Fault::HangAfter | Fault::CutAfter) | None => {}
    }
    let (status, body) = way.ask(method, &uri, headers, body).await;
    match fault {
        Some(Fault::FailAfter) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::HangAfter) => pending().await,
        Some(Fault::CutAfter) => (status, body.slice(..body.len() / 2)).into_response(),
        Some(Fault::Limited | Fault::FailBefore | Fault::HangBefore) | None => (status, body).into_response(),
    }
}

impl Way {
    async fn ask(
        &self,
        method: Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> (StatusCode, Bytes) {
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let url = format!("http://{}{path}", self.target);
        let answer = self.client.request(method, url).headers(headers).body(body).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap())
    }
}
