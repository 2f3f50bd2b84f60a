//! The public listener: tenders, captures, positions, refunds.

use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::{ExportBooksRequest, ListGatewayEffectsRequest};
use proto::payment::v1::refund_steps_service_client::RefundStepsServiceClient;
use proto::payment::v1::*;
use tonic::{Code, Request};
use types::{OrderId, PaymentId, Reason, SagaId};

use super::{Running, refused};

#[tokio::test]
async fn a_client_authorises_and_captures_once_per_request_id() {
    for service in Running::on_each_engine("wire_request").await {
        let (order, _) = service.place_for("tok_approve", 100, 150).await;
        let authorise = AuthorizePaymentRequest {
            request_id: "r-1".to_owned(),
            order_id: order.clone(),
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            currency_code: "GBP".to_owned(),
            amount_minor: 50,
        };
        let mut client = service.payments();

        let first = client.authorize_payment(authorise.clone()).await.unwrap().into_inner().payment.unwrap();
        let again = client.authorize_payment(authorise.clone()).await.unwrap().into_inner().payment.unwrap();
        assert_eq!(first, again);
        assert_eq!(first.state(), PaymentState::Authorised);

        let other = AuthorizePaymentRequest { amount_minor: 51, ..authorise.clone() };
        assert_eq!(
            refused(&client.authorize_payment(other).await.unwrap_err()),
            Reason::IdempotencyKeyReused
        );
        let euro = AuthorizePaymentRequest {
            request_id: "r-2".to_owned(),
            currency_code: "EUR".to_owned(),
            ..authorise.clone()
        };
        assert_eq!(refused(&client.authorize_payment(euro).await.unwrap_err()), Reason::CurrencyMismatch);
        let second =
            AuthorizePaymentRequest { request_id: "r-4".to_owned(), amount_minor: 1, ..authorise.clone() };
        let refusal = client.authorize_payment(second).await.unwrap_err();
        assert_eq!(refused(&refusal), Reason::AboveCaptureCeiling, "a paid order holds no second card");
        let nameless = AuthorizePaymentRequest { request_id: String::new(), ..authorise };
        assert_eq!(
            refused(&client.authorize_payment(nameless).await.unwrap_err()),
            Reason::RequestIdRequired
        );

        let capture = CapturePaymentRequest {
            request_id: "r-3".to_owned(),
            payment_id: first.payment_id.clone(),
            amount_minor: 51,
        };
        let above = client.capture_payment(capture).await.unwrap_err();
        assert_eq!(refused(&above), Reason::ExceedsAuthorised);
        let list = client.list_payments(ListPaymentsRequest { order_id: order }).await.unwrap().into_inner();
        assert_eq!(list.payments.len(), 2);
        service.stop().await;
    }
}

#[tokio::test]
async fn what_does_not_exist_is_named() {
    let service = Running::on_each_engine("wire_missing").await.remove(0);
    let (order, payment) = (service.id::<OrderId>(), service.id::<PaymentId>());
    let refund = service.id::<types::RefundId>();
    let capture =
        CapturePaymentRequest { request_id: "r-1".to_owned(), payment_id: payment.clone(), amount_minor: 1 };

    let answers = [
        service.payments().get_payment(GetPaymentRequest { payment_id: payment }).await.unwrap_err(),
        service.payments().capture_payment(capture).await.unwrap_err(),
        service
            .payments()
            .get_money_position(GetMoneyPositionRequest { order_id: order.clone() })
            .await
            .unwrap_err(),
        service.refunds().get_refund(GetRefundRequest { refund_id: refund }).await.unwrap_err(),
        service
            .refunds()
            .quote_refund(QuoteRefundRequest { order_id: order, ..QuoteRefundRequest::default() })
            .await
            .unwrap_err(),
    ];

    for answer in answers {
        assert_eq!(answer.code(), Code::NotFound, "{answer}");
        assert_eq!(refused(&answer), Reason::ResourceNotFound);
    }
    service.stop().await;
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let service = Running::on_each_engine("wire_tenant").await.remove(0);
    let (order, payment) = service.place("tok_approve", 100).await;
    service.cancel(&order).await;
    let mut request = Request::new(GetPaymentRequest { payment_id: payment });
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    assert_eq!(service.payments().get_payment(request).await.unwrap_err().code(), Code::NotFound);

    let mut request = Request::new(ListRefundsRequest::default());
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    assert!(service.refunds().list_refunds(request).await.unwrap().into_inner().refunds.is_empty());

    let mut request = Request::new(ListGatewayEffectsRequest::default());
    request.metadata_mut().insert("x-countermand-tenant", "other".parse().unwrap());
    request.metadata_mut().insert("x-countermand-role", "manager".parse().unwrap());
    let mut audit = AuditServiceClient::new(service.public.clone());
    assert!(audit.list_gateway_effects(request).await.unwrap().into_inner().effects.is_empty());
    service.stop().await;
}

