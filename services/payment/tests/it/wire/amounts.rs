//! Amounts and currencies at their edges.

use proto::payment::v1::*;
use types::{Reason, money::AMOUNT_MINOR_MAX};

use super::{Running, refused};

impl Running {
    async fn authorise(&self, order: &str, currency: &str, amount_minor: i64) -> Reason {
        let request = AuthorizePaymentRequest {
            request_id: self.id::<types::RefundId>(),
            order_id: order.to_owned(),
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            currency_code: currency.to_owned(),
            amount_minor,
        };
        refused(&self.payments().authorize_payment(request).await.unwrap_err())
    }
}

#[tokio::test]
async fn f52_amounts_below_one_and_beyond_counting_are_refused() {
    for service in Running::on_each_engine("f52").await {
        let (order, payment) = service.place("tok_approve", 100).await;
        for amount in [0, -1, i64::MIN, AMOUNT_MINOR_MAX + 1, i64::MAX] {
            assert_eq!(service.authorise(&order, "GBP", amount).await, Reason::AmountOutOfRange, "{amount}");
        }
        // Each may be counted, together they may not.
        assert_eq!(service.authorise(&order, "GBP", AMOUNT_MINOR_MAX).await, Reason::AmountOutOfRange);
        for amount in [-1, i64::MIN, i64::MAX] {
            let capture = CapturePaymentRequest {
                request_id: service.id::<types::RefundId>(),
                payment_id: payment.clone(),
                amount_minor: amount,
            };
            let refusal = service.payments().capture_payment(capture).await.unwrap_err();
            assert_eq!(refused(&refusal), Reason::AmountOutOfRange, "{amount}");
        }
        let request = ListPaymentsRequest { order_id: order };
        let payments = service.payments().list_payments(request).await.unwrap().into_inner().payments;
        assert_eq!(payments.len(), 1, "nothing of it was written");
        service.stop().await;
    }
}

#[tokio::test]
async fn f53_another_or_unknown_currency_is_refused() {
    for service in Running::on_each_engine("f53").await {
        let (order, _) = service.place("tok_approve", 100).await;
        for other in ["EUR", "JPY", "KWD"] {
            assert_eq!(service.authorise(&order, other, 1).await, Reason::CurrencyMismatch, "{other}");
        }
        for unknown in ["", "gbp", "XQQ", "POUND"] {
            assert_eq!(service.authorise(&order, unknown, 1).await, Reason::CurrencyUnknown, "{unknown:?}");
        }
        service.stop().await;
    }
}
