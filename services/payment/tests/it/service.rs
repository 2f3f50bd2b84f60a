//! The service without its listeners, on a database of its own, with clocks that stand still.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use payment::domain::gateway::{Answer, Holding, Reading, Task};
use payment::domain::{Account, ExternalPayment, Opening, Tender, Terms, Timing};
use payment::ops::batch::{PaymentBatch, TASKS};
use payment::ops::cashier::Cashier;
use payment::ops::command::{Command, Deed, Observed, Report, Step, StepAnswer};
use payment::ops::resend::Resend;
use payment::ops::waiters::Waiters;
use payment::ops::worker::{Patience, Worker};
use payment::ports::sandbox::{self, Delays, Effect, Sandbox};
use payment::store::{MIGRATIONS, account};
use payment::wire as reply;
use proto::payment::v1 as wire;
use storage::{Database, Direction, Statement, StepCall, StepContext, Writer, testing};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{
    ChangeOrderId, Clock, Currency, Fingerprint, Ids, OrderId, PaymentId, Reason, Refusal, Tenant, Timestamp,
};

/// What a test waits for at most; far more than it ever takes.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Service {
    pub database: Database,
    pub sandbox: Sandbox,
    pub cashier: Cashier,
    pub clock: Clock,
    pub ids: Ids,
    writer: Writer<PaymentBatch>,
    tasks: Option<mpsc::Receiver<(Tenant, Task)>>,
}

/// A worker that runs until this is dropped, which kills it where it stands.
pub struct Working {
    task: JoinHandle<()>,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One service on each engine there is.
pub async fn on_each_engine(name: &str) -> Vec<Service> {
    let ours = testing::databases(name).await;
    let theirs = testing::databases(&format!("{name}_gw")).await;
    let mut services = Vec::new();
    for (database, gateway) in ours.into_iter().zip(theirs) {
        database.migrate("payment", MIGRATIONS).await.unwrap();
        gateway.migrate(sandbox::NAME, sandbox::MIGRATIONS).await.unwrap();
        services.push(Service::start(database, gateway));
    }
    services
}

impl Service {
    fn start(database: Database, gateway: Database) -> Self {
        let clock = Clock::manual(Timestamp::parse("2026-11-21T22:00:00.000000Z").unwrap());
        let delays = Delays { late: Duration::from_mins(1), fail_after: Duration::from_mins(1) };
        let sandbox = Sandbox::start(gateway, clock.clone(), delays);
        Self::of(database, sandbox, clock)
    }

    fn of(database: Database, sandbox: Sandbox, clock: Clock) -> Self {
        let waiters = Waiters::default();
        let (sender, tasks) = mpsc::channel(TASKS);
        let ids = Ids::random(clock.clone());
        let batch = PaymentBatch {
            clock: clock.clone(),
            ids: ids.clone(),
            timing: Timing {
                claim: 1_000_000,
                unknown: vec![10_000],
                pending: vec![3_600_000_000],
                attention_after: 3,
            },
            gateways: sandbox.clone().into(),
            waiters: waiters.clone(),
            tasks: sender,
            relay: Arc::new(OnceLock::new()),
        };
        let writer = Writer::start(database.clone(), Arc::new(batch));
        let cashier = Cashier { writer: writer.clone(), waiters, patience: PATIENCE };
        Self { database, sandbox, cashier, clock, ids, writer, tasks: Some(tasks) }
    }

    /// Another process on the same databases.
    pub fn replica(&self) -> Self {
        Self::of(self.database.clone(), self.sandbox.clone(), self.clock.clone())
    }

    /// Nobody waits for a gateway: pending is answered at once.
    pub fn impatient(&mut self) {
        self.cashier.patience = Duration::ZERO;
    }

    pub fn worker(&self) -> Worker {
        Worker {
            database: self.database.clone(),
            gateway: self.sandbox.clone().into(),
            writer: self.writer.clone(),
            patience: Patience {
                call: Duration::from_millis(300),
                poll: Duration::from_millis(10),
                claim_micros: 1_000_000,
                concurrency: 256,
            },
            resend: Resend::new(self.clock.clone()),
        }
    }

    /// Starts the worker. Tasks that were committed before and never taken are its too, as they are
    /// when the queue of a process still holds them.
    pub fn work(&mut self) -> Working {
        let tasks = self.tasks.take().unwrap_or_else(|| mpsc::channel(1).1);
        self.start_worker(tasks)
    }

