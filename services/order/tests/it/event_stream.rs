//! The stream of all events: one order that never changes, and enough in it to know every order without asking.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use order::domain::history::Told;
use order::ops::{EventFilter, EventReader, Found, Start, Wait};
use prost::Message;
use proto::events::v1::{
    GoodsProgressed, GroupFigures, LineFigures, LineProgress, MovedOrder, OrderFigures, OrderMovement,
    OwedChanged, RefundEnded,
};
use proto::order::v1::{self as wire, OrderTotals};
use proto::payment::v1::OwedPosition;
use storage::Delivery;
use types::{OrderId, Reason};

use crate::fakes::Act;
use crate::samples::{caller, cancel_all, cancel_units};
use crate::world::{World, worlds};

#[tokio::test]
async fn an_order_is_rebuilt_from_its_events_alone() {
    for world in worlds("rebuild").await {
        let order = world.placed("order").await;
        live_through_much(&world, &order).await;

        let events = stored(&world, EventFilter::default()).await;

        let rebuilt = Rebuilt::of(&events);
        let known = order::wire::order(&world.order(&order.order_id).await);
        assert_eq!(rebuilt.totals, known.totals.unwrap());
        let lines: Vec<LineFigures> = known.lines.iter().map(figures_of_line).collect();
        assert_eq!(rebuilt.lines.into_values().collect::<Vec<_>>(), lines);
        let groups: Vec<GroupFigures> = known.delivery_groups.iter().map(figures_of_group).collect();
        assert_eq!(rebuilt.groups.into_values().collect::<Vec<_>>(), groups);
        assert!(known.totals.unwrap().refund_owed_minor > 0, "the story has to move every figure");
    }
}

#[tokio::test]
async fn positions_are_gap_free_and_sequences_too() {
    for world in worlds("positions").await {
        let placed = (0..12).map(async |number| world.placed(&format!("order-{number}")).await);
        let cancelled = join_all(placed).await.into_iter().enumerate().map(async |(number, order)| {
            let name = format!("cancel-{number}");
            world.submit(&name, cancel_all(&order.order_id), Wait::Completed).await.unwrap()
        });
        join_all(cancelled).await;

        let events = stored(&world, EventFilter::default()).await;

        let positions: Vec<i64> = events.iter().map(|told| told.position).collect();
        assert_eq!(positions, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>());
        let mut last: BTreeMap<OrderId, i64> = BTreeMap::new();
        for told in &events {
            let last = last.entry(told.order_id.clone()).or_insert(0);
            assert_eq!(told.sequence, *last + 1, "{told:?}");
            *last = told.sequence;
        }
        assert!(last.values().all(|last| *last == 6), "{last:?}");
    }
}

#[tokio::test]
async fn readers_that_come_while_others_write_miss_nothing() {
    for world in worlds("live").await {
        let mut readers = Vec::new();
        for _ in 0..3 {
            readers.push(reader(&world, EventFilter::default(), Start::Now).await);
        }
        let live = join_all(readers.into_iter().map(|reader| read_live(reader, 16)));
        let writing = join_all((0..8).map(async |number| world.placed(&format!("order-{number}")).await));

        let (heard, _) = tokio::join!(live, writing);

        let stored = stored(&world, EventFilter::default()).await;
        assert_eq!(stored.len(), 16);
        for events in heard {
            assert_eq!(events, stored);
        }
    }
}

#[tokio::test]
async fn a_reader_resumes_behind_any_event_it_has_seen() {
    for world in worlds("resume").await {
        let order = world.placed("order").await;
        world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
        let all = stored(&world, EventFilter::default()).await;

        for (seen, told) in all.iter().enumerate() {
            let mut reader = reader(&world, EventFilter::default(), Start::After(told.position)).await;

            assert_eq!(read_stored(&mut reader).await, all[seen + 1..]);
        }
    }
}

