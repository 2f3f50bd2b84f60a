use payment::domain::HoldState;
use payment::domain::payment::State;
use payment::domain::refund;
use payment::ops::command::{Deed, StepAnswer};
use storage::Direction;
use types::{OrderId, Reason};

use crate::service::{Service, applied, on_each_engine, reason, refused};

#[tokio::test]
async fn every_step_repeated_answers_the_same_and_moves_nothing() {
    for mut service in on_each_engine("repeat").await {
        let _working = service.work();
        let (place, cancel) = (service.saga(), service.saga());
        let opening = service.opening(&[("tok_approve", 100)]);
        let order = opening.order_id.clone();
        let reservation = service.reservation(40);

        for _ in 0..3 {
            applied(&service.authorise(&place, &opening).await);
        }
        for _ in 0..3 {
            applied(&service.capture(&place, &order).await);
        }
        let reserve = async || {
            service.step(&cancel, "reserve_refund", Direction::Do, &order, reservation.clone()).await
        };
        let first = reserve().await;
        assert_eq!((reserve().await, reserve().await), (first.clone(), first.clone()));
        let settled = service.settle(&cancel, &order).await;
        assert_eq!(service.settle(&cancel, &order).await, settled);

        assert_eq!(applied(&first).legs.len(), 1);
        let account = service.account(&order).await;
        assert_eq!((account.payments.len(), account.captures.len(), account.refunds.len()), (1, 1, 1));
        assert_eq!(account.position_minor(), 40);
        assert_eq!(service.effects().await.len(), 3, "authorise, capture, refund");
        assert_eq!(service.ledger_sums(&order).await, (4, 160, 160));
    }
}

#[tokio::test]
async fn an_undo_before_its_do_refuses_the_late_do() {
    for service in on_each_engine("undo_first").await {
        let (place, cancel) = (service.saga(), service.saga());
        let opening = service.opening(&[("tok_approve", 100)]);

        let undone = service.void(&place, &opening.order_id).await;
        let late = service.authorise(&place, &opening).await;

        assert!(applied(&undone).nothing_to_do);
        assert_eq!(reason(&late), Reason::StepTombstoned);

        let order = service.paid_elsewhere("INV-1", 100).await;
        assert!(applied(&service.release(&cancel, &order).await).nothing_to_do);
        assert!(applied(&service.release(&cancel, &order).await).nothing_to_do);
        assert_eq!(reason(&service.reserve(&cancel, &order, 40).await), Reason::StepTombstoned);
        let account = service.account(&order).await;
        assert!(account.refunds.is_empty() && account.holds.is_empty());
        assert_eq!(account.ceiling_minor, 100);
    }
}

#[tokio::test]
async fn an_old_owner_is_refused_and_nothing_is_recorded() {
    for service in on_each_engine("stale").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        let reservation = service.reservation(40);
        let reserve = async |epoch| {
            let deed = reservation.clone();
            service.step_at_epoch(epoch, &saga, "reserve_refund", Direction::Do, &order, deed).await
        };
        let other = async |epoch, step: &str| {
            service.step_at_epoch(epoch, &saga, step, Direction::Undo, &order, Deed::ReleaseRefund).await
        };
        // Another step of the saga has raised the fence.
        other(5, "another_step").await;

        let stale = reserve(4).await;
        let owner = reserve(5).await;
        let stale_repeat = reserve(4).await;

        assert_eq!(reason(&stale), Reason::StaleEpoch);
        assert_eq!(applied(&owner).legs.len(), 1);
        assert_eq!(reason(&stale_repeat), Reason::StaleEpoch);
    }
}

#[tokio::test]
async fn another_body_under_the_same_key_is_refused() {
    for service in on_each_engine("other_body").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;

        let other = service.reserve(&saga, &order, 30).await;

        assert_eq!(reason(&other), Reason::IdempotencyKeyReused);
        assert_eq!(service.account(&order).await.position_minor(), 40);
    }
}

#[tokio::test]
async fn a_refusal_is_recorded_and_repeated_word_for_word() {
    for service in on_each_engine("refusal").await {
        let nowhere: OrderId = service.ids.mint();
        let saga = service.saga();
        let reservation = service.reservation(40);
        let reserve = async || {
            service.step(&saga, "reserve_refund", Direction::Do, &nowhere, reservation.clone()).await
        };

        let first = reserve().await;
        let second = reserve().await;

        assert_eq!(refused(&first).reason, Reason::ResourceNotFound);
        assert_eq!(first, second);
        assert!(applied(&service.release(&saga, &nowhere).await).nothing_to_do, "undo of a refused do");
    }
}