    /// Starts the worker of another process: it knows of no task but from the database.
    pub fn work_elsewhere(&mut self) -> Working {
        drop(self.tasks.take());
        testing::advance_clock(&self.database, Duration::from_secs(2));
        self.start_worker(mpsc::channel(1).1)
    }

    fn start_worker(&self, tasks: mpsc::Receiver<(Tenant, Task)>) -> Working {
        let worker = self.worker();
        Working { task: tokio::spawn(worker.run(tasks, CancellationToken::new())) }
    }

    /// The tasks that were committed and not taken by any worker.
    pub fn take_tasks(&mut self) -> Vec<Task> {
        let tasks = self.tasks.as_mut().expect("no worker has taken the queue");
        std::iter::from_fn(|| tasks.try_recv().ok()).map(|(_, task)| task).collect()
    }

    pub async fn step(
        &self,
        saga: &str,
        name: &str,
        direction: Direction,
        order: &OrderId,
        deed: Deed,
    ) -> StepAnswer {
        self.step_at_epoch(1, saga, name, direction, order, deed).await
    }

    pub async fn step_at_epoch(
        &self,
        epoch: i64,
        saga: &str,
        name: &str,
        direction: Direction,
        order: &OrderId,
        deed: Deed,
    ) -> StepAnswer {
        let completes = match &deed {
            Deed::CapturePayments => Some("authorise_payments"),
            Deed::SettleRefund { .. } => Some("reserve_refund"),
            _ => None,
        };
        let context = StepContext {
            tenant: Tenant::DEFAULT,
            saga_id: saga.to_owned(),
            step: name.to_owned(),
            direction,
            epoch,
            attempt: 1,
        };
        let request_hash = Fingerprint::of(&[format!("{deed:?}").as_bytes()]);
        let call = StepCall { context, request_hash, completes };
        self.cashier.run_step(Step { call, order_id: order.clone(), deed }).await.unwrap()
    }

    pub fn opening(&self, tenders: &[(&str, i64)]) -> Opening {
        Opening {
            order_id: self.ids.mint(),
            currency: Currency::parse("GBP").unwrap(),
            total_minor: tenders.iter().map(|(_, amount)| amount).sum(),
            tenders: tenders
                .iter()
                .map(|(token, amount_minor)| Tender {
                    payment_id: self.ids.mint(),
                    gateway: "sandbox".to_owned(),
                    token: (*token).to_owned(),
                    amount_minor: *amount_minor,
                    capture_now: true,
                    part: None,
                })
                .collect(),
            external_payments: Vec::new(),
            pay_later: false,
            worth_version: 1,
        }
    }

    /// An order with one captured payment that was made elsewhere; needs no gateway.
    pub async fn paid_elsewhere(&self, reference: &str, amount: i64) -> OrderId {
        let mut opening = self.opening(&[]);
        opening.total_minor = amount;
        opening.external_payments.push(ExternalPayment {
            payment_id: self.ids.mint::<PaymentId>(),
            gateway: "bank".to_owned(),
            reference: reference.to_owned(),
            authorised_minor: amount,
            captured_minor: amount,
            attested: true,
        });
        let order = opening.order_id.clone();
        let saga = self.saga();
        let payment_id = opening.external_payments[0].payment_id.clone();
        let deed = Deed::AuthorisePayments(opening);
        applied(&self.step(&saga, "authorise_payments", Direction::Do, &order, deed).await);
        self.shown(&saga, &order, &payment_id, reference, amount).await;
        order
    }

    /// As if the payment had been read at its gateway.
    pub async fn shown(
        &self,
        saga: &str,
        order: &OrderId,
        payment_id: &PaymentId,
        reference: &str,
        amount: i64,
    ) {
        let holding = Holding {
            reference: reference.to_owned(),
            currency: Currency::parse("GBP").unwrap(),
            captured_minor: amount,
            open_minor: 0,
            refunded_minor: 0,
            tenant: None,
            order_id: None,
        };
        let report = Report::Read { gateway: "bank".to_owned(), reading: Reading::Holds(holding) };
        let observed = Observed {
            tenant: Tenant::DEFAULT,
            order_id: order.clone(),
            payment_id: payment_id.clone(),
            saga_ids: vec![saga.to_owned()],
            report,
        };
        self.cashier.writer.submit(Command::Observed(observed)).await.unwrap();
    }

    pub async fn authorise(&self, saga: &str, opening: &Opening) -> StepAnswer {
        let deed = Deed::AuthorisePayments(opening.clone());
        self.step(saga, "authorise_payments", Direction::Do, &opening.order_id, deed).await
    }