#[tokio::test]
async fn a_token_of_another_store_is_refused() {
    for world in worlds("foreign").await {
        world.placed("order").await;

        let start = Start::After(1_000);
        let refused = world.orders.read_events(&caller(), EventFilter::default(), start).await;

        assert_eq!(refused.err().unwrap().reason(), Reason::StateConflict);
    }
}

#[tokio::test]
async fn a_filter_shows_one_order_and_some_types() {
    for world in worlds("filter").await {
        let (one, other) = (world.placed("one").await, world.placed("other").await);
        world.submit("cancel", cancel_units(&one.order_id, 1, 1), Wait::Completed).await.unwrap();
        let kinds =
            ["OrderPlaced", "ChangeOrderCompleted"].map(|kind| format!("countermand.events.v1.{kind}"));

        let order_id = Some(one.order_id.clone());
        let of_one = stored(&world, EventFilter { order_id, kinds: Vec::new() }).await;
        let placed = stored(&world, EventFilter { order_id: None, kinds: kinds[..1].to_vec() }).await;
        let ends = EventFilter { order_id: Some(one.order_id.clone()), kinds: kinds.to_vec() };
        let ends = stored(&world, ends).await;

        assert!(of_one.iter().all(|told| told.order_id == one.order_id));
        assert_eq!(of_one.len(), 5);
        let orders: Vec<&OrderId> = placed.iter().map(|told| &told.order_id).collect();
        assert!(orders.contains(&&one.order_id) && orders.contains(&&other.order_id));
        assert_eq!(ends.len(), 2);
    }
}

#[tokio::test]
async fn events_are_read_while_nobody_takes_them() {
    for world in worlds("silent").await {
        world.fakes.hear(false);

        world.placed("order").await;

        assert_eq!(stored(&world, EventFilter::default()).await.len(), 2);
    }
}

/// Ships some, cancels some, has a change refused, and loses a refund.
async fn live_through_much(world: &World, order: &order::domain::order::Order) {
    let cancelled =
        world.submit("cancel", cancel_units(&order.order_id, 2, 1), Wait::Completed).await.unwrap().change;
    let progress = |line: usize, shipped: i64, delivered: i64| LineProgress {
        line_id: order.lines[line].line_id.to_string(),
        allocated: shipped,
        submitted: shipped,
        shipped,
        delivered,
        ..LineProgress::default()
    };
    for (seq, shipped, delivered) in [(1, 1, 0), (2, 2, 0), (3, 2, 1)] {
        let body = GoodsProgressed {
            order_id: order.order_id.to_string(),
            lines: vec![progress(0, shipped, delivered)],
            ..GoodsProgressed::default()
        };
        let event = world.event("inventory", &order.order_id, seq, "GoodsProgressed", &body);
        assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
    }
    let refund = &cancelled.refunds[0];
    let body = RefundEnded {
        order_id: order.order_id.to_string(),
        change_order_id: cancelled.change_order_id.to_string(),
        refund_id: refund.refund_id.to_string(),
        state: "reversed".to_owned(),
        amount_minor: refund.amount_minor,
        detail: "the card was closed".to_owned(),
        ..RefundEnded::default()
    };
    let event = world.event("payment", &order.order_id, 1, "RefundEnded", &body);
    assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
    let body = OwedChanged {
        order_id: order.order_id.to_string(),
        positions: vec![OwedPosition { sequence: 1, worth_version: 2, owed_minor: refund.amount_minor }],
        left: Vec::new(),
    };
    let event = world.event("payment", &order.order_id, 2, "OwedChanged", &body);
    assert_eq!(world.orders.deliver(vec![event]).await, [Delivery::Accepted]);
    world.fakes.script.play("hold_goods", [Act::Refuse(Reason::ShippedFirst)]);
    world.submit("refused", cancel_units(&order.order_id, 2, 1), Wait::Completed).await.unwrap();
}

