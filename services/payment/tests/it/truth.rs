//! What the gateway knows and we do not, and what an operator does about refunds that failed.

use std::time::Duration;

use payment::domain::Recorded;
use payment::domain::gateway::{DisputeState, FoundDispute};
use payment::domain::refund::{Resolution, State};
use payment::ops::command::{Mend, Mending};
use payment::ops::observer::{Look, Observer};
use payment::ports::sandbox::Disputed;
use storage::{RequestKey, testing};
use types::{Fingerprint, OrderId, PaymentId, Reason, RefundId, Refusal, RequestId, Subject, Tenant};

use crate::service::{Service, applied, on_each_engine, poll};

impl Service {
    pub fn observer(&self) -> Observer {
        let worker = self.worker();
        Observer {
            database: worker.database,
            gateway: worker.gateway,
            writer: worker.writer,
            patience: worker.patience.call,
        }
    }

    pub async fn look(&self, order: &OrderId, payment: &PaymentId) -> Look {
        self.observer().look(&Tenant::DEFAULT, order, payment).await.unwrap()
    }

    /// An order with one captured tender of the sandbox's.
    pub async fn paid(&self, token: &str, amount_minor: i64) -> (OrderId, PaymentId) {
        let saga = self.saga();
        let opening = self.opening(&[(token, amount_minor)]);
        applied(&self.authorise(&saga, &opening).await);
        applied(&self.capture(&saga, &opening.order_id).await);
        (opening.order_id, opening.tenders[0].payment_id.clone())
    }

    pub async fn mend(&self, order: &OrderId, request: &str, how: Mending) -> Result<RefundId, Refusal> {
        let mend = Mend {
            key: RequestKey {
                tenant: Tenant::DEFAULT,
                subject: Subject::of("", "ada", "shop"),
                method: "Mend".to_owned(),
                request_id: RequestId::parse(request).unwrap(),
            },
            fingerprint: Fingerprint::of(&[request.as_bytes()]),
            order_id: order.clone(),
            how,
        };
        self.cashier.mend(mend).await.unwrap()
    }

    async fn refunds(&self, order: &OrderId) -> Vec<(State, i64)> {
        let account = self.account(order).await;
        account.refunds.values().map(|refund| (refund.state, refund.amount_minor)).collect()
    }
}

fn disputed(payment: &PaymentId, amount_minor: i64, state: DisputeState) -> Disputed {
    let dispute = FoundDispute { gateway_reference: format!("dp_{payment}"), amount_minor, state };
    Disputed { payment_id: payment.clone(), dispute }
}

#[tokio::test]
async fn f50_a_refund_at_the_dashboard_is_found_and_reduces_what_is_refundable() {
    for mut service in on_each_engine("f50").await {
        let _working = service.work();
        let (order, payment) = service.paid("tok_approve", 100).await;
        service.sandbox.refund_at_dashboard(&Tenant::DEFAULT, &payment, "re_1", 30).await.unwrap();

        assert_eq!(service.look(&order, &payment).await, Look::Done { changed: true });
        assert_eq!(service.look(&order, &payment).await, Look::Done { changed: false });

        assert_eq!(service.refunds(&order).await, [(State::External, 30)]);
        let saga = service.saga();
        let reply = applied(&service.reserve(&saga, &order, 0).await);
        assert_eq!(reply.legs.iter().map(|leg| leg.amount_minor).collect::<Vec<_>>(), [70]);
        assert_eq!(service.count_events("AttentionRaised").await, 1);
        // Captured 100, given back 30: two rows each.
        assert_eq!(service.ledger_sums(&order).await, (4, 130, 130));
    }
}

