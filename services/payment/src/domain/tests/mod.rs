//! The rules as tables and properties.

mod adopting;
mod capturing;
mod disputing;
mod explaining;
mod internal;
mod mending;
mod observing;
mod owing;
mod paying_out;
mod placing;
mod refunding;
mod reopening;
mod splitting;
mod states;
mod strategies;

use std::sync::atomic::{AtomicI64, Ordering};

use types::{ChangeOrderId, Clock, Currency, Ids, OrderId, PaymentId, RefundId, Timestamp};

use super::gateway::{Answer, Subject, Task};
use super::{
    Account, Ended, Ending, ExternalPayment, Moment, Opening, Origin, Reply, Reservation, StepOutcome,
    Tender, Terms, Timing,
};

/// A world that stands still, with ids that are the same in every run.
struct World {
    ids: Ids,
    timing: Timing,
}

impl World {
    fn new() -> Self {
        let clock = Clock::manual(Timestamp::parse("2026-11-21T22:00:00.000000Z").unwrap());
        let timing = Timing {
            claim: 15_000_000,
            unknown: vec![5_000_000, 30_000_000],
            pending: vec![60_000_000, 3_600_000_000],
            attention_after: 2,
        };
        Self { ids: Ids::seeded(clock, 7), timing }
    }

    fn moment(&self) -> Moment<'_> {
        let now = Timestamp::parse("2026-11-21T22:00:00.000000Z").unwrap();
        Moment { now, db_now: 1_000_000_000, ids: &self.ids, timing: &self.timing }
    }

    fn tender(&self, amount_minor: i64) -> Tender {
        Tender {
            payment_id: self.ids.mint(),
            gateway: "sandbox".to_owned(),
            token: "tok_approve".to_owned(),
            amount_minor,
            capture_now: true,
            part: None,
        }
    }

    fn opening(&self, tenders: Vec<Tender>) -> Opening {
        let total_minor = tenders.iter().map(|tender| tender.amount_minor).sum();
        Opening {
            order_id: self.ids.mint::<OrderId>(),
            currency: Currency::parse("GBP").unwrap(),
            total_minor,
            tenders,
            external_payments: Vec::new(),
            pay_later: false,
            worth_version: 1,
        }
    }

    fn external(&self, captured_minor: i64) -> ExternalPayment {
        ExternalPayment {
            payment_id: self.ids.mint(),
            gateway: "bank".to_owned(),
            reference: "INV-536365".to_owned(),
            authorised_minor: captured_minor,
            captured_minor,
            attested: true,
        }
    }

    fn place(&self, opening: &Opening) -> (Account, StepOutcome) {
        Account::place(opening, &placing(), self.moment()).unwrap()
    }

    /// An account whose tenders are all captured.
    fn captured(&self, amounts: &[i64]) -> Account {
        let mut account = self.authorised(amounts);
        account.capture_tenders(&Origin::step("sag_place", "capture_payments"), self.moment());
        self.answer_all(&mut account, &done());
        account
    }

    /// An account whose tenders are all authorised.
    fn authorised(&self, amounts: &[i64]) -> Account {
        let tenders = amounts.iter().map(|amount| self.tender(*amount)).collect();
        let (mut account, _) = self.place(&self.opening(tenders));
        self.answer_all(&mut account, &done());
        account
    }

    /// Gives every open task the same answer, and returns the steps that ended.
    fn answer_all(&self, account: &mut Account, answer: &Answer) -> Vec<Ended> {
        let tasks = std::mem::take(&mut account.unsaved.tasks);
        tasks.iter().flat_map(|task| self.answer(account, task, answer)).collect()
    }

    fn answer(&self, account: &mut Account, task: &Task, answer: &Answer) -> Vec<Ended> {
        let taken = match &task.subject {
            Subject::Payment(id) => account.authorisation_answered(id, answer, self.moment()),
            Subject::Capture(id) => account.capture_answered(id, answer, self.moment()),
            Subject::Refund(id) => account.refund_answered(id, answer, self.moment()),
        };
        taken.unwrap_or_default()
    }

    fn reserve(&self, account: &mut Account, saga: &str, target_minor: i64) -> Reply {
        let wanted = self.reservation(saga, target_minor);
        applied(account.reserve(&wanted, self.moment()).unwrap())
    }

    fn reservation(&self, saga: &str, target_minor: i64) -> Reservation {
        Reservation {
            saga_id: saga.to_owned(),
            step: "reserve_refund".to_owned(),
            change_order_id: self.ids.mint::<ChangeOrderId>(),
            target_minor,
            move_no_money: false,
            worth_version: next_worth(),
            terms: Terms::default(),
        }
    }
}

/// The next decision of an order; every one is later than those before.
fn next_worth() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(1);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

fn placing() -> Origin {
    Origin::step("sag_place", "authorise_payments")
}

fn done() -> Answer {
    Answer::Done { reference: "ref".to_owned() }
}

fn declined() -> Answer {
    Answer::Declined { detail: "no".to_owned() }
}

fn pending() -> Answer {
    Answer::Pending { reference: "ref".to_owned(), detail: "wait".to_owned() }
}

fn lost() -> Answer {
    Answer::Unknown { detail: "silence".to_owned() }
}

fn applied(outcome: StepOutcome) -> Reply {
    match outcome {
        StepOutcome::Applied(reply) => reply,
        StepOutcome::Pending => panic!("the step is pending"),
    }
}

fn amounts(reply: &Reply) -> Vec<i64> {
    reply.legs.iter().map(|leg| leg.amount_minor).collect()
}

fn ended_well(ended: &[Ended]) -> Reply {
    match ended {
        [Ended { ending: Ending::Applied(reply), .. }] => reply.clone(),
        other => panic!("one step should have ended well: {other:?}"),
    }
}

fn payment_ids(account: &Account) -> Vec<PaymentId> {
    let mut payments: Vec<_> = account.payments.values().collect();
    payments.sort_by_key(|payment| payment.line_no);
    payments.into_iter().map(|payment| payment.payment_id.clone()).collect()
}

fn refund_ids(account: &Account) -> Vec<RefundId> {
    account.refunds.keys().cloned().collect()
}

/// Both sides of the book are equal, and a gateway's side is what it captured less what it gave back.
fn assert_books_balance(account: &Account) {
    let entries = account.unsaved.movements.iter().flat_map(|(_, movement)| movement.entries());
    let (mut debit, mut credit) = (0, 0);
    let mut gateways = std::collections::BTreeMap::<String, i64>::new();
    for entry in entries {
        debit += entry.debit_minor;
        credit += entry.credit_minor;
        if entry.account.starts_with("gateway:") {
            *gateways.entry(entry.account).or_default() += entry.debit_minor - entry.credit_minor;
        }
    }
    assert_eq!(debit, credit);
    let gateways_own =
        account.payments.values().filter(|payment| payment.kind == super::payment::Kind::Gateway);
    for payment in gateways_own {
        let given_back: i64 = account
            .refunds
            .values()
            .filter(|refund| refund.payment_id == payment.payment_id)
            .filter(|refund| {
                refund.kind == super::refund::Kind::Refund
                    && refund.method == super::refund::Method::Tender
                    && matches!(
                        refund.state,
                        super::refund::State::Succeeded | super::refund::State::External
                    )
            })
            .map(|refund| refund.amount_minor)
            .sum();
        let held = gateways.get(&format!("gateway:{}", payment.payment_id)).copied().unwrap_or_default();
        assert_eq!(held, payment.captured_minor - given_back, "{}", payment.payment_id);
    }
}