/// What somebody knows of an order who has only ever read its events.
#[derive(Default)]
struct Rebuilt {
    totals: OrderTotals,
    /// By line number.
    lines: BTreeMap<i64, LineFigures>,
    groups: BTreeMap<String, GroupFigures>,
}

impl Rebuilt {
    fn of(events: &[Told]) -> Self {
        let mut rebuilt = Self::default();
        for (at, told) in events.iter().enumerate() {
            assert_eq!(told.sequence, i64::try_from(at).unwrap() + 1);
            let movement = MovedOrder::decode(told.payload.as_slice()).unwrap().movement.unwrap();
            rebuilt.apply(movement, told);
        }
        rebuilt
    }

    fn apply(&mut self, OrderMovement { before, after, delta, .. }: OrderMovement, told: &Told) {
        let (after, delta) = (after.unwrap(), delta.unwrap());
        match before {
            None => assert_eq!((told.sequence, &delta), (1, &after)),
            Some(OrderFigures { totals, lines, delivery_groups }) => {
                assert_eq!(totals.unwrap(), self.totals, "{told:?}");
                for line in &lines {
                    assert_eq!(&self.lines[&line.line_number], line);
                }
                for group in &delivery_groups {
                    assert_eq!(&self.groups[&group.delivery_group], group);
                }
            }
        }
        let moved = after.totals.unwrap().refund_owed_minor - self.totals.refund_owed_minor;
        assert_eq!(delta.totals.unwrap().refund_owed_minor, moved);
        for (line, moved) in after.lines.iter().zip(&delta.lines) {
            let was = self.lines.get(&line.line_number).and_then(|line| line.quantities).unwrap_or_default();
            let (is, moved) = (line.quantities.unwrap(), moved.quantities.unwrap());
            assert_eq!((is.open - was.open, is.cancelled - was.cancelled), (moved.open, moved.cancelled));
        }
        self.totals = after.totals.unwrap();
        self.lines.extend(after.lines.into_iter().map(|line| (line.line_number, line)));
        self.groups
            .extend(after.delivery_groups.into_iter().map(|group| (group.delivery_group.clone(), group)));
    }
}

fn figures_of_line(line: &wire::OrderLine) -> LineFigures {
    LineFigures {
        line_id: line.line_id.clone(),
        line_number: line.line_number,
        sku: line.sku.clone(),
        quantities: line.quantities,
        amounts: line.amounts,
        reversed_minor: line.reversed_minor,
    }
}

fn figures_of_group(group: &wire::DeliveryGroup) -> GroupFigures {
    GroupFigures {
        delivery_group: group.delivery_group.clone(),
        shipping_minor: group.shipping_minor,
        shipping_tax_minor: group.shipping_tax_minor,
        shipping_reversed_minor: group.shipping_reversed_minor,
        shipping_tax_reversed_minor: group.shipping_tax_reversed_minor,
    }
}

async fn reader(world: &World, filter: EventFilter, start: Start) -> EventReader {
    world.orders.read_events(&caller(), filter, start).await.unwrap()
}

async fn stored(world: &World, filter: EventFilter) -> Vec<Told> {
    read_stored(&mut reader(world, filter, Start::After(0)).await).await
}

async fn read_stored(reader: &mut EventReader) -> Vec<Told> {
    let mut events = Vec::new();
    loop {
        match reader.next().await.unwrap() {
            Found::Events(found) => events.extend(found),
            Found::NothingHere => {}
            Found::End => return events,
        }
    }
}

async fn read_live(mut reader: EventReader, wanted: usize) -> Vec<Told> {
    let mut events = Vec::new();
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    while events.len() < wanted {
        assert!(tokio::time::Instant::now() < limit, "{} of {wanted} events came", events.len());
        match reader.next().await.unwrap() {
            Found::Events(found) => events.extend(found),
            Found::NothingHere => {}
            Found::End => reader.something_new().await,
        }
    }
    events
}
