//! What the schema itself refuses. On both engines.

use storage::{DbError, Statement, values};
use types::Tenant;

use crate::events::World;

static REWRITE: Statement =
    Statement::new("test.rewrite", "UPDATE notification SET body = 'nothing happened' WHERE tenant_id = $1");
static DELETE: Statement = Statement::new("test.delete", "DELETE FROM notification WHERE tenant_id = $1");
static UNSEND: Statement = Statement::new(
    "test.unsend",
    "UPDATE notification SET state = 'enqueued', sent_at = NULL WHERE tenant_id = $1 AND state = 'sent'",
);
static FORGE: Statement = Statement::new(
    "test.forge",
    "INSERT INTO notification (tenant_id, notification_id, event_id, template, audience, channel, state, subject,
                               body, created_at, sent_at)
     VALUES ($1, 'ntf_1', 'evt_1', 'refund.issued', 'buyer', 'inbox', 'sent', '', '', '', '')",
);

#[tokio::test]
async fn what_was_told_is_neither_rewritten_nor_deleted_nor_unsent() {
    for world in World::each("rewriting").await {
        let order = world.ids.mint();
        world.deliver(&[&world.placed(&order, 1)]).await;

        for statement in [&REWRITE, &DELETE, &UNSEND] {
            let mut tx = world.database.begin().await.unwrap();
            let outcome = tx.execute(statement, values![&Tenant::DEFAULT]).await;
            tx.rollback().await;

            assert!(matches!(outcome, Err(DbError::Check { .. })), "{}: {outcome:?}", statement.name());
        }
    }
}

#[tokio::test]
async fn nothing_is_told_without_its_event() {
    for world in World::each("forging").await {
        let mut tx = world.database.begin().await.unwrap();
        let outcome = tx.execute(&FORGE, values![&Tenant::DEFAULT]).await;
        tx.rollback().await;

        assert!(matches!(outcome, Err(DbError::ForeignKey { .. })), "{outcome:?}");
    }
}
