//! Goods as they are, through the ledger and the database: see the domain's tests of the same name.

use inventory::domain::{LineState, Reported, Reshipped};
use inventory::ops::{Action, Packing, Resource, Step, StepCommand};
use storage::Direction;
use types::{FulfilmentId, Reason, Refusal, Tenant};

use crate::world::{Order, World, applied, quantity, reason, select, shown, step, warehouse, worlds};

impl World {
    pub async fn report(&self, id: &FulfilmentId, number: &str) -> Result<Reported, Refusal> {
        let (fulfilment_id, tracking_number) = (id.clone(), number.to_owned());
        let action = Action::ReportShipment { fulfilment_id, lines: Vec::new(), tracking_number, of: None };
        match self.act("ReportPartnerShipment", action).await? {
            Resource::Report(_, reported) => Ok(reported),
            other => panic!("{other:?}"),
        }
    }

    /// Ten apples, of which four stand in a parcel.
    async fn packed(&self) -> (Order, FulfilmentId) {
        self.receive("main", "apple", 10).await;
        let order = self.placed(&[("apple", 4)]).await;
        let fulfilment = self.create_fulfilment(&order, Vec::new()).await.unwrap().id;
        (order, fulfilment)
    }

    async fn states(&self, id: &FulfilmentId) -> Vec<(i64, Option<LineState>)> {
        let found = self.inventory.fulfilment(&Tenant::DEFAULT, id).await.unwrap().unwrap();
        found.lines.iter().map(|(_, row)| (row.quantity, row.line_state())).collect()
    }
}

fn restore(order: &Order, saga: &str, units: i64, direction: Direction) -> StepCommand {
    let reshipped = vec![Reshipped { line_id: order.lines[0].clone(), quantity: quantity(units) }];
    let wanted = inventory::domain::Reservable { lines: Vec::new(), reshipped };
    let command = match direction {
        Direction::Do => Step::ReserveStock { wanted, until_paid: false },
        Direction::Undo => Step::UnreserveStock,
    };
    step(saga, "reserve_stock", direction, &order.id, command)
}

#[tokio::test]
async fn goods_leave_only_once_it_is_decided_what_they_were_reserved_for() {
    for world in worlds("truths_undecided").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 4)]).await;
        let undecided = Packing {
            order_id: order.id.clone(),
            warehouse_id: warehouse("main"),
            lines: Vec::new(),
            move_reservation: false,
            decided: ["somebody else".to_owned()].into(),
        };

        let refused = world.act("CreateFulfillment", Action::CreateFulfilment(undecided)).await.unwrap_err();

        assert_eq!(refused.reason, Reason::ChangeInProgress);
        world.create_fulfilment(&order, Vec::new()).await.unwrap();
        world.check().await;
    }
}

#[tokio::test]
async fn a_third_party_serves_what_is_assigned_to_it_and_nothing_else() {
    for world in worlds("truths_dropship").await {
        world.warehouse("partner", inventory::domain::WarehouseKind::Dropship, 0).await;
        world.receive("main", "apple", 1).await;

        let order = world.placed(&[("apple", 1)]).await;
        let goods = world.inventory.goods(&Tenant::DEFAULT, &order.id).await.unwrap().unwrap();
        assert!(goods.reservations.values().all(|row| row.warehouse_id == warehouse("main")));
        let (_, more) = world.placing(&[("apple", 1)]);
        assert_eq!(reason(world.step(&more).await), Reason::InsufficientStock);

        assert!(world.assign("apple", Some("nowhere")).await.is_err());
        world.assign("apple", Some("partner")).await.unwrap();
        let order = world.placed(&[("apple", 1)]).await;
        let goods = world.inventory.goods(&Tenant::DEFAULT, &order.id).await.unwrap().unwrap();
        assert!(goods.reservations.values().all(|row| row.warehouse_id == warehouse("partner")));
        world.assign("apple", None).await.unwrap();
        let (_, more) = world.placing(&[("apple", 1)]);
        assert_eq!(reason(world.step(&more).await), Reason::InsufficientStock);
        let listed = world.inventory.list_assignments(&Tenant::DEFAULT, "", 10).await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        world.check().await;
    }
}

