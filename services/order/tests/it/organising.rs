//! Folders, notes and rules: what they change, what they leave alone, and that each acts once.

use std::time::Duration;

use kit::Principal;
use order::domain::conversation::NewMessage;
use order::domain::folders::FolderWish;
use order::domain::history::Visibility;
use order::domain::listing::{OrderFilter, Page};
use order::domain::order::{OrderState, Parties};
use order::domain::placing::NewOrder;
use order::ops::Wait;
use order::ops::use_cases::{AddNote, DeleteFolder, MoveOrder, UpsertFolder};
use order::rules::Simulation;
use order::rules::domain::{Action, Outcome, Rule, RuleWish, Trigger};
use storage::Table;
use types::{FolderId, OrderId, Reason};

use crate::samples::{acting, caller, cancel_all, new_order, request_id};
use crate::world::{World, worlds};

fn folder(name: &str) -> FolderWish {
    FolderWish { folder_id: None, name: name.to_owned(), position: 1 }
}

async fn made(world: &World, name: &str) -> FolderId {
    world.orders.ask(&caller(), request_id(name), UpsertFolder(folder(name))).await.unwrap().folder_id
}

async fn moved(world: &World, name: &str, order_id: &OrderId, to: Option<&FolderId>) {
    let to = to.cloned();
    world
        .orders
        .ask(&caller(), request_id(name), MoveOrder { order_id: order_id.clone(), folder_id: to, depth: 0 })
        .await
        .unwrap();
}

async fn events(world: &World, order_id: &OrderId) -> Vec<String> {
    let entries = world.orders.timeline(&caller(), order_id, 0, 500).await.unwrap();
    entries.into_iter().map(|recorded| recorded.entry.event).collect()
}

fn rule(name: &str, condition: &str, actions: Vec<Action>) -> RuleWish {
    RuleWish {
        rule_id: None,
        name: name.to_owned(),
        trigger: Trigger::OrderFolderChanged,
        condition: condition.to_owned(),
        actions,
        enabled: true,
    }
}

fn cancel() -> Action {
    Action::SubmitCancel { reason_code: "CUSTOMER_REQUEST".to_owned(), note: "by rule".to_owned() }
}

async fn kept(world: &World, wish: RuleWish) -> Rule {
    world.rules.upsert_rule(&caller(), request_id(&wish.name), wish.clone()).await.unwrap()
}

