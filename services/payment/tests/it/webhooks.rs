//! Webhooks: proven, kept once, answered after the commit and before the work, and never believed.

use std::sync::Arc;
use std::time::Duration;

use payment::domain::gateway::{EventKind, GatewayEvent};
use payment::domain::refund::State;
use payment::ops::intake::{Intake, IntakePatience, Taken};
use payment::store::gateway_event::{self, State as EventState};
use storage::testing;
use types::{OrderId, PaymentId, RefundId, Tenant};

use crate::service::{Service, applied, on_each_engine};

impl Service {
    fn intake(&self) -> Intake {
        let observer = self.observer();
        Intake {
            database: self.database.clone(),
            gateway: observer.gateway.clone(),
            observer,
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            patience: IntakePatience { poll: Duration::from_millis(10), claim_micros: 1_000_000 },
            bell: Arc::default(),
        }
    }

    fn event(&self, event_id: &str, kind: EventKind, ours: &str, theirs: &str) -> GatewayEvent {
        GatewayEvent {
            gateway: "sandbox".to_owned(),
            event_id: event_id.to_owned(),
            kind,
            gateway_reference: theirs.to_owned(),
            payment_reference: String::new(),
            our_reference: (!ours.is_empty()).then(|| ours.to_owned()),
            happened_at: self.clock.now(),
        }
    }

    async fn events(&self) -> Vec<(String, EventState)> {
        let mut tx = self.database.read().await.unwrap();
        let events = gateway_event::list(&mut tx, &Tenant::DEFAULT, "", ("", ""), 5_000).await.unwrap();
        events.into_iter().map(|received| (received.event.event_id, received.state)).collect()
    }

    /// A refund that was committed and sent, and whose answer never came.
    async fn sent_and_unanswered(&mut self) -> (OrderId, PaymentId, RefundId, String) {
        let (order, payment) = {
            let _working = self.work();
            self.paid("tok_refund_timeout", 100).await
        };
        let saga = self.saga();
        self.impatient();
        applied(&self.reserve(&saga, &order, 0).await);
        self.settle(&saga, &order).await;
        let account = self.account(&order).await;
        let refund = account.refunds.values().next().unwrap();
        let task =
            account.task_for(&payment::domain::gateway::Subject::Refund(refund.refund_id.clone())).unwrap();
        crate::service::call_and_forget(&self.sandbox, &task).await;
        (order, payment, refund.refund_id.clone(), saga)
    }
}

#[tokio::test]
async fn f46_a_webhook_before_the_answer_ends_the_refund_once() {
    for mut service in on_each_engine("f46").await {
        let (order, _, refund, saga) = service.sent_and_unanswered().await;
        let intake = service.intake();
        let event = service.event("evt_1", EventKind::Refund, refund.as_str(), "sandbox-x");

        assert_eq!(intake.take(&Tenant::DEFAULT, event).await.unwrap(), Taken::New);
        assert_eq!(
            service.account(&order).await.refunds[&refund].state,
            State::Submitting,
            "before the work"
        );
        assert_eq!(intake.work().await.unwrap(), 1);

        assert_eq!(service.account(&order).await.refunds[&refund].state, State::Succeeded);
        assert_eq!(service.events().await, [("evt_1".to_owned(), EventState::Done)]);
        let reply = service.settled(&saga, &order).await;
        assert_eq!(reply.legs.len(), 1);
        // The late answer of the call itself, and the poll, are no news.
        testing::advance_clock(&service.database, Duration::from_mins(1));
        service.worker().look().await;
        assert_eq!(service.account(&order).await.refunds.len(), 1);
        assert_eq!(service.ledger_sums(&order).await, (4, 200, 200));
    }
}

#[tokio::test]
async fn f48_repeated_reversed_and_month_old_events_change_nothing_more() {
    for mut service in on_each_engine("f48").await {
        let (order, payment, refund, _) = service.sent_and_unanswered().await;
        let intake = service.intake();
        let newer = service.event("evt_2", EventKind::Refund, refund.as_str(), "x");
        let earlier = service.event("evt_1", EventKind::Payment, payment.as_str(), "y");
        for event in [&newer, &earlier, &newer] {
            intake.take(&Tenant::DEFAULT, event.clone()).await.unwrap();
            intake.work().await.unwrap();
        }
        let after = service.account(&order).await;
        assert_eq!(after.refunds[&refund].state, State::Succeeded);

        service.clock.advance(Duration::from_hours(24 * 31));
        assert_eq!(intake.take(&Tenant::DEFAULT, earlier).await.unwrap(), Taken::Again);
        intake.work().await.unwrap();

        assert_eq!(service.account(&order).await, after);
        assert_eq!(service.events().await.len(), 2);
    }
}

