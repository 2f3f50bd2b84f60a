//! The books and the gateway's own record.

use std::collections::BTreeMap;

use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::audit::v1::{ExportBooksRequest, ListGatewayEffectsRequest};
use proto::payment::v1::AuthorizePaymentRequest;
use tonic::{Code, Request};

use super::Running;

#[tokio::test]
async fn the_books_are_exported_whole_and_agree_with_the_gateway() {
    for service in Running::on_each_engine("wire_books").await {
        let (order, _) = service.place("tok_refund_decline", 100).await;
        service.cancel(&order).await;
        let (order, _) = service.place_for("tok_approve", 100, 150).await;
        let authorise = AuthorizePaymentRequest {
            request_id: "r-1".to_owned(),
            order_id: order.clone(),
            gateway: "sandbox".to_owned(),
            payment_token: "tok_approve".to_owned(),
            currency_code: "GBP".to_owned(),
            amount_minor: 50,
        };
        service.payments().authorize_payment(authorise).await.unwrap();
        service.cancel(&order).await;
        let mut audit = AuditServiceClient::new(service.public.clone());

        let mut stream =
            audit.export_books(managing(ExportBooksRequest::default())).await.unwrap().into_inner();
        let mut rows = BTreeMap::<String, usize>::new();
        let mut snapshot = String::new();
        while let Some(message) = stream.message().await.unwrap() {
            assert!(message.rows.iter().all(|row| row.cells.len() == message.columns.len()));
            assert!(!message.columns.contains(&"token".to_owned()), "tokens stay inside");
            snapshot = message.snapshot_at;
            if !message.book.is_empty() {
                *rows.entry(message.book).or_default() += message.rows.len();
            }
        }

        let expected = [
            ("account", 2),
            ("capture", 2),
            ("money_ledger", 6),
            ("outbox", 2),
            ("owed_position", 1),
            ("payment", 3),
            ("refund", 3),
            ("refund_hold", 2),
            ("request_key", 1),
            ("saga_fence", 4),
            ("step_ledger", 8),
        ];
        assert_eq!(rows, expected.map(|(name, count)| (name.to_owned(), count)).into());
        assert!(!snapshot.is_empty(), "the last message carries the snapshot's instant");
        let request = ListGatewayEffectsRequest { page_size: 4, page_token: String::new() };
        let page = audit.list_gateway_effects(managing(request)).await.unwrap().into_inner();
        let request = ListGatewayEffectsRequest { page_size: 4, page_token: page.next_page_token };
        let rest = audit.list_gateway_effects(managing(request)).await.unwrap().into_inner();
        assert_eq!((page.effects.len(), rest.effects.len()), (4, 4));
        let unknown = ExportBooksRequest { books: vec!["stock".to_owned()] };
        assert_eq!(audit.export_books(managing(unknown)).await.unwrap_err().code(), Code::InvalidArgument);
        service.stop().await;
    }
}

/// The books are for those who run the place.
fn managing<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-countermand-role", "manager".parse().unwrap());
    request
}