/// Looks at events until a claim holds; rules act after the commit that set them off.
async fn until<T>(world: &World, claim: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        world.rules.look_at_rules().await.unwrap();
        if let Some(value) = ask().await {
            return value;
        }
        assert!(tokio::time::Instant::now() < limit, "it did not happen: {claim}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_folder_is_a_label_and_changes_nothing_about_the_order() {
    for world in worlds("folders").await {
        let order = world.placed("order").await;
        let cancelled = made(&world, "Cancelled").await;

        moved(&world, "move", &order.order_id, Some(&cancelled)).await;
        moved(&world, "move", &order.order_id, Some(&cancelled)).await;

        let after = world.order(&order.order_id).await;
        assert_eq!((after.state(), after.version, after.lines), (order.state(), order.version, order.lines));
        let told = events(&world, &order.order_id).await;
        assert_eq!(told.iter().filter(|event| *event == "order.folder_changed").count(), 1, "{told:?}");
        let here = OrderFilter { folder_id: Some(cancelled.clone()), ..OrderFilter::default() };
        let page = Page { after: None, size: 50 };
        assert_eq!(world.orders.list_orders(&caller(), &here, &page).await.unwrap().items.len(), 1);

        world
            .orders
            .ask(&caller(), request_id("delete"), DeleteFolder { folder_id: cancelled.clone() })
            .await
            .unwrap();
        world
            .orders
            .ask(&caller(), request_id("delete"), DeleteFolder { folder_id: cancelled })
            .await
            .unwrap();

        assert!(world.orders.folders(&caller()).await.unwrap().is_empty());
        assert_eq!(world.order(&order.order_id).await.state(), OrderState::Confirmed);
        let names = world.orders.folders_of_orders(&caller(), [order.order_id.clone()]).await.unwrap();
        assert!(names.is_empty(), "{names:?}");
    }
}

#[tokio::test]
async fn a_folders_name_is_taken_once_and_free_again_when_it_is_gone() {
    for world in worlds("folder_names").await {
        let first = made(&world, "Late").await;
        let twin = world.orders.ask(&caller(), request_id("twin"), UpsertFolder(folder("Late"))).await;
        assert_eq!(twin.unwrap_err().reason(), Reason::ExternalReferenceTaken);

        let renamed = FolderWish { folder_id: Some(first.clone()), ..folder("Later") };
        let folder_now =
            world.orders.ask(&caller(), request_id("rename"), UpsertFolder(renamed)).await.unwrap();
        assert_eq!((&folder_now.folder_id, folder_now.name.as_str()), (&first, "Later"));
        world
            .orders
            .ask(&caller(), request_id("delete"), DeleteFolder { folder_id: first.clone() })
            .await
            .unwrap();

        assert_ne!(made(&world, "Later").await, first);
        let order = world.placed("order").await;
        let gone = world
            .orders
            .ask(
                &caller(),
                request_id("gone"),
                MoveOrder { order_id: order.order_id, folder_id: Some(first), depth: 0 },
            )
            .await;
        assert_eq!(gone.unwrap_err().reason(), Reason::ResourceNotFound);
    }
}

#[tokio::test]
async fn a_note_is_read_by_exactly_those_it_is_for() {
    for world in worlds("notes").await {
        let parties = Parties { buyer: "acme".to_owned(), supplier: "mill".to_owned(), ..Parties::default() };
        let new = NewOrder { parties, ..new_order("order") };
        let order = world.create("order", new, Wait::Completed).await.unwrap();
        let note = |visibility, text| NewMessage::about(&order.order_id, visibility, text);
        let write = async |name: &str, who: &Principal, new| {
            world.orders.ask(who, request_id(name), AddNote(new)).await
        };
        let buyer = acting("bob", "acme", "buyer");
        let stranger = acting("eve", "else", "buyer");

        let internal = write("one", &caller(), note(Visibility::Internal, "be careful")).await.unwrap();
        let again = write("one", &caller(), note(Visibility::Internal, "be careful")).await.unwrap();
        let asked = write("two", &buyer, note(Visibility::Parties, "can you stop it?")).await.unwrap();
        let hidden = write("three", &buyer, note(Visibility::Internal, "psst")).await.unwrap_err();
        let outside = write("four", &stranger, note(Visibility::Parties, "hello")).await.unwrap_err();

        assert_eq!(internal, again);
        assert!(asked.reached_parties() && !internal.reached_parties());
        assert_eq!(hidden.reason(), Reason::PermissionDenied);
        assert_eq!(outside.reason(), Reason::ResourceNotFound);
        let page = Page { after: None, size: 50 };
        let unseen = world.orders.notes(&stranger, &order.order_id, &page).await.unwrap_err();
        assert_eq!(unseen.reason(), Reason::ResourceNotFound);
        for (who, expected) in [(caller(), 2), (buyer, 1)] {
            let read = world.orders.notes(&who, &order.order_id, &page).await.unwrap();
            assert_eq!(read.items.len(), expected, "{who:?}");
        }
        let told = events(&world, &order.order_id).await;
        assert_eq!(told.iter().filter(|event| *event == "note.added").count(), 2, "{told:?}");
    }
}

#[tokio::test]
async fn a_rule_acts_once_for_each_event_and_only_when_its_condition_holds() {
    for world in worlds("rules").await {
        let (order, other) = (world.placed("order").await, world.placed("other").await);
        let (cancelled, late) = (made(&world, "Cancelled").await, made(&world, "Late").await);
        moved(&world, "before", &other.order_id, Some(&cancelled)).await;
        let condition = "event.folder == 'Cancelled' && order.total_minor > 100";
        let kept = kept(&world, rule("cancel what is filed so", condition, vec![cancel()])).await;

        moved(&world, "late", &other.order_id, Some(&late)).await;
        moved(&world, "move", &order.order_id, Some(&cancelled)).await;

        let state = async || Some(world.order(&order.order_id).await.state());
        until(&world, "the order is cancelled", async || {
            state().await.filter(|it| *it == OrderState::Cancelled)
        })
        .await;
        for _ in 0..3 {
            world.rules.look_at_rules().await.unwrap();
        }
        assert_eq!(world.order(&other.order_id).await.state(), OrderState::Confirmed);
        let page = Page { after: None, size: 50 };
        let runs = world.rules.rule_runs(&caller(), Some(&kept.rule_id), "", &page).await.unwrap().items;
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert_eq!((runs[0].outcome, runs[0].resources.len(), runs[0].depth), (Outcome::Done, 1, 1));
        let (_, changes) = world.orders.order_with_changes(&caller(), &order.order_id).await.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].channel, order::domain::change::Channel::Rule);
    }
}

