use storage::{
    Admission, Database, DbError, Direction, Outcome, Overlay, Rows, Statement, StepCall, StepLedger, Tx,
    values,
};
use types::{Clock, Reason, Tenant, Timestamp};

use crate::ledger_model::{ALPHABET, Model, Op, Said, call};
use crate::world::{MOVE, T, on_hand, shops, stock_up};

/// What every participant does with an admission.
fn serve(ledger: &mut StepLedger, call: &StepCall, business: Outcome, at: Timestamp) -> Said {
    ledger.mark();
    match ledger.admit(call, at) {
        Admission::Run => {
            let outcome = match call.context.direction {
                Direction::Do => business,
                Direction::Undo => Outcome::Applied,
            };
            if outcome == Outcome::Rejected {
                ledger.rollback();
            }
            ledger.record(call, outcome, vec![call.context.epoch.to_le_bytes()[0]], at);
            Said::Ran(outcome)
        }
        Admission::Replay(row) => Said::Repeated(row.outcome, row.nothing_to_do),
        Admission::Refused(refusal) => Said::Refused(refusal.reason),
        Admission::UndoNothing => Said::NothingToDo,
        Admission::UndoPending => {
            ledger.record(call, Outcome::Applied, Vec::new(), at);
            Said::UndidPending
        }
    }
}

/// The call at `position` of the sequence with number `n`. The first body may be called 1 without losing a case.
fn nth(n: usize, position: u32) -> Op {
    let op = ALPHABET[n / 8_usize.pow(position) % 8];
    if position == 0 { Op { body: 1, ..op } } else { op }
}

/// Every sequence of the alphabet is one saga; each round serves one call of each saga in one batch.
async fn all_sequences(database: &Database, length: u32, business: Outcome, round: &str) {
    let at = Clock::System.now();
    let numbers: Vec<usize> = (0..8_usize.pow(length)).filter(|n| ALPHABET[n % 8].body == 1).collect();
    for chunk in numbers.chunks(4_096) {
        let sagas: Vec<String> = chunk.iter().map(|n| format!("{round}{n:06}")).collect();
        let keys: Vec<(Tenant, String)> =
            sagas.iter().map(|saga| (Tenant::default(), saga.clone())).collect();
        let mut models = vec![Model::default(); chunk.len()];
        for position in 0..length {
            let mut tx = database.begin().await.expect("the database answers");
            let mut ledger = StepLedger::load(&mut tx, &keys).await.expect("the ledger loads");
            for ((n, saga), model) in chunk.iter().zip(&sagas).zip(&mut models) {
                let op = nth(*n, position);
                let said = serve(&mut ledger, &call(saga, op), business, at);
                let expected = model.step(op, business);
                assert_eq!(said, expected, "saga {n}, call {position}: {op:?}, business {business:?}");
            }
            ledger.flush(&mut tx).await.expect("the ledger is written");
            tx.commit().await.expect("it commits");
        }
        compare(database, &sagas, &models).await;
    }
}

async fn compare(database: &Database, sagas: &[String], models: &[Model]) {
    let keys: Vec<(Tenant, String)> = sagas.iter().map(|saga| (Tenant::default(), saga.clone())).collect();
    let mut tx = database.begin().await.expect("the database answers");
    let ledger = StepLedger::load(&mut tx, &keys).await.expect("the ledger loads");
    for (saga, model) in sagas.iter().zip(models) {
        let row = |direction| ledger.row(&Tenant::default(), saga, "hold", direction);
        assert_eq!(row(Direction::Do).map(|row| row.outcome), model.done.map(|(_, outcome)| outcome));
        assert_eq!(
            row(Direction::Undo).map(|row| row.nothing_to_do),
            model.undone.map(|(_, nothing)| nothing)
        );
    }
}

#[tokio::test]
async fn every_sequence_of_five_calls_is_answered_as_the_plain_model_says() {
    for database in shops("ledger_applied").await {
        all_sequences(&database, 5, Outcome::Applied, "a").await;
    }
}

#[tokio::test]
async fn every_sequence_around_a_rejected_step_is_answered_as_the_plain_model_says() {
    for database in shops("ledger_rejected").await {
        all_sequences(&database, 5, Outcome::Rejected, "r").await;
    }
}

#[tokio::test]
async fn every_sequence_around_a_pending_step_is_answered_as_the_plain_model_says() {
    for database in shops("ledger_pending").await {
        all_sequences(&database, 5, Outcome::Pending, "p").await;
    }
}