#[tokio::test]
async fn a_forward_step_needs_its_reservation_and_ends_the_way_back() {
    for mut service in on_each_engine("forward").await {
        let _working = service.work();
        let order = service.paid_elsewhere("INV-1", 100).await;
        let (unreserved, released, settled) = (service.saga(), service.saga(), service.saga());

        assert_eq!(reason(&service.settle(&unreserved, &order).await), Reason::ProtocolViolation);

        service.reserve(&released, &order, 40).await;
        service.release(&released, &order).await;
        assert_eq!(reason(&service.settle(&released, &order).await), Reason::ProtocolViolation);

        service.reserve(&settled, &order, 40).await;
        service.settle(&settled, &order).await;
        assert_eq!(reason(&service.release(&settled, &order).await), Reason::ProtocolViolation);
        assert_eq!(service.account(&order).await.holds[&settled].state, HoldState::Settled);
    }
}

#[tokio::test]
async fn of_64_reservations_of_60_out_of_100_exactly_one_gets_the_money() {
    for service in on_each_engine("parallel").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let sagas: Vec<_> = (0..64).map(|_| service.saga()).collect();

        let answers =
            futures::future::join_all(sagas.iter().map(|saga| service.reserve(saga, &order, 40))).await;

        let reserved: Vec<i64> =
            answers.iter().flat_map(|answer| applied(answer).legs).map(|leg| leg.amount_minor).collect();
        assert_eq!(reserved, [60]);
        let account = service.account(&order).await;
        assert_eq!(account.refunds.len(), 1);
        assert_eq!(account.position_minor(), 40);
    }
}

#[tokio::test]
async fn many_orders_are_settled_in_shared_commits() {
    for mut service in on_each_engine("many").await {
        let _working = service.work();
        let service: &Service = &service;
        let cancel = async |number: usize| {
            let saga = service.saga();
            let order = service.paid_elsewhere(&format!("INV-{number}"), 100).await;
            service.reserve(&saga, &order, 0).await;
            applied(&service.settle(&saga, &order).await)
        };

        let replies = futures::future::join_all((0..100).map(cancel)).await;

        assert!(replies.iter().all(|reply| reply.owed_minor == 0 && reply.legs.len() == 1));
        assert_eq!(service.effects().await.len(), 100);
    }
}

#[tokio::test]
async fn an_undo_of_a_pending_placement_gives_back_what_comes_later() {
    for mut service in on_each_engine("undo_pending").await {
        service.impatient();
        let saga = service.saga();
        let opening = service.opening(&[("tok_approve", 100)]);
        let order = opening.order_id.clone();

        assert_eq!(service.authorise(&saga, &opening).await, StepAnswer::Pending);
        assert!(!applied(&service.void(&saga, &order).await).nothing_to_do);
        assert_eq!(reason(&service.authorise(&saga, &opening).await), Reason::StepTombstoned);
        let _working = service.work();

        crate::service::poll(async || {
            let account = service.account(&order).await;
            account.payments.values().all(|payment| payment.state == State::Voided).then_some(())
        })
        .await;
        let account = service.account(&order).await;
        assert!(account.refunds.values().all(|refund| refund.state == refund::State::Succeeded));
        assert_eq!(account.ceiling_minor, 0);
        let effects = service.effects().await;
        assert_eq!(effects.len(), 2, "{effects:?}");
        assert_eq!(reason(&service.authorise(&saga, &opening).await), Reason::StepTombstoned);
    }
}

#[tokio::test]
async fn a_released_reservation_leaves_the_account_as_it_was() {
    for service in on_each_engine("release").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;

        service.release(&saga, &order).await;

        let account = service.account(&order).await;
        assert_eq!((account.ceiling_minor, account.position_minor()), (100, 100));
        assert_eq!(account.holds[&saga].state, HoldState::Released);
        assert!(account.refunds.values().all(|refund| refund.state == refund::State::Released));
        assert!(service.effects().await.is_empty());
    }
}

#[tokio::test]
async fn a_tender_of_a_gateway_that_is_not_there_is_refused_and_leaves_nothing() {
    for service in on_each_engine("no_gateway").await {
        let saga = service.saga();
        let mut opening = service.opening(&[("tok_approve", 60), ("tok_approve", 40)]);
        "paypol".clone_into(&mut opening.tenders[1].gateway);

        let answer = service.authorise(&saga, &opening).await;

        let refusal = refused(&answer);
        assert_eq!((refusal.reason, refusal.field.as_deref()), (Reason::FieldInvalid, Some("gateway")));
        assert_eq!(refusal.details["gateway"], "paypol");
        assert_eq!(service.authorise(&saga, &opening).await, answer, "a repeat hears the same");
        assert_eq!(service.effects().await, []);
    }
}
