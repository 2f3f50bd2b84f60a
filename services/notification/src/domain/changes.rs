//! What the life of a cancellation tells. Each message claims what its event has committed, and no more: an accepted
//! change is not decided, a decided one has moved no money yet, and only the gateway's word makes a refund.

use super::event::{Change, OrderPicture, Refund, RefundState, Settlement};
use super::message::{Audience, Message, Template};
use super::words;

/// A consumer's withdrawal came in: its receipt is acknowledged before anybody has looked at it.
pub fn received(change: &Change) -> Vec<Message> {
    let (number, lines) = (words::quoted(&change.number), words::lines(change));
    let order = words::quoted(&change.order_number);
    let for_buyer = format!(
        "Your withdrawal {number} from order {order} was received ({lines}). It is not decided yet; you will be told how \
         it ends."
    );
    let subject = format!("Your withdrawal from order {order} was received");
    let to_buyer = Message::new(Template::WithdrawalAcknowledged, Audience::Buyer, subject, for_buyer);
    let to_answer = |audience| {
        let subject = format!("A withdrawal from order {order} waits for an answer");
        let body = format!(
            "{number} withdraws from order {order} ({lines}). Nothing has moved; it waits for an answer."
        );
        Message::new(Template::ChangeRequested, audience, subject, body)
    };
    vec![to_buyer, to_answer(Audience::Supplier), to_answer(Audience::Staff)]
}

pub fn accepted(change: &Change) -> Vec<Message> {
    let (number, scope, lines) = (words::quoted(&change.number), words::scope(change), words::lines(change));
    let subject = format!("Cancellation of {scope} was requested");
    let message =
        |audience, body: String| Message::new(Template::CancellationRequested, audience, &subject, body);
    let for_buyer = format!(
        "The request {number} to cancel {scope} was received ({lines}). It is not decided yet; you will be told how \
         it ends."
    );
    vec![
        message(Audience::Buyer, for_buyer),
        message(
            Audience::Supplier,
            format!(
                "{number} asks to cancel {scope} ({lines}). These units are being held; it is not decided yet."
            ),
        ),
        message(
            Audience::Staff,
            format!("{number} to cancel {scope} was accepted ({lines}) and is being executed."),
        ),
    ]
}

pub fn committed(change: &Change, before: &OrderPicture, after: &OrderPicture) -> Vec<Message> {
    let (number, scope, lines) = (words::quoted(&change.number), words::scope(change), words::lines(change));
    let subject = format!("Cancellation of {scope} is confirmed");
    let totals = format!("The order's total is now {} (before: {}).", after.total, before.total);
    let message =
        |audience, body: String| Message::new(Template::CancellationConfirmed, audience, &subject, body);
    let money = match change.settlement {
        Settlement::Auto => "You will be told of every refund.",
        Settlement::None => "No money moves by itself for this cancellation.",
    };
    vec![
        message(
            Audience::Buyer,
            format!("The cancellation of {scope} is confirmed: {lines}. {totals} {money}"),
        ),
        message(
            Audience::Supplier,
            format!("The cancellation of {scope} is confirmed: {lines}. Do not ship these units."),
        ),
        message(Audience::Staff, format!("{number} cancelled {scope}: {lines}. {totals}")),
    ]
}

pub fn rejected(change: &Change) -> Vec<Message> {
    let (number, scope) = (words::quoted(&change.number), words::scope(change));
    let subject = format!("Cancellation of {scope} was not possible");
    let message =
        |audience, body: String| Message::new(Template::CancellationRejected, audience, &subject, body);
    let for_parties = change.cause.as_ref().map_or("it could not be carried out", words::cause_for_parties);
    let for_staff =
        change.cause.as_ref().map_or_else(|| "no cause was given".to_owned(), words::cause_for_staff);
    vec![
        message(
            Audience::Buyer,
            format!(
                "The request {number} to cancel {scope} was rejected: {for_parties}. The order stands as before."
            ),
        ),
        message(
            Audience::Supplier,
            format!("{number} to cancel {scope} was rejected: {for_parties}. The order stands as before."),
        ),
        message(
            Audience::Staff,
            format!("{number} to cancel {scope} was rejected and put back. {for_staff}."),
        ),
    ]
}

