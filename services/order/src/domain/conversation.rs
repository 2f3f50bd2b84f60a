//! Notes and messages about an order: notes for our own staff, and messages to the order's parties.

use types::{ChangeOrderId, MessageId, OrderId, Reason, Refusal, Tenant, Timestamp};

use super::change::ChangeOrder;
use super::history::{Entry, Fact, Happened, Visibility};
use super::order::{Actor, Order};
use super::policy::Policy;
use super::readers::Reader;
use super::sides::Side;

/// One note. It never changes once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub tenant: Tenant,
    pub message_id: MessageId,
    pub order_id: OrderId,
    pub visibility: Visibility,
    pub text: String,
    pub author: Actor,
    pub at: Timestamp,
    pub change_order_id: Option<ChangeOrderId>,
}

/// A request to add a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    pub order_id: OrderId,
    pub visibility: Visibility,
    pub text: String,
    pub change_order_id: Option<ChangeOrderId>,
}

/// Writes a note if the author may. `change` is the change that it is about, if one was named.
pub fn write(
    order: &Order,
    change: Option<&ChangeOrder>,
    new: &NewMessage,
    message_id: MessageId,
    (author, reader): (Actor, Reader),
    now: Timestamp,
) -> Result<(Message, Happened), Refusal> {
    reader.may_write(new.visibility)?;
    if let Some(change) = change
        && change.order_id != order.order_id
    {
        let message = format!("{} is a change of another order", change.change_order_id);
        return Err(Refusal::new(Reason::FieldInvalid, message).field("change_order_id"));
    }
    let message = Message {
        tenant: order.tenant.clone(),
        message_id,
        order_id: order.order_id.clone(),
        visibility: new.visibility,
        text: new.text.clone(),
        author,
        at: now,
        change_order_id: change.map(|change| change.change_order_id.clone()),
    };
    let kind = match new.visibility {
        Visibility::Internal => "a note",
        Visibility::Parties | Visibility::Public => "a message",
    };
    let summary = format!("{} wrote {kind} ({})", message.author.user, message.message_id);
    let mut entry = Entry::new(now, message.author.clone(), "note.added", summary)
        .visible_to(new.visibility)
        .because("", &message.text);
    entry.change_order_id.clone_from(&message.change_order_id);
    let fact = Fact::MessageAdded { message: message.clone(), order: order.summary() };
    Ok((message, Happened::default().entry(entry).fact(fact)))
}

/// Whether a message proves that the supplier of an order was contacted: it is about this order, the supplier may read it, and the caller or
/// somebody of the caller's side wrote it. A phone call is recorded as such a message.
pub fn proves_contact(
    order: &Order,
    message: Option<&Message>,
    actor: &Actor,
    policy: &Policy,
) -> Result<(), Refusal> {
    let refuse = |what: &str| {
        let message = format!(
            "{what}; write to the supplier with AddNote, visible to the parties, and name that message"
        );
        Err(Refusal::new(Reason::ContactRequired, message))
    };
    let Some(message) = message.filter(|message| message.order_id == order.order_id) else {
        return refuse("the order has no such message");
    };
    if !message.reached_parties() {
        return refuse("the supplier cannot read that note");
    }
    let side = |who: &Actor| Side::of(order, who, policy);
    let author = &message.author;
    let same_person = (&author.user, &author.organisation) == (&actor.user, &actor.organisation);
    // Two authors who are on no side, or act for no organisation, are not on the same side.
    let same_side = side(author).is_some_and(|of_author| side(actor) == Some(of_author));
    let same_house = !actor.organisation.is_empty() && author.organisation == actor.organisation;
    if side(author) == Some(Side::Supplier) || !(same_person || same_side || same_house) {
        return refuse("somebody else wrote that message");
    }
    Ok(())
}

impl Message {
    /// Whether the supplier could read it: an internal note reached nobody outside.
    pub fn reached_parties(&self) -> bool {
        self.visibility >= Visibility::Parties
    }
}
