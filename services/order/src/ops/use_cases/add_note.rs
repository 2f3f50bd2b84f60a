//! AddNote: a note or a message about an order.

use types::{ChangeOrderId, Fingerprint, Refusal, Tenant};

use super::{Resource, UseCase, Work};
use crate::domain::conversation::{self, Message, NewMessage};
use crate::domain::readers::Reader;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;

pub struct AddNote(pub NewMessage);

impl Resource for Message {
    fn resource_id(&self) -> String {
        self.message_id.to_string()
    }
}

impl UseCase for AddNote {
    const METHOD: &'static str = "AddNote";
    type Answer = Message;

    fn content(&self) -> Fingerprint {
        let new = &self.0;
        let change = new.change_order_id.as_ref().map_or("", ChangeOrderId::as_str);
        Fingerprint::of(
            &[new.order_id.as_str(), new.visibility.as_str(), &new.text, change].map(str::as_bytes),
        )
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Order(&self.0.order_id))
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.order(tenant, &self.0.order_id);
        wanted.changes.extend(self.0.change_order_id.iter().map(|id| (tenant.clone(), id.clone())));
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Message, Refusal> {
        let new = &self.0;
        let order = work.order(&new.order_id)?;
        let change = match &new.change_order_id {
            None => None,
            Some(id) => {
                let change = work.books.changes.get(&(work.asked.tenant.clone(), id.clone())).cloned();
                Some(change.ok_or_else(|| Refusal::not_found("ChangeOrder", id.as_str()))?)
            }
        };
        let minted = work.books.ids.mint();
        let actor = &work.asked.actor;
        let reach = work.shelf().of(&order).grants(&actor.role).reach;
        let author = (actor.clone(), Reader::of(reach, actor, &order));
        let (message, happened) =
            conversation::write(&order, change.as_ref(), new, minted, author, work.books.now)?;
        work.put(order, None, happened);
        let key = (message.tenant.clone(), message.message_id.clone());
        work.books.desk.messages.insert(key, message.clone());
        Ok(message)
    }
}
