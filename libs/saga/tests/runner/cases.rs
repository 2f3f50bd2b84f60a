use std::time::Duration;

use saga::{AttentionChange, CauseKind, Limits, State, Version, Wake};
use storage::Direction::{Do, Undo};
use storage::{Statement, values};
use types::{Reason, Refusal};

use crate::owner::{Command, Reply};
use crate::participants::Act;
use crate::world::{World, brisk, story, worlds};

const HAPPY: [&str; 7] = [
    "hold do applied",
    "reserve do applied",
    "stop do applied",
    "decide do applied",
    "release do applied",
    "settle do applied",
    "finish do applied",
];

#[tokio::test]
async fn a_saga_runs_every_step_once_and_finishes() {
    for world in worlds("happy", brisk()).await {
        let worker = world.start_worker("worker-1");

        let key = world.accept(true).await;

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(story(&image.log), HAPPY);
        assert_eq!(image.row.epoch, 1, "a saga handed over starts without a claim");
        let at = |entry: usize| image.log.entries()[entry].at;
        assert_eq!((at(2), at(5)), (at(3), at(6)), "local steps ride in the commit before them");
        assert_eq!(image.row.decided_at, Some(at(3)));
        assert_eq!(facts(&world, &key.id).await, ["decided", "finished"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_refusal_takes_back_what_was_done_and_leaves_the_refused_step_alone() {
    for world in worlds("refusal", brisk()).await {
        world.ports.script("stop", Do, [Act::Refuse(Reason::ShippedFirst)]);
        let worker = world.start_worker("worker-1");

        let key = world.accept(false).await;

        let image = world.until_state(&key, State::Unwound).await;
        let told = [
            "hold do applied",
            "reserve do applied",
            "stop do rejected",
            "reserve undo applied",
            "hold undo applied",
            "unwound do applied",
        ];
        assert_eq!(story(&image.log), told);
        assert_eq!(image.row.unwind_cause.map(|cause| cause.reason), Some(Reason::ShippedFirst));
        assert!(world.ports.standing(key.id.as_str()).is_empty());
        assert_eq!(facts(&world, &key.id).await, ["unwound"]);
        worker.stop().await;
    }
}

#[tokio::test]
async fn an_unknown_answer_is_asked_again_until_it_is_known() {
    for world in worlds("unknown", brisk()).await {
        world.ports.script("reserve", Do, [Act::Silence, Act::LoseAnswer, Act::Silence, Act::Silence]);
        world.ports.script("settle", Do, vec![Act::LoseAnswer; 7]);
        let worker = world.start_worker("worker-1");

        let key = world.accept(true).await;

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(story(&image.log), HAPPY);
        assert_eq!(world.ports.seen(key.id.as_str(), "reserve", Do).len(), 5);
        assert_eq!(world.ports.seen(key.id.as_str(), "settle", Do).len(), 8);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_pending_step_parks_the_saga_until_its_signal() {
    let limits = Limits { first_delay: Duration::from_hours(1), ..Limits::default() };
    for world in worlds("pending", limits).await {
        world.ports.script("stop", Do, [Act::Pend]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        let parked = world.until_state(&key, State::Parked).await;
        assert_eq!(parked.row.lease_until, 0, "a parked saga is nobody's");

        let Reply::Woken(woken) = world.owner.submit(Command::Wake(key.clone())).await else { panic!() };

        assert_eq!(woken, Wake::Due);
        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(world.ports.seen(key.id.as_str(), "stop", Do).len(), 2);
        assert_eq!(image.log.entries().len(), HAPPY.len() + 1, "the pending entry stays in the log");
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_signal_that_overtakes_the_pending_answer_is_not_lost() {
    let limits = Limits { first_delay: Duration::from_hours(1), ..Limits::default() };
    for world in worlds("overtaken", limits).await {
        world.ports.script("hold", Do, [Act::Hang]);
        world.ports.script("reserve", Do, [Act::Pend]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;

        let Reply::Woken(woken) = world.owner.submit(Command::Wake(key.clone())).await else { panic!() };
        world.ports.open.notify_one();

        assert_eq!(woken, Wake::Remembered);
        world.until_state(&key, State::Completed).await;
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_crashed_workers_saga_is_taken_over_when_its_lease_ends() {
    for world in worlds("crash", brisk()).await {
        world.ports.script("reserve", Do, [Act::Hang]);
        let first = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;
        first.crash();
        let second = world.start_worker("worker-2");

        world.advance_clock(world.config.lease);

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(image.row.lease_owner, "worker-2");
        let epochs: Vec<_> =
            world.ports.seen(key.id.as_str(), "reserve", Do).iter().map(|seen| seen.epoch).collect();
        assert_eq!(epochs, [1, 2], "the new owner asks again, with a newer fence");
        assert_eq!(story(&image.log), HAPPY);
        second.stop().await;
    }
}

#[tokio::test]
async fn a_stopped_worker_gives_its_leases_up() {
    for world in worlds("stopped", brisk()).await {
        world.ports.script("reserve", Do, [Act::Hang]);
        let first = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;

        first.stop().await;

        let left = world.image(&key).await;
        assert_eq!((left.row.lease_until, left.row.epoch), (0, 1));
        let second = world.start_worker("worker-2");
        world.until_state(&key, State::Completed).await;
        second.stop().await;
    }
}

#[tokio::test]
async fn a_lease_is_renewed_while_a_call_is_out() {
    for mut world in worlds("renewal", brisk()).await {
        world.config.lease = Duration::from_millis(1_500);
        world.ports.script("stop", Do, [Act::Hang]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;
        let began = world.image(&key).await.row.lease_until;

        world.until(&key, |image| image.row.lease_until > began).await;
        world.ports.open.notify_one();

        world.until_state(&key, State::Completed).await;
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_writes_nothing() {
    for world in worlds("stale", brisk()).await {
        world.ports.script("reserve", Do, [Act::Hang]);
        let first = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;
        let claimed = world.image(&key).await.row.epoch + 1;
        world.advance_clock(world.config.lease);

        world.until(&key, |image| image.row.epoch == claimed).await;
        world.ports.open.notify_one();

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(story(&image.log), HAPPY);
        let fenced = image.log.entries().iter().skip(1).all(|entry| entry.epoch == claimed);
        assert!(fenced, "nothing after the claim was written under the old epoch");
        first.stop().await;
    }
}

#[tokio::test]
async fn a_stale_answer_drops_the_saga_without_a_word() {
    for world in worlds("stale_answer", brisk()).await {
        world.ports.script("reserve", Do, [Act::Stale]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.until(&key, |_| !world.ports.seen(key.id.as_str(), "reserve", Do).is_empty()).await;

        let left = world.image(&key).await;

        assert_eq!(story(&left.log), ["hold do applied"]);
        world.advance_clock(world.config.lease);
        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(image.row.epoch, 2);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_saga_turns_back_on_request_before_the_pivot_and_never_after() {
    for world in worlds("unwind", brisk()).await {
        world.ports.script("stop", Do, [Act::Hang]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        world.ports.hanging.notified().await;
        let withdrawn = Refusal::new(Reason::Withdrawn, "changed their mind");

        world.owner.done(Command::Unwind(key.clone(), withdrawn.clone())).await.unwrap();
        world.ports.open.notify_one();

        let image = world.until_state(&key, State::Unwound).await;
        assert_eq!(image.row.unwind_cause, Some(withdrawn.clone()));
        assert!(world.ports.standing(key.id.as_str()).is_empty(), "the step under way is taken back too");
        let decided = world.accept(true).await;
        world.until_state(&decided, State::Completed).await;
        let refused = world.owner.done(Command::Unwind(decided, withdrawn)).await.unwrap_err();
        assert_eq!(refused.reason, Reason::AlreadyDecided);
        worker.stop().await;
    }
}

#[tokio::test]
async fn an_unreadable_saga_stops_alone() {
    static BREAK: Statement = Statement::new(
        "test.break_log",
        "INSERT INTO saga_step (tenant_id, saga_id, seq, step, direction, outcome, nothing_to_do, reply, attempts,
                epoch, at)
         SELECT tenant_id, id, 2, 'hold', 'do', 'applied', 0, params, 1, 1, started_at FROM saga WHERE id = $1",
    );
    for world in worlds("unreadable", brisk()).await {
        let broken = world.accept(false).await;
        let id = broken.id.clone();
        let write = world.owner.database.write("test.break_log", |mut tx| {
            let id = id.clone();
            async move {
                tx.execute_exactly(&BREAK, values![&id], 1).await?;
                Ok((tx, ()))
            }
        });
        write.await.unwrap();
        let unknown = world.accept_version(false, Version(9)).await;
        let mut good = vec![];
        for _ in 0..5 {
            good.push(world.accept(false).await);
        }

        let worker = world.start_worker("worker-1");

        for key in &good {
            world.until_state(key, State::Completed).await;
        }
        let broken = world.until_state(&broken, State::NeedsAttention).await;
        let unknown = world.until_state(&unknown, State::NeedsAttention).await;
        assert_eq!(broken.row.attention.unwrap().kind, CauseKind::Unreadable);
        assert_eq!(unknown.row.attention.unwrap().kind, CauseKind::UnknownDefinition);
        assert_eq!(world.group.attention.lock().unwrap().len(), 2, "the owner is told of both");
        worker.stop().await;
    }
}

#[tokio::test]
async fn three_panics_stop_a_saga_and_a_retry_lets_it_go_on() {
    for world in worlds("panics", brisk()).await {
        world.ports.script("settle", Do, vec![Act::Panic; 3]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        let stopped = world.until_state(&key, State::NeedsAttention).await;
        assert_eq!(stopped.row.attention.map(|cause| cause.kind), Some(CauseKind::Panicking));
        assert!(stopped.log.applied("release"), "the step beside it was written");

        world.owner.done(Command::Retry(key.clone())).await.unwrap();

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(image.row.attention, None);
        worker.stop().await;
    }
}

#[tokio::test]
async fn a_refusal_after_the_pivot_asks_for_attention_until_it_is_resolved() {
    for world in worlds("resolved", brisk()).await {
        world.ports.script("release", Do, vec![Act::Refuse(Reason::ProtocolViolation); 10_000]);
        let worker = world.start_worker("worker-1");
        let key = world.accept(true).await;
        let refused = world.until(&key, |image| image.row.attention.is_some()).await;
        assert_eq!(refused.row.attention.map(|cause| cause.kind), Some(CauseKind::Refused));
        assert!(refused.log.applied("settle"), "a refused step holds up no other");

        world.owner.done(Command::Resolve(key.clone(), "release".to_owned())).await.unwrap();

        let image = world.until_state(&key, State::Completed).await;
        assert_eq!(image.log.reply("release"), Some(b"by hand".as_slice()));
        let opened = world.group.attention.lock().unwrap().clone();
        assert!(
            matches!(opened.as_slice(), [(_, AttentionChange::Opened(_))]),
            "one item, however often asked"
        );
        worker.stop().await;
    }
}

#[tokio::test]
async fn an_undo_that_finds_silence_is_asked_until_it_is_done() {
    for world in worlds("undo", brisk()).await {
        world.ports.script("stop", Do, [Act::Refuse(Reason::PartnerRejected)]);
        world.ports.script("hold", Undo, [Act::Silence, Act::LoseAnswer, Act::Silence, Act::Pend]);
        let worker = world.start_worker("worker-1");

        let key = world.accept(true).await;

        world.until_state(&key, State::Unwound).await;
        assert!(world.ports.standing(key.id.as_str()).is_empty());
        worker.stop().await;
    }
}

async fn facts(world: &World, id: &types::SagaId) -> Vec<String> {
    static FACTS: Statement =
        Statement::new("test.facts", "SELECT fact FROM fact WHERE saga_id = $1 ORDER BY fact");
    let mut tx = world.owner.database.read().await.unwrap();
    let rows = tx.fetch_all(&FACTS, values![id]).await.unwrap();
    rows.iter().map(|row| row.text("fact").unwrap()).collect()
}

#[tokio::test]
async fn two_workers_share_many_sagas_and_every_effect_happens_once() {
    const SAGAS: usize = 120;
    for mut world in worlds("crowd", brisk()).await {
        world.config.lease = Duration::from_secs(3);
        world.ports.script(
            "hold",
            Do,
            (0..SAGAS).map(|n| if n % 3 == 0 { Act::LoseAnswer } else { Act::Apply }),
        );
        world.ports.script("stop", Do, (0..SAGAS).map(|n| if n % 4 == 0 { Act::Pend } else { Act::Apply }));
        world.ports.script(
            "settle",
            Do,
            (0..SAGAS).map(|n| if n % 5 == 0 { Act::Silence } else { Act::LoseAnswer }),
        );
        let workers = [world.start_worker("worker-1"), world.start_worker("worker-2")];

        let mut keys = vec![];
        for n in 0..SAGAS {
            keys.push(world.accept(n % 2 == 0).await);
        }

        for key in &keys {
            let image = world.until_state(key, State::Completed).await;
            let applied: Vec<String> =
                story(&image.log).into_iter().filter(|line| line.ends_with("applied")).collect();
            assert_eq!(applied, HAPPY);
            assert_eq!(facts(&world, &key.id).await, ["decided", "finished"]);
            assert_eq!(world.ports.standing(key.id.as_str()).len(), 5);
        }
        for worker in workers {
            worker.stop().await;
        }
    }
}
