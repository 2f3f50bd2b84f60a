//! Units that came back and units that do not exist, through the ledger and the database.

use inventory::domain::ReturnedLine;
use inventory::ops::{Action, Step, StepCommand};
use storage::Direction;
use types::Reason;

use crate::world::{Order, World, applied, reason, select, step, warehouse, worlds};

/// Ten apples, four of them sold and shipped.
async fn shipped(world: &World) -> Order {
    world.receive("main", "apple", 10).await;
    let order = world.placed(&[("apple", 4)]).await;
    let fulfilment = world.create_fulfilment(&order, select(&order.lines[0], 4)).await.unwrap();
    world.ship(&fulfilment.id, Vec::new()).await.unwrap();
    let delivered =
        Action::DeliverFulfilment { fulfilment_id: fulfilment.id, lines: select(&order.lines[0], 2) };
    world.act("DeliverFulfillment", delivered).await.unwrap();
    order
}

fn back(order: &Order, restock: i64, write_off: i64) -> Vec<ReturnedLine> {
    vec![ReturnedLine { line_id: order.lines[0].clone(), restock, write_off, warehouse_id: None }]
}

fn claim(order: &Order, saga: &str, lines: &[ReturnedLine]) -> StepCommand {
    step(saga, "claim_returned", Direction::Do, &order.id, Step::ClaimReturned(lines.to_vec()))
}

fn take_back(order: &Order, saga: &str, lines: &[ReturnedLine]) -> StepCommand {
    let mut command = step(saga, "take_back", Direction::Do, &order.id, Step::TakeBack(lines.to_vec()));
    command.call.completes = Some("claim_returned");
    command
}

#[tokio::test]
async fn units_that_came_back_are_put_on_the_shelf_once_however_often_it_is_asked() {
    for world in worlds("returns").await {
        let order = shipped(&world).await;
        let lines = back(&order, 2, 1);
        applied(world.step(&claim(&order, "return", &lines)).await);
        let first = applied(world.step(&take_back(&order, "return", &lines)).await);

        let second = applied(world.step(&take_back(&order, "return", &lines)).await);

        assert_eq!(first, second);
        assert_eq!(world.stock("main", "apple").await, (8, 0));
        // Read from the database again: only one unit is still out.
        let more = world.step(&claim(&order, "again", &back(&order, 2, 0))).await;
        assert_eq!(reason(more), Reason::QuantityExceedsAvailable);
        applied(world.step(&claim(&order, "last", &back(&order, 1, 0))).await);
        world.check().await;
    }
}

#[tokio::test]
async fn a_claim_that_is_undone_leaves_the_units_with_the_buyer() {
    for world in worlds("returns_undo").await {
        let order = shipped(&world).await;
        let lines = back(&order, 4, 0);
        applied(world.step(&claim(&order, "return", &lines)).await);
        let held = world.step(&order.hold("cancel", &[1])).await;
        assert_eq!(reason(held), Reason::ShippedFirst);

        let undo = step("return", "claim_returned", Direction::Undo, &order.id, Step::UnclaimReturned);
        applied(world.step(&undo).await);

        assert_eq!(world.stock("main", "apple").await, (6, 0));
        let late = world.step(&take_back(&order, "return", &lines)).await;
        assert_eq!(reason(late), Reason::ProtocolViolation);
        applied(world.step(&claim(&order, "another", &lines)).await);
        world.check().await;
    }
}

#[tokio::test]
async fn units_come_back_to_the_warehouse_that_has_them() {
    for world in worlds("returns_elsewhere").await {
        let order = shipped(&world).await;
        world.warehouse("spare", inventory::domain::WarehouseKind::Own, 2).await;
        let mut lines = back(&order, 1, 1);
        lines[0].warehouse_id = Some(warehouse("spare"));

        applied(world.step(&claim(&order, "return", &lines)).await);
        applied(world.step(&take_back(&order, "return", &lines)).await);

        assert_eq!(
            (world.stock("main", "apple").await, world.stock("spare", "apple").await),
            ((6, 0), (1, 0))
        );
        world.check().await;
    }
}

#[tokio::test]
async fn units_that_do_not_exist_are_written_down_instead_of_released() {
    for world in worlds("returns_short").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 4)]).await;
        applied(world.step(&order.hold("short", &[3])).await);

        let mut write_down = step("short", "write_down", Direction::Do, &order.id, Step::WriteDown);
        write_down.call.completes = Some("hold_goods");
        applied(world.step(&write_down).await);
        applied(world.step(&write_down).await);

        assert_eq!(world.stock("main", "apple").await, (7, 1));
        world.check().await;
    }
}
