//! Who may state a price, a payment, a party: each scenario is an attack with a valid token, and what stops it.

use anyhow::{Context, Result, ensure};
use proto::common::v1::Role;
use proto::order::v1::{
    ChangeOrderState, CreateOrderRequest, CurrentPrice, ExternalPaymentInput, OrderState, Parties,
    ReissueOrderRequest, ReissuePrices, UpsertRolesRequest,
};
use proto::payment::v1::{
    AuthorizePaymentRequest, ListPaymentsRequest, MakeChargesRequest, Payment, PaymentProof,
    RecordSharedPaymentRequest, RefundState, SandboxCharge,
};
use tests::shop::{card, detail, line, refused};
use tests::{Shop, eventually};
use tonic::{Code, Status};

use super::restore::{cancelled, reissue};
use crate::Stage;

fn denied<T: std::fmt::Debug>(answer: Result<T, Status>, permission: &str) -> Result<()> {
    let status = refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    ensure!(detail(&status, "permission") == permission, "{status:?}");
    Ok(())
}

fn elsewhere(reference: &str, amount_minor: i64) -> ExternalPaymentInput {
    ExternalPaymentInput {
        gateway: "sandbox".to_owned(),
        reference: reference.to_owned(),
        authorised_minor: amount_minor,
        captured_minor: amount_minor,
        attested: false,
    }
}

/// One unit at 10.00, paid elsewhere under this name.
fn adopting(shop: &Shop, sku: &str, reference: &str) -> CreateOrderRequest {
    CreateOrderRequest {
        tenders: Vec::new(),
        external_payments: vec![elsewhere(reference, 1_000)],
        ..shop.order_request(sku, 1, "10.00", 0)
    }
}

async fn payments(shop: &Shop, order_id: &str) -> Result<Vec<Payment>> {
    let request = ListPaymentsRequest { order_id: order_id.to_owned() };
    Ok(shop.clients.payments().list_payments(request).await?.into_inner().payments)
}

/// Somebody who places orders for themselves at prices of their own, and nothing else.
async fn teller(shop: &Shop) -> Result<Shop> {
    let role = Role {
        role: "teller".to_owned(),
        sees: vec!["creator".to_owned()],
        permissions: ["order.place", "order.price", "order.read"].map(str::to_owned).into(),
    };
    let request = UpsertRolesRequest { request_id: shop.request_id(), roles: vec![role] };
    shop.clients.roles().upsert_roles(request).await.context("writing the role")?;
    Ok(shop.as_user("tess", "kiosk", "teller"))
}

/// Not placed, because the gateway does not bear the payment out; nothing is kept of it.
async fn not_placed(shop: &Shop, request: CreateOrderRequest) -> Result<String> {
    let order = shop.create(request).await?;
    ensure!(order.state() == OrderState::PlacementFailed, "{order:?}");
    let cause = order.placement_cause.context("no cause")?;
    ensure!(cause.reason == "PAYMENT_NOT_VERIFIED", "{cause:?}");
    Ok(cause.details.get("gateway_detail").cloned().unwrap_or_default())
}

pub async fn a_buyer_states_no_price_no_payment_and_no_party(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 100).await?;
    let buyer = shop.as_user("bob", "bistro", "buyer");

    let for_nothing = CreateOrderRequest {
        lines: vec![line(&sku, 100, "0.00")],
        tenders: Vec::new(),
        ..shop.order_request(&sku, 100, "0.00", 0)
    };
    denied(buyer.create(for_nothing.clone()).await, "order.place")?;
    denied(buyer.create(adopting(&shop, &sku, "pi_somebodys")).await, "order.place")?;
    let installer = shop.as_user("ines", "router", "installer");
    denied(installer.create(for_nothing).await, "order.price")?;
    let teller = teller(&shop).await?;
    denied(teller.create(adopting(&shop, &sku, "pi_somebodys")).await, "payment.adopt")?;
    for (parties, customer_id) in [
        (Parties { buyer: "bistro".to_owned(), ..Parties::default() }, ""),
        (Parties { source_router: "rival".to_owned(), ..Parties::default() }, ""),
        (Parties::default(), "cleo"),
    ] {
        let request = CreateOrderRequest {
            parties: Some(parties),
            customer_id: customer_id.to_owned(),
            ..shop.order_request(&sku, 1, "10.00", 1_000)
        };
        denied(teller.create(request).await, "order.place_for")?;
    }

    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (100, 0), "nothing was taken: {stock:?}");
    Ok(())
}