    pub async fn void(&self, saga: &str, order: &OrderId) -> StepAnswer {
        self.step(saga, "authorise_payments", Direction::Undo, order, Deed::VoidAuthorisations).await
    }

    pub async fn capture(&self, saga: &str, order: &OrderId) -> StepAnswer {
        self.step(saga, "capture_payments", Direction::Do, order, Deed::CapturePayments).await
    }

    pub async fn reserve(&self, saga: &str, order: &OrderId, target_minor: i64) -> StepAnswer {
        let deed = self.reservation(target_minor);
        self.step(saga, "reserve_refund", Direction::Do, order, deed).await
    }

    pub fn reservation(&self, target_minor: i64) -> Deed {
        let change_order_id = self.ids.mint::<ChangeOrderId>();
        Deed::ReserveRefund {
            change_order_id,
            target_minor,
            move_no_money: false,
            worth_version: next_worth(),
            terms: Terms::default(),
        }
    }

    pub async fn release(&self, saga: &str, order: &OrderId) -> StepAnswer {
        self.step(saga, "reserve_refund", Direction::Undo, order, Deed::ReleaseRefund).await
    }

    pub async fn settle(&self, saga: &str, order: &OrderId) -> StepAnswer {
        self.step(saga, "settle_refund", Direction::Do, order, Deed::SettleRefund { by_hand: None }).await
    }

    /// Asks until the pending step has ended.
    pub async fn settled(&self, saga: &str, order: &OrderId) -> wire::RefundReply {
        let found = poll(async || match self.settle(saga, order).await {
            StepAnswer::Pending => None,
            answer => Some(answer),
        })
        .await;
        applied(&found)
    }

    pub fn saga(&self) -> String {
        self.ids.mint::<types::SagaId>().to_string()
    }

    pub async fn account(&self, order: &OrderId) -> Account {
        let mut tx = self.database.read().await.unwrap();
        let orders = [(Tenant::DEFAULT, order.clone())].into();
        account::read(&mut tx, &orders).await.unwrap().pop_first().expect("the order has an account").1
    }

    pub async fn effects(&self) -> Vec<Effect> {
        self.sandbox.effects(&Tenant::DEFAULT, "", 1_000).await.unwrap()
    }

    /// The events of one kind in the outbox.
    pub async fn count_events(&self, kind: &str) -> i64 {
        static COUNT: Statement = Statement::new(
            "test.count_events",
            "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM outbox WHERE type = $1",
        );
        let mut tx = self.database.read().await.unwrap();
        let kind = format!("countermand.events.v1.{kind}");
        tx.fetch_one(&COUNT, storage::values![&kind]).await.unwrap().int("n").unwrap()
    }

    /// Debits and credits of the order's double-entry book.
    pub async fn ledger_sums(&self, order: &OrderId) -> (i64, i64, i64) {
        static SUMS: Statement = Statement::new(
            "test.ledger_sums",
            "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COALESCE(SUM(debit_minor), 0) AS BIGINT) AS debit,
                    CAST(COALESCE(SUM(credit_minor), 0) AS BIGINT) AS credit
               FROM money_ledger WHERE order_id = $1",
        );
        let mut tx = self.database.read().await.unwrap();
        let row = tx.fetch_one(&SUMS, storage::values![order]).await.unwrap();
        (row.int("n").unwrap(), row.int("debit").unwrap(), row.int("credit").unwrap())
    }
}

/// Polls until there is something; a test that waits too long has failed.
pub async fn poll<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let work = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("what the test waits for should have come")
}

pub fn applied(answer: &StepAnswer) -> wire::RefundReply {
    match answer {
        StepAnswer::Applied(bytes) => reply::decode(bytes).unwrap(),
        other => panic!("the step should be applied: {other:?}"),
    }
}

pub fn refused(answer: &StepAnswer) -> Refusal {
    match answer {
        StepAnswer::Refused(refusal) => refusal.clone(),
        other => panic!("the step should be refused: {other:?}"),
    }
}

pub fn reason(answer: &StepAnswer) -> Reason {
    refused(answer).reason
}

/// The answer the sandbox's adapter gives for a task, in time or not.
pub async fn call_and_forget(sandbox: &Sandbox, task: &Task) -> Option<Answer> {
    tokio::time::timeout(Duration::from_millis(300), sandbox.call(&Tenant::DEFAULT, task)).await.ok()
}

/// The next decision of an order; every one is later than those before.
pub fn next_worth() -> i64 {
    static LAST: AtomicI64 = AtomicI64::new(1);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}