#[tokio::test]
async fn a_dispute_freezes_and_its_end_lets_go() {
    for mut service in on_each_engine("dispute").await {
        service.impatient();
        let _working = service.work();
        for (state, sent) in [(DisputeState::Won, vec![60]), (DisputeState::Lost, vec![])] {
            let order = service.opening(&[("tok_approve", 100)]);
            let (place, cancel) = (service.saga(), service.saga());
            service.authorise(&place, &order).await;
            poll(async || (service.account(&order.order_id).await.authorised_minor() == 100).then_some(()))
                .await;
            service.capture(&place, &order.order_id).await;
            poll(async || (service.account(&order.order_id).await.captured_minor() == 100).then_some(()))
                .await;
            let (order, payment) = (order.order_id, order.tenders[0].payment_id.clone());
            applied(&service.reserve(&cancel, &order, 40).await);

            let dispute = |state| disputed(&payment, 60, state);
            service.sandbox.dispute(&Tenant::DEFAULT, &dispute(DisputeState::Open)).await.unwrap();
            service.look(&order, &payment).await;
            service.settle(&cancel, &order).await;
            assert_eq!(service.refunds(&order).await, [(State::Reserved, 60)], "frozen");

            service.sandbox.dispute(&Tenant::DEFAULT, &dispute(state)).await.unwrap();
            service.look(&order, &payment).await;
            service.settled(&cancel, &order).await;

            let refunds = service.refunds(&order).await;
            let succeeded = refunds.iter().filter(|(state, _)| *state == State::Succeeded);
            assert_eq!(succeeded.map(|(_, amount)| *amount).collect::<Vec<_>>(), sent, "{state:?}");
            assert_eq!(service.account(&order).await.position_minor(), 40);
            let (_, debit, credit) = service.ledger_sums(&order).await;
            assert_eq!((debit, credit), (160, 160), "{state:?}: charged 100, 60 gone one way or the other");
        }
    }
}

#[tokio::test]
async fn a_failed_refund_is_retried_as_a_new_one_or_paid_by_hand_once() {
    for mut service in on_each_engine("mend").await {
        let _working = service.work();
        let (order, _) = service.paid("tok_refund_decline", 100).await;
        let saga = service.saga();
        applied(&service.reserve(&saga, &order, 0).await);
        applied(&service.settle(&saga, &order).await);
        let failed = service.account(&order).await.refunds.keys().next().unwrap().clone();

        let retry = || Mending::Retry { refund_id: failed.clone(), payment_id: None };
        let again = service.mend(&order, "r-1", retry()).await.unwrap();
        assert_eq!(service.mend(&order, "r-1", retry()).await, Ok(again.clone()), "the same request");
        poll(async || (service.account(&order).await.refunds[&again].state == State::Declined).then_some(()))
            .await;
        let by_hand = |refund_id: &RefundId| Mending::Resolve {
            refund_id: refund_id.clone(),
            resolution: Resolution { reference: "transfer 7".to_owned(), note: "paid on Monday".to_owned() },
        };
        assert_eq!(service.mend(&order, "r-2", by_hand(&again)).await, Ok(again.clone()));

        let refused = service.mend(&order, "r-3", by_hand(&failed)).await.unwrap_err();
        assert_eq!(refused.reason, Reason::NotRetryable, "its retry was paid");
        let account = service.account(&order).await;
        assert_eq!(account.refunds[&again].state, State::ResolvedExternally);
        assert_eq!(account.refunds[&again].resolution.reference, "transfer 7");
        assert_eq!(account.position_minor(), 0);
        assert_eq!(service.count_events("RefundEnded").await, 1);
        assert_eq!(
            service.count_events("AttentionRaised").await,
            2,
            "two tries; who pays by hand needs no telling"
        );
        assert_eq!(service.count_events("AttentionCleared").await, 2, "the first try and its retry");
        assert_eq!(service.ledger_sums(&order).await, (4, 200, 200));
    }
}

#[tokio::test]
async fn a_refund_made_elsewhere_is_written_down_once_and_never_sent() {
    for mut service in on_each_engine("recorded").await {
        let _working = service.work();
        let (order, payment_id) = service.paid("tok_approve", 100).await;
        let told = |gateway_reference: &str, amount_minor| {
            Mending::Record(Recorded {
                payment_id: payment_id.clone(),
                amount_minor,
                gateway_reference: gateway_reference.to_owned(),
            })
        };

        let first = service.mend(&order, "r-1", told("re_1", 60)).await.unwrap();
        assert_eq!(service.mend(&order, "r-2", told("re_1", 60)).await, Ok(first), "told twice");
        let another = service.mend(&order, "r-3", told("re_1", 10)).await.unwrap_err();
        let too_much = service.mend(&order, "r-4", told("re_2", 41)).await.unwrap_err();

        assert_eq!([another.reason, too_much.reason], [Reason::StateConflict, Reason::ExceedsRefundable]);
        assert_eq!(service.refunds(&order).await, [(State::External, 60)]);
        let saga = service.saga();
        applied(&service.reserve(&saga, &order, 0).await);
        applied(&service.settle(&saga, &order).await);
        let account = service.account(&order).await;
        assert_eq!(account.position_minor(), 0, "what was given back elsewhere is not given back again");
        assert_eq!(service.count_events("AttentionRaised").await, 0, "whoever tells it knows");
    }
}

