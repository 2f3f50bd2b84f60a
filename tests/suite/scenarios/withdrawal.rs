//! The statutory withdrawal of a consumer.

use anyhow::{Result, ensure};
use proto::order::v1::{ChangeOrderState, ChangeOrderType, OrderState, RequestWithdrawalRequest};
use tests::Shop;
use tests::clients::Caller;
use tests::shop::refused;
use tonic::Code;

use super::proposals::{approve, supplier, two_sided};
use crate::Stage;

pub async fn a_withdrawal_is_acknowledged_before_it_is_decided(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = two_sided(&shop).await?;
    let nobody = Caller { user: "web".to_owned(), role: "guest".to_owned(), ..Caller::default() };
    let guest = shop.clients.acting_as(nobody);
    let request = |contact: &str| RequestWithdrawalRequest {
        request_id: shop.request_id(),
        order_number: order.number.clone(),
        client_contact: contact.to_owned(),
        note: String::new(),
    };

    let wrong = guest.proposals().request_withdrawal(request("eve@example.org")).await;
    refused(wrong, Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let received = guest.proposals().request_withdrawal(request("Ann@Example.org")).await?.into_inner();

    ensure!(received.acknowledgement.contains(&received.received_at), "{received:?}");
    let stored = shop.change(&received.change_order_id).await?;
    ensure!(stored.state() == ChangeOrderState::Requested, "receipt is not acceptance: {stored:?}");
    ensure!(
        stored.r#type() == ChangeOrderType::Withdrawal && stored.created_at == received.received_at,
        "{stored:?}"
    );
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Confirmed, "nothing has moved");

    let change = approve(&shop, &supplier(&shop), &received.change_order_id).await?;
    ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
    ensure!(shop.order(&order.order_id).await?.state() == OrderState::Cancelled, "it is accepted now");
    Ok(())
}
