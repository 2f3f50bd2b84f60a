//! Steps: once and for all, whatever is sent how often and in which order.

use inventory::ops::{Command, Reply, Step, StepAnswer};
use storage::Direction;
use types::Reason;

use crate::world::{applied, ask, reason, refused, step, worlds};

fn answer(reply: Reply) -> StepAnswer {
    match reply {
        Reply::Step(answer) => answer,
        Reply::Request(outcome) => panic!("{outcome:?}"),
        Reply::Errand => panic!("an errand"),
    }
}

#[tokio::test]
async fn a_batch_with_one_article_many_times_and_one_saga_twice_adds_up() {
    for world in worlds("steps_batch").await {
        world.receive("main", "apple", 10).await;
        let (three, first) = world.placing(&[("apple", 2), ("apple", 1), ("apple", 2)]);
        let (_, second) = world.placing(&[("apple", 3)]);
        let (_, too_much) = world.placing(&[("apple", 3)]);
        let hold = three.hold("chg", &[1, 1, 1]);
        let release = three.release("chg");
        let (_, last) = world.placing(&[("apple", 5)]);
        let commands = [&first, &second, &too_much, &hold, &release, &last];

        let replies = world.batch(&commands.map(|command| Command::Step(command.clone()))).await;

        let answers: Vec<StepAnswer> = replies.into_iter().map(answer).collect();
        assert_eq!(reason(answers[2].clone()), Reason::InsufficientStock);
        for index in [0, 1, 3, 4, 5] {
            applied(answers[index].clone());
        }
        assert_eq!(world.stock("main", "apple").await, (10, 10));
        world.check().await;
    }
}

#[tokio::test]
async fn a_repeated_step_is_answered_and_not_done_again() {
    for world in worlds("steps_repeat").await {
        world.receive("main", "apple", 10).await;
        let (order, reserve) = world.placing(&[("apple", 4)]);
        let (hold, resume) = (order.hold("one", &[3]), order.resume("one"));
        let (again, release) = (order.hold("two", &[2]), order.release("two"));
        let unreserve = order.unreserve();

        for command in [&reserve, &hold, &resume, &again, &release, &unreserve] {
            let first = applied(world.step(command).await);
            let stock = world.stock("main", "apple").await;

            let mut repeat = command.clone();
            repeat.call.context.attempt = 2;
            let second = applied(world.step(&repeat).await);

            assert_eq!(first, second);
            assert_eq!(world.stock("main", "apple").await, stock);
        }
        assert_eq!(world.stock("main", "apple").await, (10, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn a_refusal_is_recorded_and_repeated_even_when_it_would_pass_now() {
    for world in worlds("steps_refusal").await {
        let (_, reserve) = world.placing(&[("apple", 4)]);
        let first = refused(world.step(&reserve).await);
        assert_eq!(first.reason, Reason::InsufficientStock);

        world.receive("main", "apple", 10).await;

        assert_eq!(refused(world.step(&reserve).await), first);
        assert_eq!(world.stock("main", "apple").await, (10, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn an_undo_that_comes_first_refuses_the_late_do() {
    for world in worlds("steps_tombstone").await {
        world.receive("main", "apple", 10).await;
        let (order, reserve) = world.placing(&[("apple", 4)]);

        assert!(applied(world.step(&order.unreserve()).await).nothing_to_do);
        assert_eq!(reason(world.step(&reserve).await), Reason::StepTombstoned);
        assert!(applied(world.step(&order.unreserve()).await).nothing_to_do);

        assert_eq!(world.stock("main", "apple").await, (10, 0));
        let placed = world.placed(&[("apple", 4)]).await;
        assert!(applied(world.step(&placed.resume("chg")).await).nothing_to_do);
        assert_eq!(reason(world.step(&placed.hold("chg", &[1])).await), Reason::StepTombstoned);
        world.check().await;
    }
}

#[tokio::test]
async fn the_undo_of_a_refused_step_has_nothing_to_do() {
    for world in worlds("steps_undo_refused").await {
        let (order, reserve) = world.placing(&[("apple", 4)]);
        refused(world.step(&reserve).await);

        assert!(applied(world.step(&order.unreserve()).await).nothing_to_do);

        world.check().await;
    }
}

#[tokio::test]
async fn an_owner_that_lost_its_saga_is_told_so_and_moves_nothing() {
    for world in worlds("steps_stale").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 4)]).await;
        let mut hold = order.hold("chg", &[1]);
        hold.call.context.epoch = 7;
        applied(world.step(&hold).await);

        let mut late = order.resume("chg");
        late.call.context.epoch = 6;
        assert_eq!(reason(world.step(&late).await), Reason::StaleEpoch);

        late.call.context.epoch = 7;
        assert!(!applied(world.step(&late).await).nothing_to_do, "a stale call is not recorded");
        world.check().await;
    }
}

#[tokio::test]
async fn one_key_with_another_body_is_refused() {
    for world in worlds("steps_reused").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 4)]).await;
        applied(world.step(&order.hold("chg", &[1])).await);

        assert_eq!(reason(world.step(&order.hold("chg", &[2])).await), Reason::IdempotencyKeyReused);

        world.check().await;
    }
}

