//! Batches: each order for itself, each with one change, whatever cuts the work.

use std::time::Duration;

use order::batches::NewBatch;
use order::batches::domain::means::Rates;
use order::batches::domain::{BatchState, BatchView, ItemState};
use order::domain::change::{Channel, LabelAction};
use order::domain::listing::Page;
use order::domain::order::OrderState;
use order::ops::Wait;
use order::reports::Reports;
use order::reports::domain::{Dimension, Span};
use tokio_util::sync::CancellationToken;
use types::{BatchId, Reason};

use crate::samples::{caller, cancel_all, cancel_units, request_id};
use crate::world::{World, worlds};

fn of_orders(orders: Vec<String>, dry_run: bool) -> NewBatch {
    NewBatch {
        orders,
        sku: String::new(),
        reason_code: "CUSTOMER_REQUEST".to_owned(),
        note: "recall".to_owned(),
        label_action: LabelAction::Keep,
        rates: Rates::new(),
        dry_run,
    }
}

async fn created(world: &World, name: &str, new: NewBatch) -> BatchView {
    world.batches.create_batch(&caller(), request_id(name), new).await.unwrap()
}

/// Works until the batch stands still in a state.
async fn worked(world: &World, batch_id: &BatchId, state: BatchState) -> BatchView {
    let limit = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        world.batches.work_on_a_batch(&CancellationToken::new()).await.unwrap();
        let view = world.batches.batch(&caller(), batch_id).await.unwrap();
        if view.batch.state == state {
            return view;
        }
        assert!(tokio::time::Instant::now() < limit, "{state:?} was not reached: {view:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn every_order_of_a_batch_ends_for_itself() {
    for world in worlds("batch").await {
        let mut names = Vec::new();
        for name in ["one", "two", "three"] {
            names.push(world.placed(name).await);
        }
        world.submit("before", cancel_all(&names[1].order_id), Wait::Completed).await.unwrap();
        let orders = vec![
            names[0].order_id.to_string(),
            names[1].order_id.to_string(),
            names[2].number.clone(),
            names[2].order_id.to_string(),
            "NO-SUCH-ORDER".to_owned(),
        ];

        let batch = created(&world, "batch", of_orders(orders.clone(), false)).await;
        let again = created(&world, "batch", of_orders(orders, false)).await;
        assert_eq!(batch.batch.batch_id, again.batch.batch_id);
        let done = worked(&world, &batch.batch.batch_id, BatchState::Completed).await;

        assert_eq!(done.batch.items, 4, "an order named twice is one item");
        let counts = done.counts;
        assert_eq!((counts.cancelled, counts.already_cancelled, counts.refused), (2, 1, 1));
        assert_eq!(done.totals.currencies[0].amount_minor, 2 * 3_900);
        assert_eq!(done.totals.skus, [("TEAPOT".to_owned(), 6), ("CUP".to_owned(), 4)]);
        for order in &names {
            let (order, changes) = world.orders.order_with_changes(&caller(), &order.order_id).await.unwrap();
            assert_eq!((order.state(), changes.len()), (OrderState::Cancelled, 1));
        }
        let page = Page { after: None, size: 50 };
        let refused =
            world.batches.batch_items(&caller(), &batch.batch.batch_id, &[ItemState::Refused], &page).await;
        let refused = refused.unwrap().items.pop().unwrap();
        assert_eq!(refused.cause.unwrap().reason, Reason::ResourceNotFound);
    }
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_take_back_and_changes_nothing() {
    for world in worlds("batch_dry_run").await {
        let (one, two) = (world.placed("one").await, world.placed("two").await);
        world.submit("before", cancel_units(&two.order_id, 1, 3), Wait::Completed).await.unwrap();
        let new = NewBatch { orders: Vec::new(), sku: "TEAPOT".to_owned(), ..of_orders(Vec::new(), true) };

        let batch = created(&world, "dry", new).await;
        let id = &batch.batch.batch_id;
        let early = world.batches.resume_batch(&caller(), request_id("early"), id).await.unwrap_err();
        let foreseen = worked(&world, id, BatchState::Estimated).await;

        assert_eq!(early.reason(), Reason::StateConflict);
        assert_eq!((foreseen.batch.items, foreseen.counts.cancelled), (1, 1), "only one has open teapots");
        assert_eq!(foreseen.totals.currencies[0].amount_minor, 3_000);
        assert_eq!(foreseen.totals.skus, [("TEAPOT".to_owned(), 3)]);
        assert_eq!(world.order(&one.order_id).await.version, one.version);

        world.batches.resume_batch(&caller(), request_id("start"), id).await.unwrap();
        let done = worked(&world, id, BatchState::Completed).await;

        assert_eq!((done.counts.cancelled, done.totals), (1, foreseen.totals));
        let (order, changes) = world.orders.order_with_changes(&caller(), &one.order_id).await.unwrap();
        assert_eq!((order.state(), changes[0].channel), (OrderState::Confirmed, Channel::Batch));
    }
}

#[tokio::test]
async fn a_paused_batch_goes_on_where_it_stopped_and_makes_no_second_change() {
    for world in worlds("batch_pause").await {
        let mut orders = Vec::new();
        for number in 0..40 {
            orders.push(world.placed(&format!("order-{number}")).await);
        }
        let names = orders.iter().map(|order| order.order_id.to_string()).collect();
        let batch = created(&world, "batch", of_orders(names, false)).await;
        let id = &batch.batch.batch_id;

        // A worker that is told to stop ends its round and gives the batch up.
        let stopped = CancellationToken::new();
        stopped.cancel();
        world.batches.work_on_a_batch(&stopped).await.unwrap();
        let paused = world.batches.pause_batch(&caller(), request_id("pause"), id).await.unwrap();
        assert_eq!((paused.batch.state, paused.counts.cancelled), (BatchState::Paused, 32));
        assert!(!world.batches.work_on_a_batch(&CancellationToken::new()).await.unwrap(), "nothing is due");
        world.batches.resume_batch(&caller(), request_id("resume"), id).await.unwrap();
        let done = worked(&world, id, BatchState::Completed).await;

        assert_eq!(done.counts.cancelled, 40);
        let page = Page { after: None, size: 50 };
        let listed = world.batches.list_batches(&caller(), &page).await.unwrap().items;
        assert_eq!(listed.iter().map(|one| one.counts.cancelled).collect::<Vec<_>>(), [40]);
        for order in &orders {
            let (_, changes) = world.orders.order_with_changes(&caller(), &order.order_id).await.unwrap();
            assert_eq!(changes.len(), 1);
        }
    }
}

#[tokio::test]
async fn cancellations_are_counted_by_everything_they_are_known_by() {
    for world in worlds("stats").await {
        let (one, two) = (world.placed("one").await, world.placed("two").await);
        world.placed("three").await;
        world.submit("one", cancel_all(&one.order_id), Wait::Completed).await.unwrap();
        world.submit("two", cancel_units(&two.order_id, 2, 1), Wait::Completed).await.unwrap();

        for by in Dimension::ALL {
            let stats = Reports::new(world.orders.clone())
                .cancellation_stats(&caller(), by, Span::default())
                .await
                .unwrap();

            let total = &stats.total;
            assert_eq!(
                (total.changes, total.orders, total.units, total.orders_placed),
                (2, 2, 6, 3),
                "{by:?}"
            );
            assert_eq!(total.rate_basis_points(), 6_667);
            let amounts: Vec<_> =
                total.money.iter().map(|money| (money.currency.as_str(), money.amount_minor)).collect();
            assert_eq!(amounts, [("GBP", 3_900 + 250)]);
            let units: i64 = stats.rows.iter().map(|row| row.units).sum();
            assert_eq!(units, 6, "{by:?}");
            assert!(stats.rows.iter().all(|row| row.orders_placed == 3), "{by:?} {stats:?}");
        }
        let by_sku = Reports::new(world.orders.clone())
            .cancellation_stats(&caller(), Dimension::Sku, Span::default())
            .await
            .unwrap();
        assert_eq!((by_sku.rows[0].key.as_str(), by_sku.rows[0].orders), ("CUP", 2));
        let never = Span { before: Some(types::Timestamp::UNIX_EPOCH), ..Span::default() };
        let none = Reports::new(world.orders.clone())
            .cancellation_stats(&caller(), Dimension::Reason, never)
            .await
            .unwrap();
        assert!(none.rows.is_empty() && none.total.orders == 0);
    }
}