#[tokio::test]
async fn f70_an_event_that_is_replayed_a_thousand_times_is_taken_once() {
    for mut service in on_each_engine("f70").await {
        let (order, _, refund, _) = service.sent_and_unanswered().await;
        let intake = service.intake();
        let event = service.event("evt_1", EventKind::Refund, refund.as_str(), "x");

        let mut taken = 0;
        for _ in 0..1_000 {
            taken += i32::from(intake.take(&Tenant::DEFAULT, event.clone()).await.unwrap() == Taken::New);
        }
        intake.work().await.unwrap();
        let after = service.account(&order).await;
        intake.take(&Tenant::DEFAULT, event).await.unwrap();
        assert_eq!(intake.work().await.unwrap(), 0, "there is nothing left to do");

        assert_eq!(taken, 1);
        assert_eq!(service.account(&order).await, after);
    }
}

#[tokio::test]
async fn f50_a_refund_nobody_here_made_is_written_down_as_external() {
    for mut service in on_each_engine("hook_external").await {
        let _working = service.work();
        let (order, payment) = service.paid("tok_approve", 100).await;
        service.sandbox.refund_at_dashboard(&Tenant::DEFAULT, &payment, "re_9", 40).await.unwrap();
        let intake = service.intake();
        let reference = service.account(&order).await.payment(&payment).gateway_reference.clone();
        let event = GatewayEvent {
            payment_reference: reference,
            ..service.event("evt_1", EventKind::Refund, "", "re_9")
        };

        intake.take(&Tenant::DEFAULT, event).await.unwrap();
        intake.work().await.unwrap();

        let account = service.account(&order).await;
        let refund = account.refunds.values().next().unwrap();
        assert_eq!((refund.state, refund.amount_minor), (State::External, 40));
        assert_eq!(refund.gateway_reference, "re_9");
    }
}

#[tokio::test]
async fn an_event_about_nothing_of_ours_is_kept_unmatched_after_bounded_looks() {
    for service in on_each_engine("hook_unmatched").await {
        let intake = service.intake();
        let stranger = service.event("evt_1", EventKind::Refund, "", "re_of_somebody");
        let other = service.event("evt_2", EventKind::Other, "", "cus_1");
        for event in [stranger, other] {
            intake.take(&Tenant::DEFAULT, event).await.unwrap();
        }
        let mut looks = 0;
        for _ in 0..20 {
            looks += intake.work().await.unwrap();
            testing::advance_clock(&service.database, Duration::from_mins(2));
        }

        assert_eq!(looks, 5, "four for the stranger, one for the other");
        let events = service.events().await;
        assert_eq!(
            events,
            [("evt_1".to_owned(), EventState::Unmatched), ("evt_2".to_owned(), EventState::Done)]
        );
        assert_eq!(service.count_events("AttentionRaised").await, 1, "somebody is asked to look");
    }
}

#[tokio::test]
async fn an_event_of_another_gateway_or_tenant_names_no_payment() {
    for mut service in on_each_engine("hook_walls").await {
        let _working = service.work();
        let (_, payment) = service.paid("tok_approve", 100).await;
        let ours = service.event("evt_1", EventKind::Payment, payment.as_str(), "x");
        let other_gateway = GatewayEvent { gateway: "stripe".to_owned(), ..ours.clone() };
        let other_tenant = Tenant::parse("other").unwrap();

        let mut tx = service.database.read().await.unwrap();
        let found = gateway_event::payment_of(&mut tx, &Tenant::DEFAULT, &ours).await.unwrap();
        let by_gateway = gateway_event::payment_of(&mut tx, &Tenant::DEFAULT, &other_gateway).await.unwrap();
        let by_tenant = gateway_event::payment_of(&mut tx, &other_tenant, &ours).await.unwrap();

        assert_eq!(found.map(|(_, id)| id), Some(payment));
        assert_eq!((by_gateway, by_tenant), (None, None));
    }
}
