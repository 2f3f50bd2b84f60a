//! Notes and messages.

use std::collections::BTreeSet;

use kit::{Failure, Principal};
use types::{MessageId, OrderId, Tenant};

use crate::domain::conversation::{Message, NewMessage};
use crate::domain::history::Visibility;
use crate::domain::listing::{Listed, Page};
use crate::domain::readers::Reader;
use crate::ops::calls::asking::actor;
use crate::ops::calls::orders::Orders;
use crate::ops::calls::reads::cut;
use crate::store::messages;

impl Orders {
    /// A message by its id.
    pub async fn message(&self, tenant: &Tenant, message_id: &MessageId) -> Result<Message, Failure> {
        let key = BTreeSet::from([(tenant.clone(), message_id.clone())]);
        let found = self.reading(async |tx| messages::load(tx, &key).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Message", message_id.as_str()))
    }

    /// The messages of an order that the caller may read. A page may hold fewer than were asked for.
    pub async fn notes(
        &self,
        principal: &Principal,
        order_id: &OrderId,
        page: &Page,
    ) -> Result<Listed<Message>, Failure> {
        let reader = self.reader(principal, order_id).await?;
        let after = page.after.as_deref().unwrap_or_default();
        let tenant = &principal.tenant;
        let found = self
            .reading(async |tx| messages::of_order(tx, tenant, order_id, after, page.size + 1).await)
            .await?;
        let mut listed = cut(found, page, |message| message.message_id.to_string());
        listed.items.retain(|message| reader.reads(message.visibility));
        Ok(listed)
    }

    /// What the caller may read of an order; NOT_FOUND if the caller may not see it at all.
    pub async fn reader(&self, principal: &Principal, order_id: &OrderId) -> Result<Reader, Failure> {
        let order = self.head(&principal.tenant, order_id).await?;
        let reader = Reader::of(principal.grants.reach, &actor(principal), &order);
        if reader.sees_the_order() { Ok(reader) } else { Err(Failure::not_found("Order", order_id.as_str())) }
    }
}

impl NewMessage {
    /// A note that a rule or a batch writes.
    pub fn about(order_id: &OrderId, visibility: Visibility, text: &str) -> Self {
        Self { order_id: order_id.clone(), visibility, text: text.to_owned(), change_order_id: None }
    }
}
