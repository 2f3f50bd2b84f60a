//! Two that want the same thing: exactly one gets it.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use proto::common::v1::Wait;
use proto::inventory::v1::{CreateFulfillmentRequest, FulfillmentLineSelection};
use proto::order::v1::{ChangeOrderState, ChangeOrderType};
use tests::shop::{WAREHOUSE, reason, refused};
use tests::{Service, Shop, eventually};
use tonic::{Code, Status};

use super::guides::under::under;
use crate::Stage;

const ROUNDS: usize = 5;
const SUBMITS: usize = 64;
/// Until both outcomes of a race were seen.
const RACES_MAX: usize = 200;

/// With the inventory away the first change holds its order until it is back, so that every other submit meets it.
pub async fn one_of_64_parallel_submits_is_accepted(stage: &Stage) -> Result<()> {
    let suite = stage.own_suite(&[]).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    let mut orders = Vec::new();
    for _ in 0..ROUNDS {
        orders.push(shop.placed(&sku, 2).await?.order_id);
    }
    suite.kill(Service::Inventory)?;

    let mut accepted = Vec::new();
    for order_id in &orders {
        let submits = (0..SUBMITS).map(|_| {
            let mut request = shop.cancel_request(order_id, &[(1, 1)]);
            request.wait = Wait::Unspecified.into();
            shop.submit(request)
        });
        let (ok, refused): (Vec<_>, Vec<_>) = join_all(submits).await.into_iter().partition(Result::is_ok);
        let refused: Vec<Status> = refused.into_iter().filter_map(Result::err).collect();
        let aborted =
            |status: &&Status| status.code() == Code::Aborted && reason(status) == "CHANGE_IN_PROGRESS";
        ensure!(ok.len() == 1, "{} of {SUBMITS} were accepted", ok.len());
        ensure!(refused.iter().filter(aborted).count() == SUBMITS - 1, "{refused:?}");
        accepted.extend(ok.into_iter().flatten());
    }

    suite.restart(Service::Inventory).await?;
    for change in &accepted {
        let done = async || {
            let change = shop.change(&change.change_order_id).await?;
            Ok((change.state() == ChangeOrderState::Completed).then_some(()))
        };
        eventually("the accepted change completes when the inventory is back", done).await?;
    }
    Ok(())
}

pub async fn a_shipped_order_is_not_cancelled(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let order = shop.placed(&sku, 2).await?;
    let fulfillment = shop.submitted(&order.order_id).await?;
    shop.ship(&fulfillment.fulfillment_id).await?;

    // Order may or may not have heard of the shipment: it refuses at once, or the hold does.
    match shop.submit(shop.cancel_request(&order.order_id, &[])).await {
        Err(status) => drop(refused::<()>(Err(status), Code::FailedPrecondition, "SHIPPED_FIRST")?),
        Ok(change) => {
            ensure!(change.state() == ChangeOrderState::Rejected, "{change:?}");
            ensure!(change.cause.as_ref().is_some_and(|cause| cause.reason == "SHIPPED_FIRST"), "{change:?}");
        }
    }

    let stock = shop.stock(&sku).await?;
    ensure!((stock.on_hand, stock.reserved) == (0, 0), "{stock:?}");
    ensure!(
        shop.refunds(&order.order_id).await?.iter().all(|refund| refund.amount_minor == 0),
        "nothing goes back"
    );
    Ok(())
}

/// Cancels and ships the same goods at the same moment, until both outcomes were seen. The loser of a race gets a head start
/// in the next one, so that the moments draw together.
pub async fn a_held_order_is_not_shipped_or_the_cancel_loses(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let (mut shipped, mut cancelled) = (0, 0);
    let (mut cancel_waits, mut ship_waits) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..RACES_MAX {
        let order = shop.placed(&sku, 1).await?;
        let fulfillment = shop.submitted(&order.order_id).await?;
        let cancel = async {
            tokio::time::sleep(cancel_waits).await;
            Ok::<_, anyhow::Error>(shop.submit(shop.cancel_request(&order.order_id, &[])).await)
        };
        let shipment = async {
            tokio::time::sleep(ship_waits).await;
            Ok::<_, anyhow::Error>(shop.ship(&fulfillment.fulfillment_id).await)
        };

        let (cancel, shipment) = futures::try_join!(cancel, shipment)?;

        let lost = match cancel {
            Ok(change) => change.state() == ChangeOrderState::Rejected,
            Err(status) => reason(&status) == "SHIPPED_FIRST",
        };
        match (lost, shipment) {
            (true, Ok(_)) => {
                shipped += 1;
                (cancel_waits, ship_waits) = head_start(cancel_waits, ship_waits);
            }
            (false, Err(status)) => {
                let held = ["CANCEL_HOLD", "STATE_CONFLICT"].contains(&reason(&status).as_str());
                ensure!(held, "{status:?}");
                cancelled += 1;
                (ship_waits, cancel_waits) = head_start(ship_waits, cancel_waits);
            }
            (lost, shipment) => anyhow::bail!("both or neither: cancel lost {lost}, ship {shipment:?}"),
        }
        if shipped > 2 && cancelled > 2 {
            return Ok(());
        }
    }
    anyhow::bail!("after {RACES_MAX} races: shipped first {shipped} times, cancelled first {cancelled} times")
}

