use std::time::Duration;

use kit::answer::refusal;
use kit::client::Channel;
use kit::config::{Limits, Rate, Rates};
use proto::audit::v1::audit_service_client::AuditServiceClient;
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;
use types::Reason;

use crate::desk::{Desk, ask};

/// So slow that no test sees a bucket filled up.
const RARELY: Rate = Rate { per_second: 1, burst: 100 };

type Client = AuditServiceClient<Channel>;

async fn call(client: &mut Client, role: &str, user: &str) -> Result<(), Status> {
    let mut request = Request::new(ask(""));
    for (name, value) in [("x-countermand-role", role), ("x-countermand-user", user)] {
        request.metadata_mut().insert(name, AsciiMetadataValue::try_from(value).unwrap());
    }
    client.list_gateway_effects(request).await.map(|_| ())
}

/// The first refusal among so many calls.
async fn refused(client: &mut Client, role: &str, user: &str, calls: usize) -> Option<Status> {
    for _ in 0..calls {
        if let Err(status) = call(client, role, user).await {
            return Some(status);
        }
    }
    None
}

#[tokio::test]
async fn whoever_calls_too_often_is_told_when_to_come_back_and_nobody_else_is_refused() {
    let rates = Rates { guest: RARELY, ..Rates::default() };
    let desk =
        Desk::new(async |_| Ok(String::new())).start_within(&Limits { rates, ..Limits::default() }).await;

    let client = &mut desk.client();
    let status = refused(client, "guest", "flood", 300).await.expect("three hundred calls pass");

    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(refusal(&status).unwrap().reason, Reason::RateLimited);
    let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    call(client, "guest", "somebody").await.unwrap();
    assert!(refused(client, "staff", "flood", 300).await.is_none());
}

#[tokio::test]
async fn a_rate_of_nothing_is_no_limit() {
    let rates = Rates { guest: Rate { per_second: 0, burst: 1 }, ..Rates::default() };
    let desk =
        Desk::new(async |_| Ok(String::new())).start_within(&Limits { rates, ..Limits::default() }).await;

    assert!(refused(&mut desk.client(), "guest", "flood", 300).await.is_none());
}
