//! One step of a saga: admitted by the ledger, decided by the account, recorded.

use storage::{Admission, LedgerRow, Outcome, Overlay};
use types::{Reason, Refusal};

use super::books::Books;
use super::command::{Decided, Deed, Reply, Step, StepAnswer};
use super::{adoptions, shares};
use crate::domain::{Account, Moment, Origin, Reservation, StepOutcome};
use crate::domain::{Reply as StepReply, reply};
use crate::ports::gateway::Gateways;
use crate::store::OrderKey;
use crate::wire as stored;

pub fn decide(
    books: &mut Books,
    step: &Step,
    gateways: &Gateways,
    moment: Moment<'_>,
) -> Result<Decided, storage::DbError> {
    let context = &step.call.context;
    let key = (context.tenant.clone(), step.order_id.clone());
    let answer = match books.ledger.admit(&step.call, moment.now) {
        Admission::Run | Admission::UndoPending => run(books, step, &key, gateways, moment),
        Admission::Replay(row) => replay(&row)?,
        Admission::Refused(refusal) => StepAnswer::Refused(refusal),
        Admission::UndoNothing => nothing_to_do(),
    };
    let (tasks, told) = books.follow_up(&key);
    Ok(Decided { reply: Reply::Step(answer), tasks, ended: Vec::new(), told })
}

/// A refusal leaves nothing behind but its record, so that a repeat is refused with the same words.
fn run(
    books: &mut Books,
    step: &Step,
    key: &OrderKey,
    gateways: &Gateways,
    moment: Moment<'_>,
) -> StepAnswer {
    let (outcome, answer) = match perform(books, step, key, gateways, moment) {
        Ok(StepOutcome::Applied(reply)) => {
            let reply = told_with(books, key, &step.call.context.saga_id, reply);
            let bytes = stored::encode(&reply);
            (Outcome::Applied, StepAnswer::Applied(bytes))
        }
        Ok(StepOutcome::Pending) => (Outcome::Pending, StepAnswer::Pending),
        Err(refusal) => {
            books.rollback();
            (Outcome::Rejected, StepAnswer::Refused(refusal))
        }
    };
    let bytes = match &answer {
        StepAnswer::Applied(bytes) => bytes.clone(),
        StepAnswer::Pending => Vec::new(),
        StepAnswer::Refused(refusal) => kit::answer::encode(refusal),
    };
    books.ledger.record(&step.call, outcome, bytes, moment.now);
    answer
}

/// The reply of a saga that has reserved tells what is owed by its change, committed or about to be.
pub fn told_with(books: &mut Books, key: &OrderKey, saga_id: &str, reply: StepReply) -> StepReply {
    let told = books.accounts.update(key, |account| {
        account.tell_owed();
        account.told_to(saga_id)
    });
    StepReply { told: told.flatten(), ..reply }
}

fn perform(
    books: &mut Books,
    step: &Step,
    key: &OrderKey,
    gateways: &Gateways,
    moment: Moment<'_>,
) -> Result<StepOutcome, Refusal> {
    let step = &*shares::allotted(books, step)?;
    let context = &step.call.context;
    let origin = Origin::step(&context.saga_id, &context.step);
    if let Deed::AuthorisePayments(opening) = &step.deed {
        if books.accounts.contains(key) {
            let refusal = Refusal::new(Reason::StateConflict, "the order has an account already");
            return Err(refusal.detail("order_id", &key.1));
        }
        for tender in &opening.tenders {
            gateways.check(&tender.gateway)?;
        }
        for paid in opening.external_payments.iter().filter(|paid| paid.is_read_first()) {
            gateways.check_read(&paid.gateway)?;
        }
        let (account, outcome) = Account::place(opening, &origin, moment)?;
        adoptions::take_attested(books, &context.tenant, &account, gateways)?;
        books.accounts.insert(key.clone(), account);
        return Ok(outcome);
    }
    books
        .accounts
        .update(key, |account| on_account(account, step, &origin, gateways, moment))
        .unwrap_or_else(|| Err(no_account(key)))
}

fn on_account(
    account: &mut Account,
    step: &Step,
    origin: &Origin,
    gateways: &Gateways,
    moment: Moment<'_>,
) -> Result<StepOutcome, Refusal> {
    let context = &step.call.context;
    match &step.deed {
        Deed::AuthorisePayments(_) => {
            unreachable!("perform opens accounts; it is the one deed that wants none to be there")
        }
        Deed::ReopenPayments { opening, change_order_id } => {
            for tender in &opening.tenders {
                gateways.check(&tender.gateway)?;
            }
            account.reopen(opening, change_order_id, origin, moment)
        }
        Deed::VoidAuthorisations => {
            account.abandon(origin, moment);
            Ok(StepOutcome::Applied(StepReply::default()))
        }
        Deed::CapturePayments => Ok(account.capture_tenders(origin, moment)),
        Deed::ReserveRefund { change_order_id, target_minor, move_no_money, worth_version, terms } => {
            let wanted = Reservation {
                saga_id: context.saga_id.clone(),
                step: context.step.clone(),
                change_order_id: change_order_id.clone(),
                target_minor: *target_minor,
                move_no_money: *move_no_money,
                worth_version: *worth_version,
                terms: terms.clone(),
            };
            account.reserve(&wanted, moment)
        }
        Deed::ReleaseRefund => account.release(&context.saga_id, moment),
        Deed::SettleRefund { by_hand } => {
            account.settle(&context.saga_id, &context.step, by_hand.as_ref(), moment)
        }
    }
}

fn replay(row: &LedgerRow) -> Result<StepAnswer, storage::DbError> {
    Ok(match row.outcome {
        Outcome::Pending => StepAnswer::Pending,
        Outcome::Applied if row.nothing_to_do => nothing_to_do(),
        Outcome::Applied => StepAnswer::Applied(row.reply.clone()),
        Outcome::Rejected => StepAnswer::Refused(stored::decode_refusal(&row.reply)?),
        // The ledger refuses these itself; the arm keeps the match whole.
        Outcome::Tombstoned => {
            StepAnswer::Refused(Refusal::new(Reason::StepTombstoned, "the step was undone"))
        }
    })
}

fn nothing_to_do() -> StepAnswer {
    let reply = reply::Reply { nothing_to_do: true, ..reply::Reply::default() };
    StepAnswer::Applied(stored::encode(&reply))
}

pub fn no_account((_, order_id): &OrderKey) -> Refusal {
    Refusal::not_found("account", order_id)
}
