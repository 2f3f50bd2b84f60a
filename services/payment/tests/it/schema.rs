//! The second wall: what the schema refuses, whatever the code believes.

use payment::store::claim;
use storage::{DbError, Statement, values};

use crate::service::on_each_engine;

static OVER_REFUND: Statement =
    Statement::new("test.over_refund", "UPDATE capture SET refunded_minor = amount_minor + 1");
static OVER_CAPTURE: Statement =
    Statement::new("test.over_capture", "UPDATE payment SET captured_minor = authorised_minor + 1");
static NEGATIVE_CEILING: Statement =
    Statement::new("test.negative_ceiling", "UPDATE account SET ceiling_minor = -1");
static REWRITE_LEDGER: Statement =
    Statement::new("test.rewrite_ledger", "UPDATE money_ledger SET debit_minor = debit_minor + 1");
static FORGET_LEDGER: Statement = Statement::new("test.forget_ledger", "DELETE FROM money_ledger");
static FORGET_REFUND: Statement = Statement::new("test.forget_refund", "DELETE FROM refund");
static IDLE_REFUND: Statement =
    Statement::new("test.idle_refund", "UPDATE refund SET state = 'submitting', next_at = 0");
static NO_STATE: Statement = Statement::new("test.no_state", "UPDATE refund SET state = 'refunded'");
static SAME_TWICE: Statement = Statement::new(
    "test.same_twice",
    "INSERT INTO refund (tenant_id, order_id, refund_id, payment_id, capture_id, change_order_id, saga_id, step, kind,
                         state, amount_minor, gateway_reference, detail, tries, next_at, claimed_until, created_at,
                         updated_at)
     SELECT tenant_id, order_id, 'rfd_other', payment_id, capture_id, change_order_id, saga_id, step, kind, state,
            amount_minor, gateway_reference, detail, tries, next_at, claimed_until, created_at, updated_at
       FROM refund",
);

#[tokio::test]
async fn the_schema_refuses_money_that_cannot_be() {
    for service in on_each_engine("schema").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        service.reserve(&service.saga(), &order, 40).await;
        let refuse = async |statement: &'static Statement| {
            let mut tx = service.database.begin().await.unwrap();
            let refused = tx.execute(statement, values![]).await;
            tx.rollback().await;
            refused.unwrap_err()
        };

        for statement in [
            &OVER_REFUND,
            &OVER_CAPTURE,
            &NEGATIVE_CEILING,
            &REWRITE_LEDGER,
            &FORGET_LEDGER,
            &FORGET_REFUND,
            &IDLE_REFUND,
            &NO_STATE,
        ] {
            let error = refuse(statement).await;
            assert!(matches!(error, DbError::Check { .. }), "{}: {error}", statement.name());
        }
        let error = refuse(&SAME_TWICE).await;
        assert!(matches!(error, DbError::Unique { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_process_that_is_alone_takes_its_former_claims_up() {
    for mut service in on_each_engine("free_claims").await {
        let order = service.paid_elsewhere("INV-1", 100).await;
        let saga = service.saga();
        service.reserve(&saga, &order, 40).await;
        service.impatient();
        service.settle(&saga, &order).await;
        let mut tx = service.database.begin().await.unwrap();
        assert!(
            !claim::anything_due(&mut tx).await.unwrap(),
            "it is claimed by the process that committed it"
        );

        let freed = claim::free_all(&mut tx).await.unwrap();

        assert_eq!(freed, 1);
        assert!(claim::anything_due(&mut tx).await.unwrap());
        assert_eq!(claim::claim(&mut tx, 1_000_000).await.unwrap().len(), 1);
        assert_eq!(claim::claim(&mut tx, 1_000_000).await.unwrap().len(), 0, "claimed once");
        tx.commit().await.unwrap();
    }
}
