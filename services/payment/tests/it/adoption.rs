//! Payments that other systems made: verified at the gateway, and one order's alone whoever asks, in whatever process.

use payment::domain::gateway::Effect;
use payment::domain::payment::{Proof, State};
use payment::domain::{ExternalPayment, Opening, refund};
use payment::ops::command::StepAnswer;
use payment::ports::sandbox::Charge;
use types::{Currency, PaymentId, Reason, Tenant};

use crate::service::{Service, applied, on_each_engine, reason, refused};

impl Service {
    async fn charged(&self, reference: &str, amount_minor: i64) {
        self.charged_for(reference, amount_minor, None).await;
    }

    async fn charged_for(&self, reference: &str, amount_minor: i64, tenant: Option<&str>) {
        let charge = Charge {
            reference: reference.to_owned(),
            currency: Currency::parse("GBP").unwrap(),
            authorised_minor: amount_minor,
            captured_minor: amount_minor,
            refunded_minor: 0,
            tenant: tenant.map(|tenant| Tenant::parse(tenant).unwrap()),
            order_id: None,
        };
        self.sandbox.charge_elsewhere(&[charge]).await.unwrap();
    }

    fn adopting(&self, gateway: &str, reference: &str, amount_minor: i64) -> Opening {
        let mut opening = self.opening(&[]);
        opening.total_minor = amount_minor;
        opening.external_payments.push(ExternalPayment {
            payment_id: self.ids.mint::<PaymentId>(),
            gateway: gateway.to_owned(),
            reference: reference.to_owned(),
            authorised_minor: amount_minor,
            captured_minor: amount_minor,
            attested: false,
        });
        opening
    }

    /// Asks until the gateway has been read.
    async fn adopted(&self, opening: &Opening) -> StepAnswer {
        let saga = self.saga();
        crate::service::poll(async || match self.authorise(&saga, opening).await {
            StepAnswer::Pending => None,
            answer => Some(answer),
        })
        .await
    }
}

#[tokio::test]
async fn a_charge_made_elsewhere_is_one_orders_whatever_its_gateway_is_called() {
    for mut service in on_each_engine("adopt_once").await {
        let _working = service.work();
        service.charged("ch_1", 100).await;
        let first = service.adopting("sandbox", "ch_1", 100);

        applied(&service.adopted(&first).await);

        let account = service.account(&first.order_id).await;
        let payment = account.payments.values().next().unwrap();
        assert_eq!((payment.state, payment.proof), (State::Captured, Proof::Known));
        for gateway in ["sandbox", "bank"] {
            let second = service.adopting(gateway, "ch_1", 100);
            let answer = service.adopted(&second).await;
            assert_eq!(reason(&answer), Reason::PaymentNotVerified, "{gateway}");
            assert!(refused(&answer).details["gateway_detail"].contains("another order"));
        }
        let mut vouched = service.adopting("bank", "ch_1", 100);
        vouched.external_payments[0].attested = true;
        assert_eq!(reason(&service.adopted(&vouched).await), Reason::PaymentNotVerified);
    }
}

#[tokio::test]
async fn one_order_names_a_charge_once() {
    for mut service in on_each_engine("adopt_twice").await {
        let _working = service.work();
        service.charged("ch_1", 100).await;
        let mut twice = service.adopting("sandbox", "ch_1", 100);
        twice.total_minor = 200;
        let again = service.adopting("sandbox", "ch_1", 100).external_payments.remove(0);
        twice.external_payments.push(again);

        assert_eq!(reason(&service.adopted(&twice).await), Reason::PaymentNotVerified);
    }
}

#[tokio::test]
async fn of_many_orders_in_two_processes_one_gets_the_charge() {
    for mut service in on_each_engine("adopt_race").await {
        let _working = service.work();
        let mut other = service.replica();
        let _other_working = other.work();
        service.charged("ch_1", 100).await;
        let openings: Vec<_> = (0..12).map(|_| service.adopting("sandbox", "ch_1", 100)).collect();

        let asked = openings.iter().enumerate().map(async |(number, opening)| {
            let process = if number % 2 == 0 { &service } else { &other };
            process.adopted(opening).await
        });
        let answers = futures::future::join_all(asked).await;

        let taken = answers.iter().filter(|answer| matches!(answer, StepAnswer::Applied(_))).count();
        assert_eq!(taken, 1, "{answers:?}");
    }
}

#[tokio::test]
async fn an_order_that_is_not_placed_lets_go_of_its_charge() {
    for mut service in on_each_engine("adopt_free").await {
        let _working = service.work();
        service.charged("ch_1", 100).await;
        let first = service.adopting("sandbox", "ch_1", 100);
        let saga = service.saga();
        crate::service::poll(async || match service.authorise(&saga, &first).await {
            StepAnswer::Pending => None,
            answer => Some(answer),
        })
        .await;
        applied(&service.void(&saga, &first.order_id).await);

        let second = service.adopting("sandbox", "ch_1", 100);

        applied(&service.adopted(&second).await);
        let third = service.adopting("sandbox", "ch_1", 100);
        assert_eq!(reason(&service.adopted(&third).await), Reason::PaymentNotVerified);
    }
}

#[tokio::test]
async fn a_payment_of_ours_or_of_another_tenant_is_nobodys_to_adopt() {
    for mut service in on_each_engine("adopt_foreign").await {
        let _working = service.work();
        let own = service.opening(&[("tok_approve", 100)]);
        let saga = service.saga();
        crate::service::poll(async || match service.authorise(&saga, &own).await {
            StepAnswer::Pending => None,
            answer => Some(answer),
        })
        .await;
        applied(&service.capture(&saga, &own.order_id).await);
        service.charged_for("ch_theirs", 100, Some("rival")).await;
        let ours =
            service.account(&own.order_id).await.payments.values().next().unwrap().gateway_reference.clone();

        for reference in [ours.as_str(), "ch_theirs", "ch_never_made"] {
            let answer = service.adopted(&service.adopting("sandbox", reference, 100)).await;
            assert_eq!(reason(&answer), Reason::PaymentNotVerified, "{reference}");
        }
    }
}

#[tokio::test]
async fn a_word_that_the_gateway_does_not_bear_out_moves_no_money() {
    for mut service in on_each_engine("adopt_word").await {
        let _working = service.work();
        let mut opening = service.adopting("sandbox", "ch_somebodys", 100);
        opening.external_payments[0].attested = true;
        applied(&service.adopted(&opening).await);

        let cancel = service.saga();
        service.reserve(&cancel, &opening.order_id, 0).await;
        service.settled(&cancel, &opening.order_id).await;

        let account = service.account(&opening.order_id).await;
        let refunds: Vec<_> = account.refunds.values().map(|refund| refund.state).collect();
        assert_eq!(refunds, [refund::State::Manual]);
        let effects = service.effects().await;
        assert!(effects.iter().all(|effect| effect.kind != Effect::Refund), "{effects:?}");
    }
}