#[tokio::test]
async fn rules_that_set_each_other_off_come_to_an_end() {
    for world in worlds("rule_loop").await {
        let order = world.placed("order").await;
        let (one, two) = (made(&world, "One").await, made(&world, "Two").await);
        let to = |folder: &FolderId| vec![Action::MoveToFolder { folder_id: Some(folder.clone()) }];
        kept(&world, rule("forth", "event.folder == 'One'", to(&two))).await;
        kept(&world, rule("back", "event.folder == 'Two'", to(&one))).await;

        moved(&world, "start", &order.order_id, Some(&one)).await;

        let page = Page { after: None, size: 50 };
        let runs = until(&world, "the loop is cut", async || {
            let runs = world.rules.rule_runs(&caller(), None, "", &page).await.unwrap().items;
            runs.iter().any(|run| run.outcome == Outcome::Loop).then_some(runs)
        })
        .await;
        assert_eq!(runs.iter().filter(|run| run.outcome == Outcome::Done).count(), 3, "{runs:?}");
        let told = events(&world, &order.order_id).await;
        assert_eq!(told.iter().filter(|event| *event == "order.folder_changed").count(), 4, "{told:?}");
    }
}

#[tokio::test]
async fn a_refused_action_is_recorded_and_a_bad_condition_is_not_stored() {
    for world in worlds("rule_refusals").await {
        let order = world.placed("order").await;
        let cancelled = made(&world, "Cancelled").await;
        world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();
        let broken = rule("broken", "order.colour == 'red'", vec![cancel()]);
        let refused = world.rules.upsert_rule(&caller(), request_id("broken"), broken).await.unwrap_err();
        assert!(refused.refusal().message.contains("order has no colour"), "{refused}");
        kept(&world, rule("again", "", vec![cancel()])).await;

        moved(&world, "move", &order.order_id, Some(&cancelled)).await;

        let page = Page { after: None, size: 50 };
        let run = until(&world, "the rule has run", async || {
            world.rules.rule_runs(&caller(), None, "", &page).await.unwrap().items.pop()
        })
        .await;
        assert_eq!(run.outcome, Outcome::Refused);
        assert_eq!(run.cause.unwrap().reason, Reason::NothingToCancel);
        let asked = Simulation {
            trigger: Trigger::ChangeCompleted,
            condition: "change.reason_code == 'CUSTOMER_REQUEST'".to_owned(),
            folder: String::new(),
            count: 100,
        };
        let tried = world.rules.simulate_rule(&caller(), &asked).await.unwrap();
        assert_eq!((tried.evaluated, tried.met, tried.failed), (1, 1, 0));
        let of_orders =
            Simulation { trigger: Trigger::OrderFolderChanged, condition: String::new(), ..asked };
        let tried = world.rules.simulate_rule(&caller(), &of_orders).await.unwrap();
        assert_eq!((tried.evaluated, tried.met, tried.failed), (1, 1, 0));
    }
}

#[tokio::test]
async fn a_rule_that_is_changed_keeps_its_id_and_counts_its_versions() {
    for world in worlds("rule_change").await {
        let first = kept(&world, rule("tidy", "", vec![cancel()])).await;
        let wish = RuleWish {
            rule_id: Some(first.rule_id.clone()),
            enabled: false,
            ..rule("tidier", "", vec![cancel()])
        };

        let changed = kept(&world, wish).await;

        let told = (changed.rule_id, changed.name.as_str(), changed.enabled, changed.version);
        assert_eq!(told, (first.rule_id, "tidier", false, first.version + 1));
    }
}

/// It was stored when nothing was measured. Before, every look at the events ended the process.
#[tokio::test]
async fn a_stored_condition_that_no_parser_survives_is_a_run_that_failed() {
    for world in worlds("rule_deep").await {
        let order = world.placed("order").await;
        let cancelled = made(&world, "Cancelled").await;
        let rule = kept(&world, rule("deep", "true", vec![cancel()])).await;
        let deep = Rule { condition: "-".repeat(6_417) + "1 < 0", ..rule.clone() };
        let mut stored = Table::new();
        stored.load((rule.tenant.clone(), rule.rule_id.clone()), rule);
        let key = (deep.tenant.clone(), deep.rule_id.clone());
        stored.update(&key, |rule| rule.clone_from(&deep)).unwrap();
        let mut tx = world.database.begin().await.unwrap();
        order::rules::store::flush(&mut tx, &stored).await.unwrap();
        tx.commit().await.unwrap();

        moved(&world, "move", &order.order_id, Some(&cancelled)).await;

        let page = Page { after: None, size: 50 };
        let run = until(&world, "the rule has failed", async || {
            world.rules.rule_runs(&caller(), None, "", &page).await.unwrap().items.pop()
        })
        .await;
        assert_eq!((run.outcome, run.order_id), (Outcome::Failed, order.order_id));
        assert_eq!(run.cause.unwrap().reason, Reason::FieldTooLong);
    }
}
