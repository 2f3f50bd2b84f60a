use kit::Principal;
use kit::answer::refusal;
use kit::config::Auth;
use kit::server::{Server, ServerError};
use tonic::metadata::AsciiMetadataValue;
use tonic::{Code, Request};
use types::Reason;

use crate::desk::{Desk, Running, ask, connect_peer, told};

fn who() -> Desk {
    Desk::new(async |request: Request<_>| {
        let principal = Principal::of(&request)?;
        let Principal { tenant, user, organisation, role, .. } = principal;
        Ok(format!("{tenant}|{user}|{organisation}|{role}"))
    })
}

async fn call(desk: &Running, headers: &[(&'static str, &str)]) -> Result<String, tonic::Status> {
    let mut request = Request::new(ask(""));
    for (name, value) in headers {
        let value = AsciiMetadataValue::try_from(*value).unwrap();
        request.metadata_mut().insert(*name, value);
    }
    Ok(desk.client().list_gateway_effects(request).await?.into_inner().next_page_token)
}

#[tokio::test]
async fn the_development_headers_say_who_calls() {
    let desk = who().start().await;

    let headers = [
        ("x-countermand-tenant", "acme"),
        ("x-countermand-user", "jo"),
        ("x-countermand-org", "acme-retail"),
        ("x-countermand-role", "Manager"),
    ];
    assert_eq!(call(&desk, &headers).await.unwrap(), "acme|jo|acme-retail|manager");
}

#[tokio::test]
async fn absent_headers_have_defaults() {
    let desk = who().start().await;

    assert_eq!(call(&desk, &[]).await.unwrap(), "default|anonymous||staff");
}

#[tokio::test]
async fn a_malformed_tenant_is_refused_and_not_replaced() {
    let desk = who().start().await;

    for tenant in ["ACME", "a,b", ""] {
        let status = call(&desk, &[("x-countermand-tenant", tenant)]).await.unwrap_err();

        assert_eq!(refusal(&status).unwrap().reason, Reason::FieldInvalid, "{tenant:?}");
    }
}

#[tokio::test]
async fn without_the_flag_the_headers_are_not_believed() {
    let builder = Server::builder("desk")
        .auth(&Auth::default())
        .public("127.0.0.1:0".parse().unwrap(), who().routes())
        .internal("127.0.0.1:0".parse().unwrap(), who().internal_routes());
    let desk = Running::of(builder.bind().await.unwrap());

    let status = call(&desk, &[("x-countermand-user", "jo")]).await.unwrap_err();

    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_internal_listener_knows_no_principal() {
    let desk = who().start().await;

    let status = told(connect_peer(&desk.internal), "").await.unwrap_err();

    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn an_open_address_without_encryption_is_not_served() {
    let builder = Server::builder("desk").public("0.0.0.0:0".parse().unwrap(), who().routes());

    let Err(error) = builder.bind().await else {
        panic!("an unencrypted listener was opened to the network");
    };

    assert!(matches!(error, ServerError::Plaintext { .. }), "{error}");
}

#[tokio::test]
async fn a_role_that_nobody_listed_is_refused_everywhere() {
    let desk = who().start().await;

    for role in ["janitor", "viewer", "*", "supplier ", "", "buy er", &"b".repeat(33)] {
        let status = call(&desk, &[("x-countermand-role", role)]).await.unwrap_err();

        assert_eq!(refusal(&status).unwrap().reason, Reason::PermissionDenied, "{role:?}");
    }
}

#[tokio::test]
async fn a_listed_role_without_the_permission_does_not_reach_the_handler() {
    let desk = who().start().await;

    let status = call(&desk, &[("x-countermand-role", "warehouse")]).await.unwrap_err();

    let refusal = refusal(&status).unwrap();
    assert_eq!(refusal.reason, Reason::PermissionDenied);
    assert_eq!(refusal.details["permission"], "books.export");
}