pub async fn a_role_that_nobody_listed_places_nothing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    for role in ["viewer", "janitor", "client", "guest", "supplier", "warehouse"] {
        let somebody = shop.as_user("vic", "bistro", role);
        let answer = somebody.create(shop.order_request(&sku, 1, "0.01", 1)).await;
        refused(answer, Code::PermissionDenied, "PERMISSION_DENIED")?;
    }
    ensure!(shop.stock(&sku).await?.reserved == 0);
    Ok(())
}

pub async fn a_reissue_copies_its_prices_and_states_none(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = cancelled(&shop, &sku, 2).await?;
    let at_my_price = |request_id| ReissueOrderRequest {
        request_id,
        order_id: order.order_id.clone(),
        copy_lines: true,
        prices: ReissuePrices::Current.into(),
        current_prices: vec![CurrentPrice { sku: sku.clone(), unit_price: "0.01".to_owned() }],
        tenders: vec![card("tok_approve", 2, true)],
        ..ReissueOrderRequest::default()
    };

    let supplier = shop.as_user("sam", "mill", "supplier");
    let answer = supplier.clients.remedies().reissue_order(at_my_price(shop.request_id())).await;
    denied(answer, "order.price")?;

    let again = reissue(&shop, &order.order_id, vec![card("tok_approve", 2_000, true)]).await?;
    ensure!(again.state() == OrderState::Confirmed, "the prices of then: {again:?}");
    Ok(())
}

pub async fn a_tender_that_nobody_is_asked_for_rests_on_a_permission(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let teller = teller(&shop).await?;
    for gateway in ["offline", "gift_card", "store_credit", "shared"] {
        let mut request = shop.order_request(&sku, 1, "10.00", 1_000);
        gateway.clone_into(&mut request.tenders[0].gateway);
        denied(teller.create(request).await, "payment.adopt")?;
    }
    Ok(())
}

pub async fn an_order_that_names_somebody_elses_payment_is_not_placed(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let theirs = shop.placed(&sku, 1).await?;
    shop.receive(&sku, 1).await?;
    let [less, rivals] = ["less", "rivals"].map(|name| shop.sku(name));
    let charge = |reference: &str, amount_minor, tenant: &str| SandboxCharge {
        reference: reference.to_owned(),
        currency_code: "GBP".to_owned(),
        authorised_minor: amount_minor,
        captured_minor: amount_minor,
        tenant: tenant.to_owned(),
        ..SandboxCharge::default()
    };
    let charges = vec![charge(&less, 999, ""), charge(&rivals, 1_000, "rival")];
    shop.clients.sandbox().make_charges(MakeChargesRequest { charges }).await?;

    let never_made = not_placed(&shop, adopting(&shop, &sku, "pi_never_made")).await?;
    ensure!(never_made.contains("no payment"), "{never_made}");
    let short = not_placed(&shop, adopting(&shop, &sku, &less)).await?;
    ensure!(short.contains("captured 999"), "{short}");
    let rivals = not_placed(&shop, adopting(&shop, &sku, &rivals)).await?;
    ensure!(rivals.contains("another tenant"), "{rivals}");
    let card = payments(&shop, &theirs.order_id).await?.remove(0).gateway_reference;
    let stolen = not_placed(&shop, adopting(&shop, &sku, &card)).await?;
    ensure!(stolen.contains("another order"), "{stolen}");

    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (2, 1), "only the paid order holds goods: {stock:?}");
    Ok(())
}

pub async fn one_charge_is_one_orders(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 3).await?;
    let name = shop.sku("charge");
    shop.charge_elsewhere(&[(name.clone(), 1_000)]).await?;

    let first = shop.create(adopting(&shop, &sku, &name)).await?;
    ensure!(first.state() == OrderState::Confirmed, "{first:?}");
    for gateway in ["sandbox", "some-old-gateway"] {
        let mut second = adopting(&shop, &sku, &name);
        gateway.clone_into(&mut second.external_payments[0].gateway);
        let why = not_placed(&shop, second).await?;
        ensure!(why.contains("another order"), "{why}");
    }

    shop.submit(shop.cancel_request(&first.order_id, &[])).await?;
    let refunds = shop.refunds(&first.order_id).await?;
    ensure!(refunds.len() == 1 && refunds[0].amount_minor == 1_000, "refunded once: {refunds:?}");
    let why = not_placed(&shop, adopting(&shop, &sku, &name)).await?;
    ensure!(why.contains("another order"), "what was given back pays for nothing: {why}");
    Ok(())
}