#[tokio::test]
async fn a_parcel_is_undone_or_packed_elsewhere_and_the_promise_moves_along() {
    for world in worlds("truths_unpack").await {
        world.warehouse("spare", inventory::domain::WarehouseKind::Own, 2).await;
        let (order, fulfilment) = world.packed().await;

        let (fulfilment_id, lines) = (fulfilment.clone(), select(&order.lines[0], 1));
        world.act("UnpackFulfillment", Action::UnpackFulfilment { fulfilment_id, lines }).await.unwrap();
        assert_eq!(world.stock("main", "apple").await, (10, 4));
        assert_eq!(
            world.states(&fulfilment).await,
            [(3, Some(LineState::Allocated)), (1, Some(LineState::Unpacked))]
        );

        let elsewhere = || Action::MoveFulfilment {
            fulfilment_id: fulfilment.clone(),
            warehouse_id: warehouse("spare"),
            lines: Vec::new(),
        };
        let lacking = world.act("MoveFulfillment", elsewhere()).await.unwrap_err();
        assert_eq!(lacking.reason, Reason::InsufficientStock);
        world.receive("spare", "apple", 3).await;
        let moved = world.act("MoveFulfillment", elsewhere()).await.map(shown).unwrap();
        assert_eq!(
            (world.stock("main", "apple").await, world.stock("spare", "apple").await),
            ((10, 1), (3, 3))
        );
        assert_eq!(moved.warehouse_id, warehouse("spare"));

        let rest = world.create_fulfilment(&order, Vec::new()).await.unwrap();
        world.ship(&moved.id, Vec::new()).await.unwrap();
        world.ship(&rest.id, Vec::new()).await.unwrap();
        assert_eq!(
            (world.stock("main", "apple").await, world.stock("spare", "apple").await),
            ((9, 0), (0, 0))
        );
        world.check().await;
    }
}

#[tokio::test]
async fn reserved_goods_may_be_packed_where_they_are_not_reserved_if_that_is_said() {
    for world in worlds("truths_bring").await {
        world.warehouse("spare", inventory::domain::WarehouseKind::Own, 2).await;
        world.receive("main", "apple", 4).await;
        world.receive("spare", "apple", 4).await;
        let order = world.placed(&[("apple", 4)]).await;
        let Action::CreateFulfilment(packing) = order.pack("spare", Vec::new()) else { unreachable!() };

        let strict = Action::CreateFulfilment(packing.clone());
        assert_eq!(world.act("CreateFulfillment", strict).await.unwrap_err().reason, Reason::StateConflict);
        let moving = Action::CreateFulfilment(Packing { move_reservation: true, ..packing });
        world.act("CreateFulfillment", moving).await.unwrap();

        assert_eq!(
            (world.stock("main", "apple").await, world.stock("spare", "apple").await),
            ((4, 0), (4, 4))
        );
        world.check().await;
    }
}

#[tokio::test]
async fn our_own_warehouse_is_believed_when_it_has_shipped_what_was_cancelled() {
    for world in worlds("truths_left").await {
        let (order, fulfilment) = world.packed().await;
        applied(world.step(&order.hold("chg", &[4])).await);
        applied(world.step(&order.release("chg")).await);

        let reported = world.report(&fulfilment, "1Z1").await.unwrap();

        assert_eq!((reported.shipped, reported.shipped_after_cancel), (0, 4));
        assert_eq!(world.stock("main", "apple").await, (6, 0));
        assert_eq!(world.states(&fulfilment).await, [(4, Some(LineState::ShippedAfterCancel))]);
        world.check().await;
    }
}

#[tokio::test]
async fn a_report_during_a_hold_is_kept_until_the_change_has_ended() {
    for cancelled in [true, false] {
        for world in worlds(&format!("truths_noted_{cancelled}")).await {
            let (order, fulfilment) = world.packed().await;
            applied(world.step(&order.hold("chg", &[4])).await);

            let reported = world.report(&fulfilment, "1Z1").await.unwrap();
            assert_eq!((reported.noted, reported.shipped), (4, 0));
            assert_eq!(world.stock("main", "apple").await, (10, 4));
            world.check().await;
            let end = if cancelled { order.release("chg") } else { order.resume("chg") };
            applied(world.step(&end).await);

            let state = if cancelled { LineState::ShippedAfterCancel } else { LineState::Shipped };
            assert_eq!(world.states(&fulfilment).await, [(4, Some(state))]);
            assert_eq!(world.stock("main", "apple").await, (6, 0));
            world.check().await;
        }
    }
}

#[tokio::test]
async fn what_was_cancelled_after_shipping_is_restored_where_it_is() {
    for world in worlds("truths_reship").await {
        let (order, fulfilment) = world.packed().await;
        world.ship(&fulfilment, Vec::new()).await.unwrap();
        applied(world.step(&order.claim_shipped("chg", 4)).await);
        applied(world.step(&order.release("chg")).await);
        assert_eq!(world.states(&fulfilment).await, [(4, Some(LineState::CancelledAfterShip))]);

        applied(world.step(&restore(&order, "first", 4, Direction::Do)).await);
        applied(world.step(&restore(&order, "first", 4, Direction::Undo)).await);
        assert_eq!(world.states(&fulfilment).await, [(4, Some(LineState::CancelledAfterShip))]);
        applied(world.step(&restore(&order, "second", 4, Direction::Do)).await);
        let reship = step("second", "reship", Direction::Do, &order.id, Step::Reship);
        applied(world.step(&reship).await);

        assert_eq!(world.states(&fulfilment).await, [(4, Some(LineState::Shipped))]);
        assert_eq!(world.stock("main", "apple").await, (6, 0), "they never came back");
        world.check().await;
    }
}
