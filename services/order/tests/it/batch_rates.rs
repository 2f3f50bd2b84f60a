//! How fast a batch goes: never more orders in a minute than its rates let, and none is forgotten.

use std::collections::BTreeSet;

use order::batches::NewBatch;
use order::batches::domain::means::Rates;
use order::batches::domain::{BatchState, BatchView};
use order::domain::change::LabelAction;
use storage::{Statement, values};
use tokio_util::sync::CancellationToken;

use crate::samples::{caller, request_id};
use crate::world::{World, worlds};

/// What passes in a minute, for the database.
static A_MINUTE_LATER: Statement = Statement::new(
    "test.a_minute_later",
    "UPDATE batch_item SET fixed_at = fixed_at - CAST(61000000 AS BIGINT) WHERE tenant_id = $1 AND fixed_at > 0",
);

/// Works until so many are cancelled, and then once more; how many are cancelled then.
async fn cancelled(world: &World, batch_id: &types::BatchId, expected: i64) -> i64 {
    for _ in 0..500 {
        let count = world.batches.batch(&caller(), batch_id).await.unwrap().counts.cancelled;
        let worked = world.batches.work_on_a_batch(&CancellationToken::new()).await.unwrap();
        if count >= expected && worked {
            return world.batches.batch(&caller(), batch_id).await.unwrap().counts.cancelled;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{expected} orders were never cancelled");
}

async fn a_minute_passes(world: &World) {
    let later = world.database.write("a_minute_later", |mut tx| async move {
        tx.execute(&A_MINUTE_LATER, values![&caller().tenant]).await?;
        Ok((tx, ()))
    });
    later.await.unwrap();
}

async fn ended(world: &World, batch_id: &types::BatchId) -> BatchView {
    for _ in 0..500 {
        let view = world.batches.batch(&caller(), batch_id).await.unwrap();
        if view.batch.state == BatchState::Completed {
            return view;
        }
        world.batches.work_on_a_batch(&CancellationToken::new()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the batch never ended");
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
        let batch = world.batches.create_batch(&caller(), request_id("batch"), new).await.unwrap();
        let id = &batch.batch.batch_id;

        let first = cancelled(&world, id, 2).await;
        a_minute_passes(&world).await;
        let second = cancelled(&world, id, 4).await;
        a_minute_passes(&world).await;
        let done = ended(&world, id).await;

        assert_eq!((first, second), (2, 4), "two a minute");
        assert_eq!((done.batch.state, done.counts.cancelled), (BatchState::Completed, 5));
    }
}