/// All calls in one batch, so that each is decided on the overlay of the ones before.
#[tokio::test]
async fn a_batch_decides_each_call_on_those_before_it() {
    let at = Clock::System.now();
    for database in shops("ledger_batch").await {
        for business in [Outcome::Applied, Outcome::Rejected, Outcome::Pending] {
            let sagas: Vec<String> = (0..512).map(|n| format!("{}{n}", business.as_str())).collect();
            let keys: Vec<(Tenant, String)> =
                sagas.iter().map(|saga| (Tenant::default(), saga.clone())).collect();
            let mut models = vec![Model::default(); sagas.len()];
            let mut tx = database.begin().await.unwrap();
            let mut ledger = StepLedger::load(&mut tx, &keys).await.unwrap();
            for position in 0..3 {
                for (n, saga) in sagas.iter().enumerate() {
                    let op = nth(n, position);
                    let said = serve(&mut ledger, &call(saga, op), business, at);
                    assert_eq!(said, models[n].step(op, business));
                }
            }
            ledger.flush(&mut tx).await.unwrap();
            tx.commit().await.unwrap();
            compare(&database, &sagas, &models).await;
        }
    }
}

const DO: Op = Op { direction: Direction::Do, epoch: 1, body: 1 };
const UNDO: Op = Op { direction: Direction::Undo, epoch: 1, body: 1 };

/// Loads one saga's ledger, works on it, writes it.
async fn with_ledger<R>(
    database: &Database,
    saga: &str,
    work: impl AsyncFn(&mut Tx, &mut StepLedger) -> Result<R, DbError>,
) -> Result<R, DbError> {
    let mut tx = database.begin().await?;
    let mut ledger = StepLedger::load(&mut tx, &[(Tenant::default(), saga.to_owned())]).await?;
    let result = work(&mut tx, &mut ledger).await?;
    ledger.flush(&mut tx).await?;
    tx.commit().await?;
    Ok(result)
}

#[tokio::test]
async fn a_pending_step_ends_once_and_never_after_its_undo() {
    let at = Clock::System.now();
    let tenant = Tenant::default();
    for database in shops("ledger_settle").await {
        let settle = async |saga: &str, outcome: Outcome, reply: &[u8]| {
            let reply = reply.to_vec();
            with_ledger(&database, saga, async |_, ledger| {
                Ok(ledger.settle(&tenant, saga, "hold", outcome, reply.clone()))
            })
            .await
            .expect("the database answers")
        };
        let served = async |saga: &str, op: Op| {
            with_ledger(&database, saga, async |_, ledger| {
                Ok(serve(ledger, &call(saga, op), Outcome::Pending, at))
            })
            .await
            .expect("the database answers")
        };

        assert!(!settle("one", Outcome::Applied, b"nothing is there").await);
        assert_eq!(served("one", DO).await, Said::Ran(Outcome::Pending));
        assert_eq!(served("one", DO).await, Said::Repeated(Outcome::Pending, false));
        assert!(settle("one", Outcome::Applied, b"done").await);
        assert!(!settle("one", Outcome::Rejected, b"changed its mind").await);
        assert_eq!(served("one", DO).await, Said::Repeated(Outcome::Applied, false));
        let reply = with_ledger(&database, "one", async |_, ledger| {
            Ok(ledger.row(&tenant, "one", "hold", Direction::Do).map(|row| row.reply.clone()))
        });
        assert_eq!(reply.await.unwrap().as_deref(), Some(&b"done"[..]));
        assert_eq!(served("one", UNDO).await, Said::Ran(Outcome::Applied));

        assert_eq!(served("two", DO).await, Said::Ran(Outcome::Pending));
        assert_eq!(served("two", UNDO).await, Said::UndidPending);
        assert!(!settle("two", Outcome::Applied, b"too late").await);
        assert_eq!(served("two", DO).await, Said::Refused(Reason::StepTombstoned));
    }
}

#[tokio::test]
async fn a_forward_step_needs_what_it_completes_and_forbids_its_undo() {
    let at = Clock::System.now();
    let release = |saga: &str| {
        let mut release = call(saga, DO);
        release.context.step = "release".to_owned();
        release.completes = Some("hold");
        release
    };
    for database in shops("ledger_completes").await {
        let run = async |saga: &str, call: StepCall, business: Outcome| {
            with_ledger(&database, saga, async |_, ledger| Ok(serve(ledger, &call, business, at)))
                .await
                .expect("the database answers")
        };
        let violation = Said::Refused(Reason::ProtocolViolation);

        assert_eq!(run("early", release("early"), Outcome::Applied).await, violation);
        assert_eq!(
            run("refused", call("refused", DO), Outcome::Rejected).await,
            Said::Ran(Outcome::Rejected)
        );
        assert_eq!(run("refused", release("refused"), Outcome::Applied).await, violation);
        assert_eq!(run("undone", call("undone", DO), Outcome::Applied).await, Said::Ran(Outcome::Applied));
        assert_eq!(run("undone", call("undone", UNDO), Outcome::Applied).await, Said::Ran(Outcome::Applied));
        assert_eq!(run("undone", release("undone"), Outcome::Applied).await, violation);
        assert_eq!(run("fine", call("fine", DO), Outcome::Applied).await, Said::Ran(Outcome::Applied));
        assert_eq!(run("fine", release("fine"), Outcome::Pending).await, Said::Ran(Outcome::Pending));
        assert_eq!(run("fine", call("fine", UNDO), Outcome::Applied).await, violation);
        let again = run("fine", release("fine"), Outcome::Applied).await;
        assert_eq!(again, Said::Repeated(Outcome::Pending, false));
    }
}

