//! Payments made elsewhere: which of them a batch names, and that each is one order's alone.

use std::collections::BTreeSet;

use types::{PaymentId, Reason, Refusal, Tenant};

use super::books::Books;
use super::command::{Command, Deed, Observed, Report};
use crate::domain::gateway::{Reading, Subject};
use crate::domain::payment::{Kind, Proof};
use crate::domain::{Account, Moment, Payment, Read};
use crate::ports::gateway::Gateways;
use crate::store::OrderKey;
use crate::store::adoption::{Adoption, AdoptionKey};

/// The payments that commands take, and those that may become free with an order that is not placed.
pub fn named(
    commands: &[Command],
    accounts: &storage::Table<OrderKey, Account>,
    gateways: &Gateways,
) -> BTreeSet<AdoptionKey> {
    let mut keys = BTreeSet::new();
    for command in commands {
        let abandoned = match command {
            Command::Step(step) => match &step.deed {
                Deed::AuthorisePayments(opening) => {
                    let stated = opening.external_payments.iter();
                    keys.extend(stated.map(|paid| key(gateways, &paid.gateway, &paid.reference)));
                    None
                }
                Deed::VoidAuthorisations => Some((step.call.context.tenant.clone(), step.order_id.clone())),
                Deed::ReopenPayments { .. }
                | Deed::CapturePayments
                | Deed::ReserveRefund { .. }
                | Deed::ReleaseRefund
                | Deed::SettleRefund { .. } => None,
            },
            Command::Observed(Observed {
                tenant,
                order_id,
                report: Report::Read { gateway, reading },
                ..
            }) => {
                if let Reading::Holds(holding) = reading {
                    keys.insert(key(gateways, gateway, &holding.reference));
                }
                Some((tenant.clone(), order_id.clone()))
            }
            Command::Answered(answered) => match answered.subject {
                Subject::Payment(_) => Some((answered.tenant.clone(), answered.order_id.clone())),
                Subject::Capture(_) | Subject::Refund(_) => None,
            },
            Command::Observed(_) | Command::Authorise(_) | Command::Capture(_) | Command::Mend(_) => None,
        };
        let payments = abandoned.and_then(|key| accounts.get(&key)).into_iter();
        keys.extend(payments.flat_map(adopted).map(|paid| key_of(gateways, paid)));
    }
    keys
}

/// Takes those that rest on somebody's word: they count from now on, so nobody else may have them.
pub fn take_attested(
    books: &mut Books,
    tenant: &Tenant,
    account: &Account,
    gateways: &Gateways,
) -> Result<(), Refusal> {
    for payment in adopted(account).filter(|payment| payment.proof == Proof::Attested) {
        let key = key_of(gateways, payment);
        if !take(books, key, tenant, &payment.payment_id) {
            let message = "another order has this payment; an order can have a declared share of one";
            let refusal = Refusal::new(Reason::PaymentNotVerified, message).field("external_payments");
            return Err(refusal
                .detail("gateway", &payment.gateway)
                .detail("reference", &payment.gateway_reference));
        }
    }
    Ok(())
}

/// What the gateway has of a payment, held against what was stated and against who else has it.
pub fn read(
    books: &mut Books,
    order: &OrderKey,
    observed: &Observed,
    (gateway, reading): (&str, &Reading),
    (gateways, moment): (&Gateways, Moment<'_>),
) -> Option<Read> {
    let payment_id = &observed.payment_id;
    let waiting = books.accounts.get(order)?.waiting_for(payment_id);
    if !waiting.iter().all(|saga_id| observed.saga_ids.contains(saga_id)) {
        // A change has come to wait for it since; its step is not locked here. The claim ends, and it is read again.
        return None;
    }
    let place = match reading {
        Reading::Holds(holding) => Some(key(gateways, gateway, &holding.reference)),
        Reading::Refuted { .. } | Reading::Silent { .. } => None,
    };
    let taken = place.as_ref().and_then(|place| books.adoptions.get(place));
    let by_another = taken.is_some_and(|adoption| adoption.held && adoption.payment_id != *payment_id);
    let detail = "another order has this payment".to_owned();
    let reading = if by_another { &Reading::Refuted { detail } } else { reading };
    let update = |account: &mut Account| account.payment_read(&order.0, payment_id, reading, moment);
    let found = books.accounts.update(order, update).flatten()?;
    if let Some(place) = place.filter(|_| found.verified) {
        let held = take(books, place, &order.0, payment_id);
        debug_assert!(held, "it was free a moment ago, under the same lock");
    }
    Some(found)
}

/// Lets go of what belongs to orders that are not placed.
pub fn release_abandoned(books: &mut Books) {
    let abandoned: BTreeSet<PaymentId> = books
        .accounts
        .values()
        .flat_map(adopted)
        .filter(|payment| payment.abandoned)
        .map(|payment| payment.payment_id.clone())
        .collect();
    let free: Vec<AdoptionKey> = books
        .adoptions
        .iter()
        .filter(|(_, adoption)| adoption.held && abandoned.contains(&adoption.payment_id))
        .map(|(key, _)| key.clone())
        .collect();
    for key in free {
        books.adoptions.update(&key, |adoption| adoption.held = false).expect("it was just found");
    }
}

/// False if another payment holds it.
fn take(books: &mut Books, key: AdoptionKey, tenant: &Tenant, payment_id: &PaymentId) -> bool {
    let wanted = Adoption { tenant: tenant.clone(), payment_id: payment_id.clone(), held: true };
    match books.adoptions.get(&key) {
        None => {
            books.adoptions.insert(key, wanted);
            true
        }
        Some(there) if there.held => there.payment_id == *payment_id,
        Some(_) => books.adoptions.update(&key, |there| *there = wanted).is_some(),
    }
}

/// Of a shared payment the whole is taken, when it is written down.
fn adopted(account: &Account) -> impl Iterator<Item = &Payment> {
    account.payments.values().filter(|payment| {
        payment.external && payment.kind == Kind::Gateway && payment.shared_payment_id.is_none()
    })
}

fn key_of(gateways: &Gateways, payment: &Payment) -> AdoptionKey {
    key(gateways, &payment.gateway, &payment.gateway_reference)
}

pub fn key(gateways: &Gateways, gateway: &str, reference: &str) -> AdoptionKey {
    (gateways.account(gateway).to_owned(), reference.to_owned())
}
