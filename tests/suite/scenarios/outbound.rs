//! What a tenant writes and a service then calls or evaluates.

use anyhow::{Context, Result, ensure};
use proto::inventory::v1::{Connector, Integration, PartnerMethod};
use proto::notification::v1::UpsertEndpointRequest;
use proto::order::v1::rule_action::{Action, SubmitCancel};
use proto::order::v1::{Rule, RuleAction, RuleTrigger, UpsertRuleRequest};
use tests::outside::{connector, profile};
use tests::partner::Behaviour;
use tests::shop::refused;
use tests::{FakePartner, Shop};
use tonic::Code;

use crate::Stage;

fn with(connector: Connector) -> Integration {
    Integration { connector: Some(connector), ..profile("attacker", &[(PartnerMethod::Api, 0, 0)]) }
}

pub async fn a_connector_reaches_no_address_of_our_own(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    for url in [
        "http://127.0.0.2/metadata/iam",
        "http://169.254.169.254/latest/meta-data",
        "https://2852039166/latest/meta-data",
        "https://0x7f000002/",
        "https://[::ffff:169.254.169.254]/",
        "https://{{ '10.0.0.1' }}/",
        "http://partner.example/",
    ] {
        let inward = Connector { url: url.to_owned(), ..connector(&program) };
        refused(shop.put_profile(with(inward)).await, Code::InvalidArgument, "FIELD_INVALID")?;
    }
    shop.put_profile(with(connector(&program))).await.context("what the configuration names is called")?;
    Ok(())
}

pub async fn a_secret_is_not_drawn_by_another_tenant(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    let drawing = |name: &str, url: String| Connector {
        url,
        headers: [("authorization".to_owned(), format!("Bearer {{{{ secret('{name}') }}}}"))].into(),
        ..connector(&program)
    };

    let foreign = shop.put_profile(with(drawing("foreign_key", program.url().to_owned()))).await;
    let absent = shop.put_profile(with(drawing("absent_key", program.url().to_owned()))).await;
    let stray = shop.put_profile(with(drawing("partner_key", "https://evil.example/".to_owned()))).await;

    let foreign = refused(foreign, Code::InvalidArgument, "FIELD_INVALID")?;
    let absent = refused(absent, Code::InvalidArgument, "FIELD_INVALID")?;
    let same = foreign.message().replace("foreign_key", "absent_key");
    ensure!(same == absent.message(), "{} and {}", foreign.message(), absent.message());
    let stray = refused(stray, Code::InvalidArgument, "FIELD_INVALID")?;
    ensure!(stray.message().contains("is not sent there"), "{}", stray.message());
    ensure!(program.asked().is_empty(), "{:?}", program.asked());
    Ok(())
}

pub async fn texts_of_a_tenant_end_no_service(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let program = FakePartner::start(Behaviour::Accepts).await?;
    for success in ["-".repeat(3_900), "1".to_owned() + &"+1".repeat(400), "(".repeat(100) + "1"] {
        let deep = Connector { success, ..connector(&program) };
        refused(shop.put_profile(with(deep)).await, Code::InvalidArgument, "FIELD_INVALID")?;
    }
    let doubling = Connector { body: "{% set a = note %}".to_owned(), ..connector(&program) };
    refused(shop.put_profile(with(doubling)).await, Code::InvalidArgument, "FIELD_INVALID")?;

    let cancel = SubmitCancel { reason_code: "CUSTOMER_REQUEST".to_owned(), note: String::new() };
    let upsert = |condition: String| UpsertRuleRequest {
        request_id: shop.request_id(),
        rule: Some(Rule {
            name: shop.sku("deep"),
            trigger: RuleTrigger::OrderFolderChanged.into(),
            condition,
            actions: vec![RuleAction { action: Some(Action::SubmitCancel(cancel.clone())) }],
            ..Rule::default()
        }),
    };
    let brackets = |times: usize| format!("{}false{}", "(".repeat(times), ")".repeat(times));
    shop.clients.rules().upsert_rule(upsert(brackets(12))).await.context("twelve brackets are no attack")?;
    for condition in [brackets(400), "!".repeat(999), "1".to_owned() + &"+1".repeat(499)] {
        let answer = shop.clients.rules().upsert_rule(upsert(condition)).await;
        refused(answer, Code::InvalidArgument, "FIELD_INVALID")?;
    }

    shop.put_profile(with(connector(&program))).await.context("the inventory still serves")?;
    shop.placed(&shop.sku("LAMP"), 1).await.context("so does the order service")?;
    Ok(())
}

pub async fn a_webhook_has_one_address_in_every_spelling(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let add = async |request_id: &str, url: &str| {
        let request = UpsertEndpointRequest {
            request_id: request_id.to_owned(),
            url: url.to_owned(),
            event_types: vec!["OrderPlaced".to_owned()],
            ..UpsertEndpointRequest::default()
        };
        shop.clients.webhooks().upsert_endpoint(request).await
    };

    let request_id = shop.request_id();
    let mut stored = Vec::new();
    for url in [
        "https://bücher.example/Hook",
        "HTTPS://B\u{dc}CHER.example:443/Hook",
        "https://xn--bcher-kva.example/a/../Hook",
    ] {
        let endpoint = add(&request_id, url).await?.into_inner().endpoint.context("it is answered")?;
        ensure!(endpoint.url == "https://xn--bcher-kva.example/Hook", "{}", endpoint.url);
        stored.push(endpoint.webhook_id);
    }
    ensure!(stored.iter().all(|id| *id == stored[0]), "they are one request: {stored:?}");
    for url in [
        "https://user:secret@receiver.example/",
        "https://receiver.example/#part",
        "https://2130706434/",
        "http://[::1]/",
    ] {
        refused(add(&shop.request_id(), url).await, Code::InvalidArgument, "FIELD_INVALID")?;
    }
    Ok(())
}