#[tokio::test]
async fn a_release_completes_a_hold_and_nothing_else() {
    for world in worlds("steps_completes").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 4)]).await;
        assert_eq!(reason(world.step(&order.release("chg")).await), Reason::ProtocolViolation);
        applied(world.step(&order.hold("chg", &[3])).await);

        applied(world.step(&order.release("chg")).await);

        assert_eq!(reason(world.step(&order.resume("chg")).await), Reason::ProtocolViolation);
        assert_eq!(world.stock("main", "apple").await, (10, 1));
        applied(world.step(&order.hold("other", &[1])).await);
        applied(world.step(&order.resume("other")).await);
        assert_eq!(reason(world.step(&order.release("other")).await), Reason::ProtocolViolation);
        assert_eq!(world.stock("main", "apple").await, (10, 1));
        world.check().await;
    }
}

#[tokio::test]
async fn a_hold_tells_how_far_the_units_were() {
    for world in worlds("steps_splits").await {
        world.receive("main", "apple", 10).await;
        let order = world.placed(&[("apple", 6)]).await;
        let units = crate::world::select(&order.lines[0], 2);
        let fulfilment = world.create_fulfilment(&order, units).await.unwrap();
        world.ship(&fulfilment.id, crate::world::select(&order.lines[0], 1)).await.unwrap();

        let reply = applied(world.step(&order.hold("chg", &[5])).await);

        assert_eq!(reply.lines.len(), 1);
        assert_eq!((reply.lines[0].unallocated, reply.lines[0].allocated), (4, 1));
        assert_eq!(reply.with_partner, 0);
        let late = refused(world.step(&order.hold("late", &[1])).await);
        assert_eq!(late.reason, Reason::ShippedFirst);
        assert_eq!(late.details["lines[0].available"], "0");
        world.check().await;
    }
}

#[tokio::test]
async fn labels_and_partners_are_answered_honestly() {
    for world in worlds("steps_partner").await {
        world.warehouse("partner", inventory::domain::WarehouseKind::Dropship, 9).await;
        let order = world.placed(&[("kite", 3)]).await;
        let label = Step::HoldGoods(inventory::domain::Hold {
            lines: Vec::new(),
            void_label: true,
            reach: inventory::domain::Reach::Here,
            take_what_is_left: false,
            only_here: false,
        });
        let labelled = step("label", "hold_goods", Direction::Do, &order.id, label);
        assert_eq!(reason(world.step(&labelled).await), Reason::NoLabel);
        let void = step("label", "void_labels", Direction::Do, &order.id, Step::VoidLabels);
        assert!(applied(world.step(&void).await).nothing_to_do);

        let stop =
            |saga: &str| step(saga, "stop_partner", Direction::Do, &order.id, Step::StopPartner(ask()));
        applied(world.step(&order.hold("early", &[1])).await);
        assert!(applied(world.step(&stop("early")).await).nothing_to_do);
        let fulfilment = world
            .act("CreateFulfillment", order.pack("partner", Vec::new()))
            .await
            .map(crate::world::shown)
            .unwrap();
        let submit = inventory::ops::Action::SubmitFulfilment {
            fulfilment_id: fulfilment.id,
            external_number: String::new(),
        };
        world.act("SubmitFulfillment", submit).await.unwrap();

        assert_eq!(applied(world.step(&order.hold("late", &[2])).await).with_partner, 2);
        assert_eq!(world.step(&stop("late")).await, StepAnswer::Pending);
        assert_eq!(world.step(&stop("late")).await, StepAnswer::Pending, "nobody has said anything yet");
        let withdraw = step("late", "stop_partner", Direction::Undo, &order.id, Step::WithdrawStop);
        assert!(!applied(world.step(&withdraw).await).nothing_to_do);
        assert_eq!(reason(world.step(&stop("late")).await), Reason::StepTombstoned);

        applied(world.step(&order.resume("late")).await);
        world.check().await;
    }
}

#[tokio::test]
async fn a_hold_of_goods_nobody_reserved_is_not_found() {
    for world in worlds("steps_unknown").await {
        let (order, _) = world.placing(&[("apple", 1)]);

        assert_eq!(reason(world.step(&order.hold("chg", &[1])).await), Reason::ResourceNotFound);

        world.check().await;
    }
}
