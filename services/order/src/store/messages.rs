//! `message`: what people say about orders, append-only.

use std::collections::BTreeSet;

use storage::{DbError, Row, Rows, Statement, Table, Tx, record, values};
use types::{ChangeOrderId, MessageId, OrderId, Tenant};

use super::keys;
use crate::domain::conversation::Message;
use crate::domain::history::Visibility;
use crate::domain::order::Actor;

pub type MessageKey = (Tenant, MessageId);

static INSERT: Statement = Statement::new(
    "order.insert_messages",
    "INSERT INTO message rows($1: tenant_id text, message_id text, order_id text, visibility text, body text,
       author_user text, author_org text, author_role text, at text, change_order_id text)",
);

static LOAD: Statement = Statement::new(
    "order.load_messages",
    "SELECT m.tenant_id, m.message_id, m.order_id, m.visibility, m.body, m.author_user, m.author_org, m.author_role,
       m.at, m.change_order_id
       FROM rows($1: tenant_id text, message_id text) AS r
       JOIN message AS m ON m.tenant_id = r.tenant_id AND m.message_id = r.message_id",
);

static OF_ORDER: Statement = Statement::new(
    "order.messages_of_order",
    "SELECT tenant_id, message_id, order_id, visibility, body, author_user, author_org, author_role, at,
       change_order_id
       FROM message WHERE tenant_id = $1 AND order_id = $2 AND message_id > $3 ORDER BY message_id LIMIT $4",
);

pub async fn flush(tx: &mut Tx, messages: &Table<MessageKey, Message>) -> Result<(), DbError> {
    messages
        .flush_inserts(tx, &INSERT, |_, message| {
            record! {
                tenant_id: &message.tenant,
                message_id: &message.message_id,
                order_id: &message.order_id,
                visibility: message.visibility.as_str(),
                body: &message.text,
                author_user: &message.author.user,
                author_org: &message.author.organisation,
                author_role: &message.author.role,
                at: message.at,
                change_order_id: message.change_order_id.as_ref(),
            }
        })
        .await
}

/// Those of these messages that exist.
pub async fn load(tx: &mut Tx, wanted: &BTreeSet<MessageKey>) -> Result<Vec<Message>, DbError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Rows = keys::rows(wanted);
    tx.fetch_all(&LOAD, values![rows]).await?.iter().map(read).collect()
}

/// At most `limit` messages of an order behind an id, oldest first.
pub async fn of_order(
    tx: &mut Tx,
    tenant: &Tenant,
    order_id: &OrderId,
    after: &str,
    limit: i64,
) -> Result<Vec<Message>, DbError> {
    tx.fetch_all(&OF_ORDER, values![tenant, order_id, after, limit]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Message, DbError> {
    Ok(Message {
        tenant: row.tenant()?,
        message_id: row.parsed("message_id", MessageId::parse)?,
        order_id: row.parsed("order_id", OrderId::parse)?,
        visibility: row.named("visibility", Visibility::parse)?,
        text: row.text("body")?,
        author: Actor {
            user: row.text("author_user")?,
            organisation: row.text("author_org")?,
            role: row.text("author_role")?,
        },
        at: row.timestamp("at")?,
        change_order_id: row.opt_parsed("change_order_id", ChangeOrderId::parse)?,
    })
}