#[tokio::test]
async fn f41_an_unanswered_refund_holds_its_amount_and_is_resolved_under_the_same_key() {
    for mut service in on_each_engine("f41").await {
        service.impatient();
        let order = service.paid_elsewhere("tok_refund_timeout", 100).await;
        let saga = service.saga();
        let _working = service.work();
        applied(&service.reserve(&saga, &order, 0).await);
        service.settle(&saga, &order).await;

        poll(async || {
            let account = service.account(&order).await;
            let refund = account.refunds.values().next().unwrap();
            // Whatever is known of it, it counts.
            assert_eq!(account.position_minor(), 0, "{:?}", refund.state);
            testing::advance_clock(&service.database, Duration::from_secs(30));
            (refund.state == State::Succeeded).then_some(())
        })
        .await;

        let account = service.account(&order).await;
        let effects = service.effects().await;
        let refunds: Vec<_> = effects.iter().filter(|effect| effect.amount_minor == 100).collect();
        assert_eq!(refunds.len(), 1, "one effect, one key: {refunds:?}");
        assert_eq!(refunds[0].key, account.refunds.keys().next().unwrap().as_str());
    }
}

#[tokio::test]
async fn f47_without_any_webhook_the_poll_reaches_the_same_end() {
    for mut service in on_each_engine("f47").await {
        service.impatient();
        let order = service.paid_elsewhere("tok_refund_late", 100).await;
        let saga = service.saga();
        let worker = service.worker();
        applied(&service.reserve(&saga, &order, 0).await);
        service.settle(&saga, &order).await;
        for task in service.take_tasks() {
            worker.carry_out(&Tenant::DEFAULT, &task).await;
        }
        assert_eq!(service.refunds(&order).await, [(State::Pending, 100)]);

        service.clock.advance(Duration::from_hours(2));
        // The gateway's own word is lost for ever.
        for notice in worker.gateway.notices().await.unwrap() {
            worker.gateway.heard(&notice).await.unwrap();
        }
        testing::advance_clock(&service.database, Duration::from_hours(2));
        worker.look().await;

        assert_eq!(service.refunds(&order).await, [(State::Succeeded, 100)]);
    }
}

#[tokio::test]
async fn f51_undoing_the_loser_leaves_the_winner_alone() {
    for service in on_each_engine("f51").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let (winner, loser) = (service.saga(), service.saga());
        applied(&service.reserve(&winner, &order, 40).await);
        let before = service.refunds(&order).await;

        // It asks for what the winner has reserved already, and is undone.
        applied(&service.reserve(&loser, &order, 40).await);
        applied(&service.release(&loser, &order).await);

        assert_eq!(service.refunds(&order).await, before);
        let account = service.account(&order).await;
        assert_eq!((account.ceiling_minor, account.position_minor()), (40, 40));
    }
}

#[tokio::test]
async fn f49_the_schema_refuses_a_refund_of_what_is_disputed() {
    for mut service in on_each_engine("f49_wall").await {
        let _working = service.work();
        let (order, payment) = service.paid("tok_approve", 100).await;
        let dispute = disputed(&payment, 80, DisputeState::Open);
        service.sandbox.dispute(&Tenant::DEFAULT, &dispute).await.unwrap();
        service.look(&order, &payment).await;

        let mut tx = service.database.begin().await.unwrap();
        tx.execute(&walls::COUNT_MORE, storage::values![]).await.unwrap();
        let refused = tx.execute(&walls::REFUND_MORE, storage::values![]).await.unwrap_err();
        tx.rollback().await;

        assert!(matches!(refused, storage::DbError::Check { .. }), "{refused}");
    }
}

mod walls {
    use storage::Statement;

    pub static COUNT_MORE: Statement =
        Statement::new("test.count_more", "UPDATE capture SET refunded_minor = refunded_minor + 21");

    pub static REFUND_MORE: Statement = Statement::new(
        "test.refund_more",
        "INSERT INTO refund (tenant_id, order_id, refund_id, payment_id, capture_id, change_order_id, saga_id, step,
                             kind, state, amount_minor, gateway_reference, detail, tries, next_at, claimed_until,
                             created_at, updated_at)
         SELECT tenant_id, order_id, 'rfd_more', payment_id, capture_id, 'chg_more', 'sag_more', 'reserve_refund',
                'refund', 'reserved', 21, '', '', 0, 0, 0, created_at, created_at
           FROM capture",
    );
}