#[tokio::test]
async fn the_ledger_can_not_be_rewritten() {
    static REWRITE: Statement =
        Statement::new("test.rewrite", "UPDATE step_ledger SET outcome = $2 WHERE saga_id = $1");
    static FORGET: Statement = Statement::new("test.forget", "DELETE FROM step_ledger WHERE saga_id = $1");
    static LOWER: Statement =
        Statement::new("test.lower", "UPDATE saga_fence SET max_epoch = 0 WHERE saga_id = $1");
    let at = Clock::System.now();
    for database in shops("ledger_trigger").await {
        for (saga, business) in [("applied", Outcome::Applied), ("pending", Outcome::Pending)] {
            with_ledger(&database, saga, async |_, ledger| Ok(serve(ledger, &call(saga, DO), business, at)))
                .await
                .unwrap();
        }

        let forbidden = [
            (&REWRITE, values!["applied", "rejected"]),
            (&REWRITE, values!["applied", "pending"]),
            (&REWRITE, values!["pending", "pending"]),
            (&FORGET, values!["applied"]),
            (&LOWER, values!["applied"]),
        ];
        for (statement, values) in forbidden {
            let mut tx = database.begin().await.unwrap();
            let refused = tx.execute(statement, values.clone()).await;

            assert!(
                matches!(refused, Err(DbError::Check { .. })),
                "{} {values:?}: {refused:?}",
                statement.name()
            );
        }
    }
}

/// Many owners call do and undo of the same sagas at once. Whatever order they meet in: the effect is applied at most
/// once and, once the undo was answered, it is gone for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_do_and_undo_never_leave_an_effect_behind() {
    for database in shops("ledger_race").await {
        stock_up(&database, &[("tea", 1_000)]).await;
        let mut callers = Vec::new();
        for caller in 0..8_u32 {
            let database = database.clone();
            callers.push(tokio::spawn(async move {
                for turn in 0..60_u32 {
                    let saga = format!("saga{}", (turn * 7 + caller * 3) % 20);
                    let direction = if (turn + caller) % 3 == 0 { Direction::Undo } else { Direction::Do };
                    let epoch = i64::from((turn * 5 + caller) % 4) + 1;
                    let call = call(&saga, Op { direction, epoch, body: 1 });
                    hold_units(&database, &call).await.expect("no call fails");
                }
            }));
        }
        for caller in callers {
            caller.await.unwrap();
        }
        for n in 0..20 {
            let undo = call(&format!("saga{n}"), Op { direction: Direction::Undo, epoch: 9, body: 1 });
            hold_units(&database, &undo).await.unwrap();
            let late = call(&format!("saga{n}"), Op { direction: Direction::Do, epoch: 9, body: 1 });
            hold_units(&database, &late).await.unwrap();
        }

        assert_eq!(on_hand(&database, "tea").await, 1_000);
    }
}

/// A step with an effect: the do takes a unit, the undo brings it back.
async fn hold_units(database: &Database, call: &StepCall) -> Result<(), DbError> {
    static CHANGE: Statement = Statement::new(
        "test.change",
        "UPDATE stock SET on_hand = on_hand + $2 WHERE tenant_id = $1 AND sku = 'tea'",
    );
    let at = Clock::System.now();
    database
        .write("hold_units", |mut tx| async move {
            let context = &call.context;
            let saga = (context.tenant.clone(), context.saga_id.clone());
            let mut ledger = StepLedger::load(&mut tx, &[saga]).await?;
            if ledger.admit(call, at) == Admission::Run {
                let delta = match context.direction {
                    Direction::Do => -1,
                    Direction::Undo => 1,
                };
                let id = format!("{} {}", context.saga_id, context.direction.as_str());
                let rows: Rows = [values![id, "tea", delta]].into_iter().collect();
                // Its key makes an effect that is applied twice an error.
                tx.execute_exactly(&MOVE, values![T, rows], 1).await?;
                tx.execute_exactly(&CHANGE, values![T, delta], 1).await?;
                ledger.record(call, Outcome::Applied, Vec::new(), at);
            }
            ledger.flush(&mut tx).await?;
            Ok((tx, ()))
        })
        .await
}

#[tokio::test]
async fn tenants_do_not_meet() {
    let at = Clock::System.now();
    for database in shops("ledger_tenants").await {
        for tenant in ["one", "other"] {
            let mut call = call("saga", DO);
            call.context.tenant = Tenant::parse(tenant).unwrap();
            let mut tx = database.begin().await.unwrap();
            let key = (call.context.tenant.clone(), "saga".to_owned());
            let mut ledger = StepLedger::load(&mut tx, &[key]).await.unwrap();

            let said = serve(&mut ledger, &call, Outcome::Applied, at);
            ledger.flush(&mut tx).await.unwrap();
            tx.commit().await.unwrap();

            assert_eq!(said, Said::Ran(Outcome::Applied), "{tenant}");
        }
    }
}