/// Under a policy that lets only unallocated units go, a fulfilment and a cancellation want the same ones at the same moment.
/// The order may or may not have heard of the fulfilment when it accepts: then the hold refuses.
pub async fn an_allocation_and_a_cancel_of_unallocated_units_never_both_win(stage: &Stage) -> Result<()> {
    let shop = under(stage, "salesforce").await?;
    let desk = shop.as_user("stock", "shop", "staff");
    let sku = shop.sku("LAMP");
    let (mut allocated, mut cancelled) = (0, 0);
    let (mut cancel_waits, mut allocation_waits) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..RACES_MAX {
        desk.receive(&sku, 2).await?;
        let order = shop.create(shop.order_request(&sku, 2, "10.00", 2_000)).await?;
        let cancel = async {
            tokio::time::sleep(cancel_waits).await;
            Ok::<_, anyhow::Error>(shop.submit(shop.cancel_request(&order.order_id, &[])).await)
        };
        let allocation = async {
            tokio::time::sleep(allocation_waits).await;
            Ok::<_, anyhow::Error>(allocate(&shop, &order.order_id, 2).await)
        };

        let (cancel, allocation) = futures::try_join!(cancel, allocation)?;

        let why_lost = match cancel {
            Ok(change) if change.state() == ChangeOrderState::Rejected => {
                Some(change.cause.unwrap_or_default().reason)
            }
            Ok(change) => {
                ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
                None
            }
            Err(status) => Some(reason(&status)),
        };
        let after = shop.order(&order.order_id).await?;
        let quantities = after.lines[0].quantities.unwrap_or_default();
        ensure!(quantities.cancel_pending == 0, "{quantities:?}");
        match (why_lost.as_deref(), allocation) {
            (Some("QUANTITY_EXCEEDS_AVAILABLE"), Ok(_)) => {
                ensure!((quantities.open, quantities.cancelled) == (2, 0), "{quantities:?}");
                allocated += 1;
                (cancel_waits, allocation_waits) = head_start(cancel_waits, allocation_waits);
            }
            (None, Err(_)) => {
                ensure!((quantities.open, quantities.cancelled) == (0, 2), "{quantities:?}");
                cancelled += 1;
                (allocation_waits, cancel_waits) = head_start(allocation_waits, cancel_waits);
            }
            (why, allocation) => anyhow::bail!("both or neither: cancel lost {why:?}, {allocation:?}"),
        }
        if allocated > 2 && cancelled > 2 {
            return Ok(());
        }
    }
    anyhow::bail!("after {RACES_MAX} races: allocated {allocated} times, cancelled {cancelled} times")
}

/// Cancels whatever can be while one of three units is shipped: what was shipped stays, the rest goes at its own price.
pub async fn all_that_is_eligible_is_what_a_shipment_has_left(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let sku = shop.sku("LAMP");
    let (mut shrunk, mut whole) = (0, 0);
    let (mut cancel_waits, mut ship_waits) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..RACES_MAX {
        let order = shop.placed(&sku, 3).await?;
        let fulfillment = allocate(&shop, &order.order_id, 1).await?;
        let mut request = shop.cancel_request(&order.order_id, &[]);
        request.change.get_or_insert_default().r#type = ChangeOrderType::AllEligible.into();
        let cancel = async {
            tokio::time::sleep(cancel_waits).await;
            Ok::<_, anyhow::Error>(shop.submit(request).await?)
        };
        let shipment = async {
            tokio::time::sleep(ship_waits).await;
            Ok::<_, anyhow::Error>(shop.ship(&fulfillment).await)
        };

        let (change, shipment) = futures::try_join!(cancel, shipment)?;

        ensure!(change.state() == ChangeOrderState::Completed, "{change:?}");
        let shipped = i64::from(shipment.is_ok());
        let units: i64 = change.lines.iter().map(|line| line.quantity).sum();
        ensure!(units == 3 - shipped, "{change:?}");
        ensure!(change.amounts.unwrap_or_default().amount_minor == units * 1_000, "{change:?}");
        let back: i64 = shop.refunds(&order.order_id).await?.iter().map(|refund| refund.amount_minor).sum();
        ensure!(back == units * 1_000, "{back} went back");
        eventually("the order hears of the shipment", async || {
            let line = shop.order(&order.order_id).await?.lines[0].quantities.unwrap_or_default();
            Ok(((line.fulfilled, line.cancelled) == (shipped, units)).then_some(()))
        })
        .await?;
        if shipped == 1 {
            shrunk += 1;
            (cancel_waits, ship_waits) = head_start(cancel_waits, ship_waits);
        } else {
            whole += 1;
            (ship_waits, cancel_waits) = head_start(ship_waits, cancel_waits);
        }
        if shrunk > 2 && whole > 2 {
            return Ok(());
        }
    }
    anyhow::bail!("after {RACES_MAX} races: shipped first {shrunk} times, cancelled first {whole} times")
}

/// Gives units of an order's first line to a fulfilment; its id.
async fn allocate(shop: &Shop, order_id: &str, units: i64) -> Result<String> {
    let line_id = shop.order(order_id).await?.lines[0].line_id.clone();
    let request = CreateFulfillmentRequest {
        request_id: shop.request_id(),
        order_id: order_id.to_owned(),
        warehouse_id: WAREHOUSE.to_owned(),
        lines: vec![FulfillmentLineSelection { line_id, quantity: units }],
        ..CreateFulfillmentRequest::default()
    };
    let created = shop.clients.fulfillments().create_fulfillment(request).await?.into_inner();
    Ok(created.fulfillment.unwrap_or_default().fulfillment_id)
}

/// The waits of the loser and the winner before their next race.
fn head_start(loser: Duration, winner: Duration) -> (Duration, Duration) {
    const HEAD_START: Duration = Duration::from_millis(3);
    match loser.checked_sub(HEAD_START) {
        Some(shorter) => (shorter, winner),
        None => (Duration::ZERO, winner + HEAD_START),
    }
}