#[tokio::test]
async fn refunds_are_listed_by_filter_and_page() {
    for service in Running::on_each_engine("wire_list").await {
        let (order, _) = service.place("tok_approve", 100).await;
        for target in [90, 80, 70] {
            let saga = service.id::<SagaId>();
            service.applied(service.reserve(&saga, &order, target)).await;
        }
        let (declined, _) = service.place("tok_refund_decline", 100).await;
        service.cancel(&declined).await;
        let list = async |request: ListRefundsRequest| {
            service.refunds().list_refunds(request).await.unwrap().into_inner()
        };

        let first = list(ListRefundsRequest {
            page_size: 2,
            order_id: order.clone(),
            ..ListRefundsRequest::default()
        })
        .await;
        let rest = list(ListRefundsRequest {
            page_size: 2,
            page_token: first.next_page_token.clone(),
            order_id: order.clone(),
            ..ListRefundsRequest::default()
        })
        .await;
        assert_eq!((first.refunds.len(), rest.refunds.len()), (2, 1));
        assert!(rest.next_page_token.is_empty());
        let change = &rest.refunds[0].change_order_id;
        let of_change =
            list(ListRefundsRequest { change_order_id: change.clone(), ..ListRefundsRequest::default() })
                .await;
        assert_eq!(of_change.refunds, rest.refunds);
        let states = vec![RefundState::Declined.into()];
        let of_state = list(ListRefundsRequest { states, ..ListRefundsRequest::default() }).await;
        assert_eq!(of_state.refunds.len(), 1);
        let unknown = ListRefundsRequest { states: vec![99], ..ListRefundsRequest::default() };
        assert_eq!(service.refunds().list_refunds(unknown).await.unwrap_err().code(), Code::InvalidArgument);
        service.stop().await;
    }
}

#[tokio::test]
async fn a_quote_is_what_a_reservation_does_and_writes_nothing() {
    let service = Running::on_each_engine("wire_quote").await.remove(0);
    let (order, payment) = service.place("tok_approve", 100).await;
    let request =
        QuoteRefundRequest { order_id: order.clone(), new_total_minor: 25, ..QuoteRefundRequest::default() };

    let quote = service.refunds().quote_refund(request).await.unwrap().into_inner();

    let request = ForecastRefundRequest {
        tenant: "default".to_owned(),
        order_id: order.clone(),
        new_total_minor: 25,
        ..ForecastRefundRequest::default()
    };
    let mut internal = RefundStepsServiceClient::new(service.internal.clone());
    let forecast = internal.forecast_refund(request).await.unwrap().into_inner();
    assert_eq!(forecast.legs, quote.legs, "the order service is told the same");
    assert_eq!((quote.currency_code.as_str(), quote.shortfall_minor), ("GBP", 0));
    assert_eq!((quote.legs[0].payment_id.as_str(), quote.legs[0].amount_minor), (payment.as_str(), 75));
    let list = service.refunds().list_refunds(ListRefundsRequest::default()).await.unwrap().into_inner();
    assert!(list.refunds.is_empty());
    let reserved = service.applied(service.reserve(&service.id::<SagaId>(), &order, 25)).await;
    assert_eq!(reserved.legs[0].amount_minor, 75);
    service.stop().await;
}

#[tokio::test]
async fn a_buyer_moves_no_money_and_reads_no_books() {
    let service = Running::on_each_engine("wire_buyer").await.remove(0);
    let buyer = |mut metadata: tonic::metadata::MetadataMap| {
        metadata.insert("x-countermand-role", "buyer".parse().unwrap());
        metadata
    };
    let mut request = Request::new(CapturePaymentRequest::default());
    *request.metadata_mut() = buyer(std::mem::take(request.metadata_mut()));
    assert_eq!(service.payments().capture_payment(request).await.unwrap_err().code(), Code::PermissionDenied);
    let mut request = Request::new(ExportBooksRequest::default());
    *request.metadata_mut() = buyer(std::mem::take(request.metadata_mut()));
    let mut audit = AuditServiceClient::new(service.public.clone());
    assert_eq!(audit.export_books(request).await.unwrap_err().code(), Code::PermissionDenied);
    service.stop().await;
}