/// What ended, by weight: the template that names the message and the beginning of its subject.
type Headline = (Template, &'static str);

const REVERSED: Headline = (Template::RefundReversed, "A refund was reversed");
const ISSUED: Headline = (Template::RefundIssued, "A refund was issued");
const DELAYED: Headline = (Template::RefundDelayed, "A refund takes longer");
const OWED: Headline = (Template::RefundOwed, "A refund is owed");
const RELEASED: Headline = (Template::AuthorisationReleased, "A payment hold was released");
const EXCEPTIONS: Headline = (Template::CancellationExceptions, "A cancellation ended with exceptions");

/// How the money of a finished change stands. The weightiest fact names the message, because an audience is told one
/// thing per event; the others stand in its body. A change that moved no money and owes none was told when it was
/// committed.
pub fn completed(change: &Change) -> Vec<Message> {
    let outcome = Outcome::of(change);
    let order = words::quoted(&change.order_number);
    let message = |audience, (template, subject): Headline, body: String| {
        Message::new(template, audience, format!("{subject} for order {order}"), body)
    };
    let mut messages = Vec::new();
    if let Some(headline) = outcome.for_buyer() {
        let body = format!("For the {}: {}", words::deed(change), outcome.sentences().join(" "));
        messages.push(message(Audience::Buyer, headline, body));
    }
    if let Some(headline) = outcome.for_staff(change) {
        let mut sentences = vec![format!("{} has ended.", words::quoted(&change.number))];
        sentences.extend(outcome.sentences());
        sentences.extend(change.exceptions.iter().map(|cause| format!("{}.", words::cause_for_staff(cause))));
        messages.push(message(Audience::Staff, headline, sentences.join(" ")));
    }
    messages
}

/// What may be claimed of the money: amounts as the payment service told them, never summed into a new one.
struct Outcome {
    issued: Vec<String>,
    released: Vec<String>,
    reversed: Vec<String>,
    pending: Vec<String>,
    owed: Option<String>,
}

impl Outcome {
    fn of(change: &Change) -> Self {
        let amounts = |state, releases: bool| {
            let wanted =
                |refund: &&Refund| refund.state == state && refund.releases_authorisation == releases;
            change.refunds.iter().filter(wanted).map(|refund| refund.amount.to_string()).collect()
        };
        Self {
            issued: amounts(RefundState::Succeeded, false),
            released: amounts(RefundState::Succeeded, true),
            reversed: amounts(RefundState::Reversed, false),
            pending: amounts(RefundState::Pending, false),
            owed: change.owed.is_positive().then(|| change.owed.to_string()),
        }
    }

    fn for_buyer(&self) -> Option<Headline> {
        let facts = [
            (!self.reversed.is_empty(), REVERSED),
            (!self.issued.is_empty(), ISSUED),
            (!self.pending.is_empty(), DELAYED),
            (self.owed.is_some(), OWED),
            (!self.released.is_empty(), RELEASED),
        ];
        first(facts)
    }

    /// What is left to do comes before what is done.
    fn for_staff(&self, change: &Change) -> Option<Headline> {
        let facts = [
            (!self.reversed.is_empty(), REVERSED),
            (self.owed.is_some(), OWED),
            (!change.exceptions.is_empty(), EXCEPTIONS),
            (!self.pending.is_empty(), DELAYED),
            (!self.issued.is_empty(), ISSUED),
        ];
        first(facts)
    }

    fn sentences(&self) -> Vec<String> {
        let money = [
            (&self.reversed, "taken back by the payment provider after it was issued", "Refund"),
            (&self.issued, "issued", "Refund"),
            (&self.released, "released", "Payment hold"),
            (&self.pending, "asked for, and not settled by the payment provider yet", "Refund"),
        ];
        let mut sentences: Vec<String> = money
            .into_iter()
            .filter(|(amounts, ..)| !amounts.is_empty())
            .map(|(amounts, fate, what)| format!("{what} {fate}: {}.", amounts.join(", ")))
            .collect();
        sentences.extend(self.owed.iter().map(|owed| format!("Still owed: {owed}.")));
        sentences
    }
}

fn first(facts: [(bool, Headline); 5]) -> Option<Headline> {
    facts.into_iter().find_map(|(holds, headline)| holds.then_some(headline))
}