pub async fn a_gateway_that_does_not_answer_keeps_the_order_placing(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let name = format!("{}-tok_timeout", shop.sku("charge"));
    shop.charge_elsewhere(&[(name.clone(), 1_000)]).await?;
    let mut request = adopting(&shop, &sku, &name);
    request.wait = proto::common::v1::Wait::Committed.into();

    let order = shop.create(request).await?;

    ensure!(order.state() == OrderState::Placing, "{order:?}");
    let read = async || {
        let payments = payments(&shop, &order.order_id).await.unwrap_or_default();
        Ok(payments.iter().any(|payment| payment.proof() == PaymentProof::Reading).then_some(()))
    };
    eventually("the gateway is asked", read).await?;
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Placing, "no answer is no yes");
    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;
    let given_up = async || {
        let now = shop.order(&order.order_id).await?;
        Ok((now.state() == OrderState::PlacementFailed).then_some(()))
    };
    eventually("the order is given up", given_up).await?;
    ensure!(shop.stock(&sku).await?.reserved == 0);
    Ok(())
}

pub async fn an_attested_payment_is_read_before_any_of_it_leaves(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let real = shop.sku("real");
    shop.charge_elsewhere(&[(real.clone(), 1_000)]).await?;
    let attested = |name: &str| {
        let mut request = adopting(&shop, &sku, name);
        request.external_payments[0].attested = true;
        request
    };
    denied(shop.as_user("stan", "shop", "staff").create(attested(&real)).await, "import.facts")?;
    let platform = shop.as_user("ivy", "shop", "platform");
    let (true_one, made_up) =
        (platform.create(attested(&real)).await?, platform.create(attested("pi_somebodys")).await?);
    ensure!(payments(&shop, &made_up.order_id).await?[0].proof() == PaymentProof::Attested);

    let good = shop.submit(shop.cancel_request(&true_one.order_id, &[])).await?;
    let bad = shop.submit(shop.cancel_request(&made_up.order_id, &[])).await?;

    ensure!(good.state() == ChangeOrderState::Completed, "{good:?}");
    ensure!(shop.refunds(&true_one.order_id).await?[0].state() == RefundState::Succeeded);
    ensure!(payments(&shop, &true_one.order_id).await?[0].proof() == PaymentProof::Known);
    ensure!(bad.state() == ChangeOrderState::CompletedWithExceptions, "{bad:?}");
    let refund = shop.refunds(&made_up.order_id).await?.remove(0);
    ensure!(refund.state() == RefundState::Manual, "a person decides: {refund:?}");
    ensure!(refund.gateway_detail.contains("no payment of this name"), "{refund:?}");
    Ok(())
}

pub async fn a_second_card_on_a_paid_order_is_refused(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let request = AuthorizePaymentRequest {
        request_id: shop.request_id(),
        order_id: order.order_id.clone(),
        gateway: "sandbox".to_owned(),
        payment_token: "tok_approve".to_owned(),
        currency_code: "GBP".to_owned(),
        amount_minor: 1_000,
    };

    let answer = shop.clients.payments().authorize_payment(request).await;

    let status = refused(answer, Code::FailedPrecondition, "ABOVE_CAPTURE_CEILING")?;
    ensure!(detail(&status, "missing_minor") == "0", "{status:?}");
    ensure!(payments(&shop, &order.order_id).await?.len() == 1, "nothing is held on the second card");
    Ok(())
}

pub async fn what_is_shared_is_what_the_gateway_has_and_no_order_took(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 2).await?;
    let (taken, larger) = (shop.sku("taken"), shop.sku("larger"));
    shop.charge_elsewhere(&[(taken.clone(), 1_000), (larger.clone(), 1_000)]).await?;
    shop.create(adopting(&shop, &sku, &taken)).await?;
    for (name, amount_minor) in [("pi_never_made", 1_000), (larger.as_str(), 5_000), (taken.as_str(), 1_000)]
    {
        let request = RecordSharedPaymentRequest {
            gateway: "sandbox".to_owned(),
            gateway_reference: name.to_owned(),
            currency_code: "GBP".to_owned(),
            authorised_minor: amount_minor,
            captured: true,
        };
        let answer = shop.clients.payments().record_shared_payment(request).await;
        refused(answer, Code::FailedPrecondition, "PAYMENT_NOT_VERIFIED")?;
    }
    let request = RecordSharedPaymentRequest {
        gateway: "sandbox".to_owned(),
        gateway_reference: larger.clone(),
        currency_code: "GBP".to_owned(),
        authorised_minor: 1_000,
        captured: true,
    };
    shop.clients.payments().record_shared_payment(request).await?;
    let why = not_placed(&shop, adopting(&shop, &sku, &larger)).await?;
    ensure!(why.contains("another order"), "what is shared is had by shares: {why}");
    Ok(())
}
