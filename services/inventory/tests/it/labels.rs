//! Labels: what comes back, when, where to, and that it comes back once.

use std::time::Duration;

use inventory::domain::{Credit, Hold, HoldLine, LabelState, Reach, VoidRefusal, Warehouse, WarehouseKind};
use inventory::ops::{Action, Bought, Resource, ShownLabel, Step, StepAnswer, StepCommand};
use proto::events::v1::{AttentionCleared, AttentionRaised};
use storage::Direction;
use types::{FulfilmentId, Money, Reason, Refusal, Tenant};

use crate::world::{Order, World, applied, quantity, reason, shown, step, warehouse, worlds};

fn label(resource: Resource) -> ShownLabel {
    match resource {
        Resource::Label(shown) => shown,
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn attach(&self, id: &FulfilmentId, token: &str) -> ShownLabel {
        let bought = Bought {
            fulfilment_id: id.clone(),
            carrier: "sandbox".to_owned(),
            token: token.to_owned(),
            tracking_number: "1Z999".to_owned(),
            cost: Money::parse("GBP", 450).unwrap(),
        };
        label(self.act("AttachLabel", Action::AttachLabel(bought)).await.unwrap())
    }

    async fn void(&self, shown: &ShownLabel) -> Result<ShownLabel, Refusal> {
        self.act("VoidLabel", Action::VoidLabel { label_id: shown.id.clone() }).await.map(label)
    }

    async fn only_label(&self, order: &Order) -> ShownLabel {
        let labels = self.inventory.labels(&Tenant::DEFAULT, &order.id).await.unwrap();
        let [label] = labels.try_into().unwrap();
        label
    }

    /// An order of five apples that left under a label.
    async fn shipped(&self, token: &str) -> (Order, FulfilmentId) {
        self.receive("main", "apple", 5).await;
        let order = self.placed(&[("apple", 5)]).await;
        let fulfilment = self.create_fulfilment(&order, Vec::new()).await.unwrap().id;
        self.attach(&fulfilment, token).await;
        self.ship(&fulfilment, Vec::new()).await.unwrap();
        (order, fulfilment)
    }

    async fn close(&self, name: &str) {
        let closed = Warehouse { kind: WarehouseKind::Own, priority: 1, active: false, integration: None };
        let action = Action::UpsertWarehouse { id: warehouse(name), warehouse: closed };
        self.act("UpsertWarehouse", action).await.unwrap();
    }
}

impl Order {
    pub fn claim_shipped(&self, saga: &str, units: i64) -> StepCommand {
        self.claim(saga, units, false)
    }

    fn claim(&self, saga: &str, units: i64, void_label: bool) -> StepCommand {
        let lines = vec![HoldLine { line_id: self.lines[0].clone(), quantity: quantity(units) }];
        let hold = Step::HoldGoods(Hold {
            lines,
            void_label,
            reach: Reach::OnTheWay,
            take_what_is_left: false,
            only_here: false,
        });
        step(saga, "hold_goods", Direction::Do, &self.id, hold)
    }

    fn void_labels(&self, saga: &str) -> StepCommand {
        step(saga, "void_labels", Direction::Do, &self.id, Step::VoidLabels)
    }
}

#[tokio::test]
async fn a_shipped_order_is_cancelled_without_moving_stock() {
    for world in worlds("labels_shipped").await {
        let (order, _) = world.shipped("lbl_ok").await;

        assert_eq!(reason(world.step(&order.hold("strict", &[5])).await), Reason::ShippedFirst);
        let held = applied(world.step(&order.claim("chg", 5, false)).await);
        assert_eq!(held.lines[0].shipped, 5);
        assert_eq!(reason(world.step(&order.claim("other", 1, false)).await), Reason::ShippedFirst);
        applied(world.step(&order.release("chg")).await);

        assert_eq!(world.stock("main", "apple").await, (0, 0));
        assert_eq!(world.only_label(&order).await.label.state, LabelState::Purchased, "the label is kept");
        world.check().await;
    }
}

#[tokio::test]
async fn a_claim_that_is_put_back_leaves_the_units_sold() {
    for world in worlds("labels_put_back").await {
        let (order, fulfilment) = world.shipped("lbl_ok").await;

        applied(world.step(&order.claim("chg", 2, true)).await);
        applied(world.step(&order.resume("chg")).await);

        assert_eq!(world.only_label(&order).await.label.voider, None);
        let deliver = Action::DeliverFulfilment { fulfilment_id: fulfilment, lines: Vec::new() };
        let delivered = world.act("DeliverFulfillment", deliver).await.map(shown).unwrap();
        assert_eq!(delivered.lines.iter().map(|(_, row)| row.quantity).sum::<i64>(), 5);
        assert_eq!(reason(world.step(&order.claim("late", 1, false)).await), Reason::Delivered);
        world.check().await;
    }
}

#[tokio::test]
async fn a_voided_label_restocks_the_originating_warehouse_exactly_once() {
    for world in worlds("labels_restock").await {
        world.warehouse("spare", WarehouseKind::Own, 2).await;
        let (order, _) = world.shipped("lbl_credit_late").await;
        applied(world.step(&order.claim("chg", 5, true)).await);
        applied(world.step(&order.release("chg")).await);
        assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);
        assert_eq!(world.stock("main", "apple").await, (0, 0), "nothing comes back on request");

        world.run_errands().await;

        assert_eq!(world.stock("main", "apple").await, (5, 0));
        let requested = LabelState::Voided { credit: Credit::Requested };
        assert_eq!(world.only_label(&order).await.label.state, requested);
        let reply = applied(world.step(&order.void_labels("chg")).await);
        assert_eq!(reply.labels[0].state, "voided");

        world.clock.advance(Duration::from_mins(2));
        world.run_errands().await;
        world.run_errands().await;

        let granted = LabelState::Voided { credit: Credit::Granted };
        assert_eq!(world.only_label(&order).await.label.state, granted);
        assert_eq!(world.stock("main", "apple").await, (5, 0));
        assert_eq!(world.stock("spare", "apple").await, (0, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn the_carrier_may_answer_before_the_goods_are_released() {
    for world in worlds("labels_order").await {
        let (order, _) = world.shipped("lbl_ok").await;
        applied(world.step(&order.claim("chg", 5, true)).await);
        assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);

        world.run_errands().await;
        assert_eq!(world.stock("main", "apple").await, (0, 0), "the units are claimed, not cancelled");
        assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);
        applied(world.step(&order.release("chg")).await);

        assert_eq!(world.stock("main", "apple").await, (5, 0));
        applied(world.step(&order.void_labels("chg")).await);
        world.check().await;
    }
}

#[tokio::test]
async fn a_refused_void_brings_nothing_back_and_says_why() {
    let cases = [
        ("lbl_used", VoidRefusal::Used),
        ("lbl_manifested", VoidRefusal::Manifested),
        ("lbl_window", VoidRefusal::Window),
    ];
    for (token, refusal) in cases {
        for world in worlds(&format!("labels_{token}")).await {
            let (order, _) = world.shipped(token).await;
            applied(world.step(&order.claim("chg", 5, true)).await);
            applied(world.step(&order.release("chg")).await);
            assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);

            world.run_errands().await;

            let reply = applied(world.step(&order.void_labels("chg")).await);
            assert_eq!(reply.labels[0].refusal, refusal.as_str());
            assert_eq!(world.only_label(&order).await.label.state, LabelState::VoidRefused { refusal });
            assert_eq!(world.stock("main", "apple").await, (0, 0));
            world.check().await;
        }
    }
}

#[tokio::test]
async fn voiding_the_label_of_a_live_order_opens_its_units_again() {
    for world in worlds("labels_unship").await {
        let (order, fulfilment) = world.shipped("lbl_ok").await;
        let known = world.only_label(&order).await;

        assert_eq!(world.void(&known).await.unwrap().label.state, LabelState::VoidRequested);
        assert_eq!(world.void(&known).await.unwrap_err().reason, Reason::StateConflict);
        world.run_errands().await;

        assert_eq!(world.stock("main", "apple").await, (5, 5));
        let again = world.only_label(&order).await;
        assert_eq!(again.label.tracking_number, "1Z999", "the number is struck out, not erased");
        world.ship(&fulfilment, Vec::new()).await.unwrap();
        assert_eq!(world.stock("main", "apple").await, (0, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_label_is_not_voided_while_a_change_holds_the_order_nor_once_delivered() {
    for world in worlds("labels_refused").await {
        let (order, fulfilment) = world.shipped("lbl_ok").await;
        let known = world.only_label(&order).await;
        applied(world.step(&order.claim("chg", 1, false)).await);
        assert_eq!(world.void(&known).await.unwrap_err().reason, Reason::CancelHold);
        applied(world.step(&order.resume("chg")).await);

        world.close("main").await;
        assert_eq!(world.void(&known).await.unwrap_err().reason, Reason::WarehouseInactive);

        let deliver = Action::DeliverFulfilment { fulfilment_id: fulfilment, lines: Vec::new() };
        world.act("DeliverFulfillment", deliver).await.unwrap();
        assert_eq!(world.void(&known).await.unwrap_err().reason, Reason::Delivered);
        world.check().await;
    }
}

#[tokio::test]
async fn units_of_an_inactive_warehouse_wait_for_another_one() {
    for world in worlds("labels_inactive").await {
        world.warehouse("spare", WarehouseKind::Own, 2).await;
        let (order, _) = world.shipped("lbl_ok").await;
        applied(world.step(&order.claim("chg", 5, true)).await);
        applied(world.step(&order.release("chg")).await);
        world.close("main").await;
        assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);

        world.run_errands().await;

        let waiting = world.only_label(&order).await;
        assert_eq!(waiting.restock_waiting, 5);
        assert_eq!(world.step(&order.void_labels("chg")).await, StepAnswer::Pending);
        let restock =
            |name: &str| Action::RestockLabel { label_id: waiting.id.clone(), warehouse_id: warehouse(name) };
        let refused = world.act("RestockLabel", restock("main")).await.unwrap_err();
        assert_eq!(refused.reason, Reason::WarehouseInactive);
        assert_eq!(world.told::<AttentionRaised>("AttentionRaised").await.len(), 1);
        assert!(world.told::<AttentionCleared>("AttentionCleared").await.is_empty());
        world.act("RestockLabel", restock("spare")).await.unwrap();

        let cleared = world.told::<AttentionCleared>("AttentionCleared").await;
        let about: Vec<_> =
            cleared.iter().map(|event| (event.subject_type.as_str(), &event.subject_id)).collect();
        assert_eq!(about, [("label", &waiting.id.to_string())]);
        assert_eq!(world.stock("spare", "apple").await, (5, 0));
        assert_eq!(world.stock("main", "apple").await, (0, 0));
        applied(world.step(&order.void_labels("chg")).await);
        world.check().await;
    }
}

#[tokio::test]
async fn a_lost_answer_of_the_carrier_is_asked_for_again() {
    for world in worlds("labels_lost").await {
        let (order, _) = world.shipped("lbl_timeout").await;
        world.void(&world.only_label(&order).await).await.unwrap();

        world.run_errands().await;
        assert_eq!(world.only_label(&order).await.label.state, LabelState::VoidRequested);
        // On a busy machine more than one question may go unanswered before the carrier has decided.
        for _ in 0..20 {
            world.clock.advance(Duration::from_secs(1_000));
            world.run_errands().await;
        }

        assert!(world.only_label(&order).await.label.state.is_voided());
        assert_eq!(world.stock("main", "apple").await, (5, 5));
        world.check().await;
    }
}
