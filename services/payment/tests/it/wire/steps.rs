//! The internal listener: steps one by one and in batches, and the events they cause.

use proto::common::v1::StepDirection;
use proto::payment::v1::refund_command::Command;
use proto::payment::v1::refund_step_result::Answer;
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::*;
use tonic::Code;
use types::{OrderId, PaymentId, Reason, SagaId};

use super::{Running, refused, settle, step};
use crate::service::poll;

#[tokio::test]
async fn an_order_is_paid_cancelled_and_shown() {
    for service in Running::on_each_engine("wire_story").await {
        let (order, payment) = service.place("tok_approve", 10_000).await;

        let reply = service.cancel(&order).await;

        assert_eq!(reply.legs[0].state(), RefundState::Succeeded);
        let request = GetMoneyPositionRequest { order_id: order.clone() };
        let position = service.payments().get_money_position(request).await.unwrap().into_inner().position;
        let position = position.unwrap();
        assert_eq!(
            (position.captured_minor, position.confirmed_minor, position.position_minor),
            (10_000, 10_000, 0)
        );
        let request = GetPaymentRequest { payment_id: payment };
        let shown = service.payments().get_payment(request).await.unwrap().into_inner().payment.unwrap();
        assert_eq!((shown.state(), shown.refunded_minor), (PaymentState::Captured, 10_000));
        let request = GetRefundRequest { refund_id: reply.legs[0].refund_id.clone() };
        let refund = service.refunds().get_refund(request).await.unwrap().into_inner().refund.unwrap();
        assert_eq!((refund.amount_minor, refund.currency_code.as_str()), (10_000, "GBP"));
        assert!(service.intake.taken.lock().unwrap().is_empty(), "every answer came in its call");
        service.stop().await;
    }
}

#[tokio::test]
async fn a_batch_answers_each_step_for_itself() {
    for service in Running::on_each_engine("wire_batch").await {
        let (order, _) = service.place("tok_approve", 100).await;
        let (good, lost) = (service.id::<SagaId>(), service.id::<SagaId>());
        let mut wrong = settle(&service.id::<SagaId>(), &order);
        wrong.context.as_mut().unwrap().direction = StepDirection::Undo.into();
        let steps = vec![
            service.reserve(&good, &order, 40),
            service.reserve(&lost, &service.id::<OrderId>(), 40),
            wrong,
            RunRefundStepRequest::default(),
        ];

        let mut client = RefundStepsServiceClient::new(service.internal.clone());
        let reply = client.run_refund_steps(RunRefundStepsRequest { steps }).await.unwrap().into_inner();

        let said: Vec<_> = reply
            .results
            .into_iter()
            .map(|result| match result.answer.unwrap() {
                Answer::Applied(reply) => format!("applied {}", reply.legs.len()),
                Answer::Refused(refusal) => refusal.reason,
                Answer::Pending(_) | Answer::Unknown(_) => "neither".to_owned(),
            })
            .collect();
        assert_eq!(said, ["applied 1", "RESOURCE_NOT_FOUND", "FIELD_INVALID", "FIELD_REQUIRED"]);
        let twice = vec![settle(&good, &order), settle(&good, &order)];
        for steps in [Vec::new(), twice, vec![settle(&good, &order); 65]] {
            let refused = client.run_refund_steps(RunRefundStepsRequest { steps }).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn wrong_steps_are_refused_with_the_field_at_fault() {
    let service = Running::on_each_engine("wire_wrong").await.remove(0);
    let order = service.id::<OrderId>();
    let tender = |amount_minor| AuthoriseTender {
        payment_id: service.id::<PaymentId>(),
        gateway: "sandbox".to_owned(),
        payment_token: "tok_approve".to_owned(),
        amount_minor,
        capture_now: true,
    };
    let opening = |change: &dyn Fn(&mut AuthorisePayments)| {
        let mut command = AuthorisePayments {
            order_id: order.clone(),
            currency_code: "GBP".to_owned(),
            total_minor: 100,
            tenders: vec![tender(100)],
            worth_version: 1,
            ..AuthorisePayments::default()
        };
        change(&mut command);
        step(&service.id::<SagaId>(), "authorise_payments", Command::AuthorisePayments(command))
    };
    let cases = [
        (opening(&|it| it.currency_code = "gbp".to_owned()), Reason::CurrencyUnknown),
        (opening(&|it| it.currency_code = "XAU".to_owned()), Reason::CurrencyUnknown),
        (opening(&|it| it.order_id = "chg_1".to_owned()), Reason::FieldInvalid),
        (opening(&|it| it.total_minor = -1), Reason::AmountOutOfRange),
        (opening(&|it| it.worth_version = 0), Reason::FieldInvalid),
        (opening(&|it| it.tenders[0].amount_minor = i64::MIN), Reason::AmountOutOfRange),
        (opening(&|it| it.tenders[0].amount_minor = 1_000_000_000_000_001), Reason::AmountOutOfRange),
        (opening(&|it| it.tenders[0].payment_token = String::new()), Reason::FieldRequired),
        (opening(&|it| it.tenders[0].gateway = "x".repeat(65)), Reason::FieldTooLong),
        (opening(&|it| it.tenders.push(it.tenders[0].clone())), Reason::FieldInvalid),
        (opening(&|it| it.tenders = vec![it.tenders[0].clone(); 65]), Reason::FieldInvalid),
    ];
    for (request, reason) in cases {
        assert_eq!(refused(&service.run(request).await.unwrap_err()), reason);
    }
    let overflow = opening(&|it| it.tenders = vec![tender(600_000_000_000_000), tender(600_000_000_000_000)]);
    assert_eq!(refused(&service.run(overflow).await.unwrap_err()), Reason::AmountOutOfRange);
    service.stop().await;
}

#[tokio::test]
async fn a_late_failure_reaches_the_order_service_in_order() {
    for service in Running::on_each_engine("wire_events").await {
        let (order, _) = service.place("tok_refund_fail_after", 100).await;
        service.cancel(&order).await;

        let events = poll(async || {
            let taken = service.intake.taken.lock().unwrap();
            (taken.len() == 3).then(|| taken.clone())
        })
        .await;

        let told: Vec<_> =
            events.iter().map(|event| (event.aggregate_sequence, event.r#type.as_str())).collect();
        assert_eq!(
            told,
            [
                (1, "countermand.events.v1.AttentionRaised"),
                (2, "countermand.events.v1.RefundEnded"),
                (3, "countermand.events.v1.OwedChanged"),
            ]
        );
        assert!(events.iter().all(|event| event.aggregate_id == order && event.source == "payment"));
        service.stop().await;
    }
}
