//! Goods on their way out, and what order is told of it.

use inventory::domain::{FulfilmentState, LineState};
use inventory::ops::Action;
use prost::Message;
use proto::events::v1::{AttentionRaised, GoodsProgressed};
use storage::Statement;
use types::{Reason, Tenant};

use crate::world::{World, applied, select, shown, worlds};

static OUTBOX: Statement = Statement::new(
    "test.outbox",
    "SELECT aggregate_id, aggregate_seq, type, payload FROM outbox ORDER BY aggregate_id, aggregate_seq",
);

pub async fn events(world: &World) -> Vec<(i64, String, Vec<u8>)> {
    let mut tx = world.database.read().await.unwrap();
    let rows = tx.fetch_all(&OUTBOX, Vec::new()).await.unwrap();
    let read = |row: &storage::Row| {
        let kind = row.text("type").unwrap();
        (row.int("aggregate_seq").unwrap(), kind, row.bytes("payload").unwrap())
    };
    rows.iter().map(read).collect()
}

#[tokio::test]
async fn goods_go_from_the_shelf_to_the_customer() {
    for world in worlds("ful_life").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 5)]).await;
        let line = &order.lines[0];

        let created = world.create_fulfilment(&order, select(line, 4)).await.unwrap();
        assert_eq!(created.state, FulfilmentState::Allocated);
        let submit =
            Action::SubmitFulfilment { fulfilment_id: created.id.clone(), external_number: String::new() };
        let submitted = world.act("SubmitFulfillment", submit).await.map(shown).unwrap();
        assert_eq!(submitted.state, FulfilmentState::Submitted);
        let shipped = world.ship(&created.id, select(line, 3)).await.unwrap();
        assert_eq!(shipped.state, FulfilmentState::PartiallyShipped);
        let deliver = Action::DeliverFulfilment { fulfilment_id: created.id.clone(), lines: Vec::new() };
        world.act("DeliverFulfillment", deliver).await.unwrap();
        let shipped = world.ship(&created.id, Vec::new()).await.unwrap();
        assert_eq!(shipped.state, FulfilmentState::Shipped);

        let read = world.inventory.fulfilment(&Tenant::DEFAULT, &created.id).await.unwrap().unwrap();
        assert_eq!(read, shipped);
        let states: Vec<_> = read.lines.iter().map(|(_, row)| (row.quantity, row.line_state())).collect();
        assert_eq!(states, [(1, Some(LineState::Shipped)), (3, Some(LineState::Delivered))]);
        assert_eq!(world.stock("main", "apple").await, (6, 1));
        world.check().await;
    }
}

#[tokio::test]
async fn order_is_told_of_every_counter_in_sequence() {
    for world in worlds("ful_events").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 5), ("apple", 1)]).await;
        let created = world.create_fulfilment(&order, select(&order.lines[0], 4)).await.unwrap();
        world.ship(&created.id, select(&order.lines[0], 1)).await.unwrap();
        applied(world.step(&order.hold("chg", &[4, 1])).await);
        applied(world.step(&order.release("chg")).await);

        let events = events(&world).await;

        let kinds: Vec<_> = events.iter().map(|(seq, kind, _)| (*seq, kind.as_str())).collect();
        let progressed = "countermand.events.v1.GoodsProgressed";
        assert_eq!(kinds, [(1, progressed), (2, progressed), (3, progressed)]);
        let told: Vec<_> = events
            .iter()
            .map(|(_, _, payload)| {
                let event = GoodsProgressed::decode(payload.as_slice()).unwrap();
                assert_eq!(event.order_id, order.id.as_str());
                assert_eq!(event.lines.len(), 1, "only lines that moved are told");
                let line = &event.lines[0];
                (line.allocated, line.deallocated, line.submitted, line.shipped, event.tracking_number)
            })
            .collect();
        let expected =
            [(4, 0, 0, 0, String::new()), (4, 0, 1, 1, "1Z999".to_owned()), (4, 3, 1, 1, String::new())];
        assert_eq!(told, expected);
        world.check().await;
    }
}

#[tokio::test]
async fn units_shipped_before_the_placement_was_undone_are_brought_to_attention() {
    for world in worlds("ful_attention").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 5)]).await;
        let created = world.create_fulfilment(&order, select(&order.lines[0], 2)).await.unwrap();
        world.ship(&created.id, Vec::new()).await.unwrap();

        let reply = applied(world.step(&order.unreserve()).await);

        assert_eq!((reply.lines[0].unallocated, reply.lines[0].shipped), (3, 2));
        let (seq, kind, payload) = events(&world).await.pop().unwrap();
        assert_eq!((seq, kind.as_str()), (3, "countermand.events.v1.AttentionRaised"));
        let event = AttentionRaised::decode(payload.as_slice()).unwrap();
        assert_eq!(event.order_id, order.id.as_str());
        assert_eq!(event.cause.unwrap().details["units"], "2");
        assert_eq!(world.stock("main", "apple").await, (8, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_repeated_request_answers_with_the_fulfilment_as_it_is_now() {
    for world in worlds("ful_repeat").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 5)]).await;
        let create = order.pack("main", Vec::new());
        let create = crate::world::request("CreateFulfillment", "create", create);
        let created = shown(world.inventory.request(create.clone()).await.unwrap().unwrap());
        let ship = Action::ShipFulfilment {
            fulfilment_id: created.id.clone(),
            lines: Vec::new(),
            tracking_number: String::new(),
        };
        let ship = crate::world::request("ShipFulfillment", "ship", ship);
        let shipped = shown(world.inventory.request(ship.clone()).await.unwrap().unwrap());

        assert_eq!(shown(world.inventory.request(create).await.unwrap().unwrap()), shipped);
        assert_eq!(shown(world.inventory.request(ship).await.unwrap().unwrap()), shipped);

        assert_eq!(world.stock("main", "apple").await, (5, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    for world in worlds("ful_missing").await {
        let (order, _) = world.placing(&[("apple", 1)]);

        let missing = world.ship(&world.ids.mint(), Vec::new()).await.unwrap_err();
        assert_eq!(missing.reason, Reason::ResourceNotFound);
        let missing = world.create_fulfilment(&order, Vec::new()).await.unwrap_err();
        assert_eq!(missing.reason, Reason::ResourceNotFound);
        let read = world.inventory.fulfilment(&Tenant::DEFAULT, &world.ids.mint()).await.unwrap();
        assert_eq!(read.unwrap_err().reason, Reason::ResourceNotFound);
    }
}
