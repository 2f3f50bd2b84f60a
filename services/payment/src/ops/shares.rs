//! Parts of shared payments: which of them commands name, and giving orders theirs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use types::{Currency, PaymentId, Refusal, Tenant};

use super::books::Books;
use super::command::{Command, Deed, Step};
use crate::domain::shared::GATEWAY;
use crate::domain::{Account, Tender};
use crate::store::{OrderKey, SharedKey};

/// The shared payments that new tenders name.
pub fn named(commands: &[Command]) -> BTreeSet<SharedKey> {
    let mut named = BTreeSet::new();
    for command in commands {
        match command {
            Command::Step(step) => {
                let tenders =
                    tenders(step).iter().map(|tender| (tender.gateway.as_str(), tender.token.as_str()));
                named.extend(tenders.filter_map(|tender| shared_key(&step.call.context.tenant, tender)));
            }
            Command::Authorise(asked) => {
                named.extend(shared_key(&asked.key.tenant, (&asked.gateway, &asked.token)));
            }
            Command::Capture(_) | Command::Answered(_) | Command::Mend(_) | Command::Observed(_) => {}
        }
    }
    named
}

/// The observed payments that are parts, with the whole they are parts of.
pub fn observed(
    commands: &[Command],
    accounts: &storage::Table<OrderKey, Account>,
) -> BTreeMap<SharedKey, PaymentId> {
    let observed = commands.iter().filter_map(|command| match command {
        Command::Observed(observed) => Some(observed),
        Command::Step(_)
        | Command::Authorise(_)
        | Command::Capture(_)
        | Command::Answered(_)
        | Command::Mend(_) => None,
    });
    let parts = observed.filter_map(|observed| {
        let account = accounts.get(&(observed.tenant.clone(), observed.order_id.clone()))?;
        let shared = account.payments.get(&observed.payment_id)?.shared_payment_id.clone()?;
        Some(((observed.tenant.clone(), observed.payment_id.clone()), shared))
    });
    parts.collect()
}

/// The step with its parts of shared payments given to its order.
pub fn allotted<'a>(books: &mut Books, step: &'a Step) -> Result<Cow<'a, Step>, Refusal> {
    if tenders(step).iter().all(|tender| tender.gateway != GATEWAY) {
        return Ok(Cow::Borrowed(step));
    }
    let mut step = step.clone();
    let tenant = step.call.context.tenant.clone();
    if let Deed::AuthorisePayments(opening) | Deed::ReopenPayments { opening, .. } = &mut step.deed {
        let currency = opening.currency;
        for tender in &mut opening.tenders {
            *tender = allot(books, &tenant, tender, currency)?;
        }
    }
    Ok(Cow::Owned(step))
}

/// The tender as it is, or as the part of a shared payment that it names.
pub fn allot(
    books: &mut Books,
    tenant: &Tenant,
    tender: &Tender,
    currency: Currency,
) -> Result<Tender, Refusal> {
    if tender.gateway != GATEWAY {
        return Ok(tender.clone());
    }
    let found = shared_key(tenant, (&tender.gateway, &tender.token));
    let part = found.and_then(|key| books.shared.update(&key, |shared| shared.allot(tender, currency)));
    part.unwrap_or_else(|| Err(Refusal::not_found("shared payment", &tender.token).field("payment_token")))
}

fn tenders(step: &Step) -> &[Tender] {
    match &step.deed {
        Deed::AuthorisePayments(opening) | Deed::ReopenPayments { opening, .. } => &opening.tenders,
        Deed::VoidAuthorisations
        | Deed::CapturePayments
        | Deed::ReserveRefund { .. }
        | Deed::ReleaseRefund
        | Deed::SettleRefund { .. } => &[],
    }
}

fn shared_key(tenant: &Tenant, (gateway, token): (&str, &str)) -> Option<SharedKey> {
    let id = PaymentId::parse(token).ok().filter(|_| gateway == GATEWAY)?;
    Some((tenant.clone(), id))
}
