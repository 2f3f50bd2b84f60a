//! One contract for every gateway adapter. What a gateway, or the fake that plays it, cannot show is
//! said by [`Capabilities`] and [`Shows`], and nowhere else: no law asks for an adapter's name.

mod charges;
mod fakes;
mod laws;
mod proxy;
mod suites;

use payment::domain::gateway::{Answer, Effect, FoundRefund, Statement, Subject as Row, Task};
use payment::ports::gateway::Gateway;
use types::{CaptureId, Clock, Currency, Ids, PaymentId, RefundId, Tenant};

/// What the other side is able to show; a fake falls short of the gateway it plays.
#[derive(Debug, Clone, Copy)]
pub struct Shows {
    /// A key that comes again makes no second effect.
    pub keys: bool,
    /// More than was captured is refused. The sandbox gives it on purpose, so that a hole in our own
    /// cap shows.
    pub cap: bool,
    /// Authorisations can be looked for by our id.
    pub search: bool,
}

/// One adapter with its other side.
pub struct Subject {
    pub gateway: Gateway,
    pub shows: Shows,
    /// A card that pays.
    pub card: String,
    /// A card that does not.
    pub empty_card: String,
    pub faults: Option<proxy::Faults>,
    ids: Ids,
}

/// A payment as the contract makes it: authorised for 1,000, captured for less.
pub struct Paid {
    pub payment_id: PaymentId,
    pub authorisation: String,
}

impl Subject {
    pub fn new(gateway: Gateway, shows: Shows, cards: [&str; 2]) -> Self {
        let [card, empty_card] = cards.map(str::to_owned);
        Self { gateway, shows, card, empty_card, faults: None, ids: Ids::random(Clock::System) }
    }

    pub fn task(&self, effect: Effect, subject: Row, paid: &Paid, amount_minor: i64) -> Task {
        Task {
            order_id: self.ids.mint(),
            subject,
            asked_at: Clock::System.now(),
            saga_id: None,
            effect,
            currency: Currency::parse("GBP").unwrap(),
            amount_minor,
            payment_id: paid.payment_id.clone(),
            gateway: "subject".to_owned(),
            token: self.card.clone(),
            authorisation: paid.authorisation.clone(),
        }
    }

    pub fn authorise_task(&self, card: &str) -> Task {
        let payment_id: PaymentId = self.ids.mint();
        let paid = Paid { payment_id: payment_id.clone(), authorisation: String::new() };
        let mut task = self.task(Effect::Authorise, Row::Payment(payment_id), &paid, 1_000);
        card.clone_into(&mut task.token);
        task
    }

    pub fn capture_task(&self, paid: &Paid, amount_minor: i64) -> Task {
        self.task(Effect::Capture, Row::Capture(self.ids.mint::<CaptureId>()), paid, amount_minor)
    }

    pub fn refund_task(&self, paid: &Paid, amount_minor: i64) -> Task {
        self.task(Effect::Refund, Row::Refund(self.ids.mint::<RefundId>()), paid, amount_minor)
    }

    pub fn void_task(&self, paid: &Paid) -> Task {
        self.task(Effect::Void, Row::Refund(self.ids.mint::<RefundId>()), paid, 1_000)
    }

    pub async fn call(&self, task: &Task) -> Answer {
        self.gateway.call(&Tenant::DEFAULT, task).await
    }

    pub async fn query(&self, task: &Task) -> Option<Answer> {
        self.gateway.query(&Tenant::DEFAULT, task).await
    }

    pub async fn statement(&self, paid: &Paid) -> Statement {
        let task = self.refund_task(paid, 1);
        self.gateway.statement(&Tenant::DEFAULT, &task).await.unwrap()
    }

    /// The refunds in the gateway's own book that were made with this task's key.
    pub async fn made_by(&self, task: &Task, paid: &Paid) -> Vec<FoundRefund> {
        let mut refunds = self.statement(paid).await.refunds;
        refunds.retain(|refund| refund.refund_id.as_ref().map(RefundId::as_str) == Some(task.subject.key()));
        refunds
    }

    pub async fn authorised(&self) -> Paid {
        let task = self.authorise_task(&self.card);
        let authorisation = done(&self.call(&task).await);
        Paid { payment_id: task.payment_id, authorisation }
    }

    pub async fn captured(&self, amount_minor: i64) -> Paid {
        let paid = self.authorised().await;
        done(&self.call(&self.capture_task(&paid, amount_minor)).await);
        paid
    }
}

/// The reference of an effect that was made.
pub fn done(answer: &Answer) -> String {
    match answer {
        Answer::Done { reference } => reference.clone(),
        other => panic!("it should have been done: {other:?}"),
    }
}

pub fn is_no(answer: &Answer) -> bool {
    matches!(answer, Answer::Declined { detail } if !detail.is_empty())
}

pub fn is_open(answer: &Answer) -> bool {
    matches!(answer, Answer::Unknown { detail } if !detail.is_empty())
}
