//! How fast a batch goes: never more orders in a minute than its rates let, and none is forgotten.

use std::collections::BTreeSet;

use order::domain::batch_means::Rates;
use order::domain::batches::{BatchState, ItemState};
use order::domain::change::LabelAction;
use order::domain::listing::Page;
use order::ops::NewBatch;
use storage::{Statement, values};
use tokio_util::sync::CancellationToken;

use crate::samples::{caller, request_id};
use crate::world::{World, worlds};

/// What passes in a minute, for the database.
static A_MINUTE_LATER: Statement = Statement::new(
    "test.a_minute_later",
    "UPDATE batch_item SET fixed_at = fixed_at - CAST(61000000 AS BIGINT) WHERE tenant_id = $1 AND fixed_at > 0",
);

async fn cancelled(world: &World, batch_id: &types::BatchId) -> i64 {
    for _ in 0..200 {
        world.orders.work_on_a_batch(&CancellationToken::new()).await.unwrap();
        let page = Page { after: None, size: 50 };
        let states = [ItemState::Submitting, ItemState::Executing];
        let busy = world.orders.batch_items(&caller(), batch_id, &states, &page).await.unwrap().items;
        let view = world.orders.batch(&caller(), batch_id).await.unwrap();
        if busy.is_empty() && (view.counts.cancelled > 0) {
            return view.counts.cancelled;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the batch does not stand still");
}

#[tokio::test]
async fn a_batch_waits_for_its_minute_and_goes_on() {
    for world in worlds("batch_rates").await {
        let mut orders = BTreeSet::new();
        for number in 0..5 {
            orders.insert(world.placed(&format!("order-{number}")).await.order_id.to_string());
        }
        let new = NewBatch {
            orders: orders.into_iter().collect(),
            sku: String::new(),
            reason_code: "CUSTOMER_REQUEST".to_owned(),
            note: String::new(),
            label_action: LabelAction::Keep,
            rates: Rates::from([(String::new(), 2)]),
            dry_run: false,
        };
        let batch = world.orders.create_batch(&caller(), request_id("batch"), new).await.unwrap();
        let id = &batch.batch.batch_id;

        let mut minutes = vec![cancelled(&world, id).await];
        for _ in 0..2 {
            let later = world.database.write("a_minute_later", |mut tx| async move {
                tx.execute(&A_MINUTE_LATER, values![&caller().tenant]).await?;
                Ok((tx, ()))
            });
            later.await.unwrap();
            minutes.push(cancelled(&world, id).await);
        }
        world.orders.work_on_a_batch(&CancellationToken::new()).await.unwrap();

        assert_eq!(minutes, [2, 4, 5], "two a minute");
        let done = world.orders.batch(&caller(), id).await.unwrap();
        assert_eq!(done.batch.state, BatchState::Completed, "{done:?}");
    }
}
