//! A policy held against what was decided: from the facts of each decision's moment, whatever became of the order.

use std::sync::Arc;

use order::domain::decided::Outcome;
use order::domain::policy::{Document, PRESETS, Policy, preset};
use order::domain::simulation::Difference;
use order::ops::use_cases::{ActivatePolicy, UpsertPolicy};
use order::ops::{PolicySimulated, PolicySimulation, Wait};
use types::{Permission, Role, RoleMap};

use crate::samples::{caller, cancel_all, cancel_units};
use crate::world::{World, worlds};

/// What each preset would have made of three decisions: goods of 10.00 cancelled by unit, an order of 39.00 cancelled
/// whole, and one that a stricter policy refused. Three of them let nobody cancel by unit.
const GOLDEN: &str = "\
default: 3 decisions, 2 same, 0 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 8800 fee 0
installer: 3 decisions, 1 same, 1 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 7800 fee 0
marketplace: 3 decisions, 2 same, 0 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 8800 fee 0
order_desk: 3 decisions, 1 same, 1 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 7800 fee 0
ordoro: 3 decisions, 1 same, 1 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 7800 fee 0
salesforce: 3 decisions, 2 same, 0 blocked, 1 allowed, 0 charged; GBP 4900 fee 0 -> GBP 8800 fee 0";

/// The default, changed by a text.
fn draft(name: &str, change: &[(&str, serde_json::Value)]) -> Policy {
    let mut document: serde_json::Value =
        serde_json::from_str(&preset("default").unwrap().document.to_text()).unwrap();
    for (pointer, value) in change {
        *document.pointer_mut(pointer).unwrap() = value.clone();
    }
    let document = Document::parse(&document.to_string()).unwrap();
    Policy { policy_id: name.to_owned(), version: 0, document, roles: Arc::new(RoleMap::shipped()) }
}

fn strict() -> Policy {
    let scope = serde_json::json!({"*": "whole"});
    draft(
        "strict",
        &[("/scope", scope), ("/reason", serde_json::json!({"required": true, "unknown": "refuse"}))],
    )
}

fn costly() -> Policy {
    let fees = serde_json::json!([{"rule": "tenth", "states": ["confirmed"], "basis_points": 1_000}]);
    draft("costly", &[("/fees", fees)])
}

async fn simulated(world: &World, draft: &Policy) -> PolicySimulated {
    let asked = PolicySimulation { draft, last: 1_000, newest: None, after: None, page_size: 50 };
    world.orders.simulate_policy(&caller(), &asked).await.unwrap()
}

/// One unit of an order, a whole order, and an order that a stricter policy would not let go.
async fn three_decisions(world: &World) {
    let one = world.placed("one").await;
    world.submit("a unit", cancel_units(&one.order_id, 1, 1), Wait::Completed).await.unwrap();
    let two = world.placed("two").await;
    world.submit("all", cancel_all(&two.order_id), Wait::Completed).await.unwrap();

    let forbids = draft("forbids", &[("/matrix/1/effect", "forbid".into())]);
    let id = crate::samples::request_id;
    let name = "forbids".to_owned();
    world
        .orders
        .ask(&caller(), id("write"), UpsertPolicy { policy_id: name.clone(), document: forbids.document })
        .await
        .unwrap();
    let tenant = order::domain::policy::Selector::Tenant;
    world
        .orders
        .ask(&caller(), id("use"), ActivatePolicy { policy_id: name, version: 0, selector: tenant.clone() })
        .await
        .unwrap();
    let three = world.placed("three").await;
    for again in ["refused", "refused again"] {
        world.submit(again, cancel_all(&three.order_id), Wait::Accepted).await.unwrap_err();
    }
    world
        .orders
        .ask(
            &caller(),
            id("use again"),
            ActivatePolicy { policy_id: "default".to_owned(), version: 0, selector: tenant },
        )
        .await
        .unwrap();
}

#[test]
fn a_role_keeps_what_the_policy_leaves_of_its_grants() {
    let without_restore =
        draft("ours", &[("/roles/staff", serde_json::json!(["cancel.request", "cancel.any"]))]);
    let role = |name: &str| Role::parse(name).unwrap();

    let staff = without_restore.ability(&role("staff"));

    assert!(staff.left.contains(&Permission::CancelAny) && staff.left.contains(&Permission::OrderRead));
    assert!(staff.taken_away.contains(&Permission::Restore) && !staff.left.contains(&Permission::Restore));
    // What the role map does not grant, the policy cannot take away.
    let buyer = without_restore.ability(&role("buyer"));
    assert!(!buyer.taken_away.contains(&Permission::Restore));
    let unlisted = without_restore.ability(&role("janitor"));
    assert!(unlisted.left.is_empty() && unlisted.taken_away.is_empty());
}

#[tokio::test]
async fn presets_are_held_against_what_was_decided() {
    for world in worlds("simulation").await {
        Box::pin(three_decisions(&world)).await;

        let mut lines = Vec::new();
        for (name, _) in PRESETS {
            let tally = simulated(&world, preset(name).unwrap()).await.tally;
            let (was, would) = &tally.money["GBP"];
            lines.push(format!(
                "{name}: {} decisions, {} same, {} blocked, {} allowed, {} charged; GBP {} fee {} -> GBP {} fee {}",
                tally.evaluated,
                tally.same,
                tally.blocked,
                tally.allowed,
                tally.charged,
                was.amount_minor,
                was.fee_minor,
                would.amount_minor,
                would.fee_minor
            ));
        }
        lines.sort_unstable();

        assert_eq!(lines.join("\n"), GOLDEN);
    }
}

#[tokio::test]
async fn a_draft_is_told_what_it_would_block_and_charge() {
    for world in worlds("simulation_draft").await {
        Box::pin(three_decisions(&world)).await;

        let strict = simulated(&world, &strict()).await;
        let costly = simulated(&world, &costly()).await;

        assert_eq!((strict.tally.blocked, strict.tally.allowed, strict.tally.same), (1, 1, 1));
        let blocked = strict.tally.blocked_by.keys().map(|(_, reason)| *reason).collect::<Vec<_>>();
        assert_eq!(blocked, ["USE_PROPOSAL"], "a unit is no longer cancelled by itself");
        assert_eq!((costly.tally.charged, costly.tally.allowed), (2, 1));
        let (was, would) = &costly.tally.money["GBP"];
        assert_eq!((was.amount_minor, was.fee_minor), (4_900, 0));
        assert_eq!((would.amount_minor, would.fee_minor), (7_920, 880), "a tenth of 10.00, 39.00 and 39.00");
    }
}

#[tokio::test]
async fn a_refusal_is_recorded_once_and_leaves_nothing_else() {
    for world in worlds("simulation_refused").await {
        Box::pin(three_decisions(&world)).await;

        let differences = simulated(&world, preset("default").unwrap()).await.differences;

        let [Difference { decided, would, .. }] = &differences[..] else { panic!("{differences:?}") };
        assert!(matches!(decided.outcome, Outcome::Refused(_)) && would.outcome.is_ok());
        let (_, changes) = world.orders.order_with_changes(&caller(), &decided.order_id).await.unwrap();
        assert!(changes.is_empty(), "{changes:?}");
    }
}

#[tokio::test]
async fn the_facts_of_the_moment_decide_and_not_todays_order() {
    for world in worlds("simulation_facts").await {
        let order = world.placed("one").await;
        world.submit("a unit", cancel_units(&order.order_id, 1, 1), Wait::Completed).await.unwrap();
        // Nothing is left of the order today; then there were three units.
        world.submit("the rest", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let same = simulated(&world, preset("default").unwrap()).await;

        assert_eq!((same.tally.evaluated, same.tally.same), (2, 2));
        assert_eq!(same.tally.money["GBP"].0, same.tally.money["GBP"].1);
    }
}

#[tokio::test]
async fn pages_go_over_the_decisions_of_the_first_one() {
    for world in worlds("simulation_pages").await {
        Box::pin(three_decisions(&world)).await;
        let costly = costly();
        let page = async |newest, after, size| {
            let asked = PolicySimulation { draft: &costly, last: 1_000, newest, after, page_size: size };
            world.orders.simulate_policy(&caller(), &asked).await.unwrap()
        };
        let all = page(None, None, 50).await;

        let first = page(None, None, 2).await;
        let later = world.placed("later").await;
        world.submit("later", cancel_all(&later.order_id), Wait::Completed).await.unwrap();
        let last = first.differences.last().map(|last| last.decided.place());
        let second = page(first.newest.clone(), last, 2).await;

        assert!(first.more && !second.more);
        assert_eq!(first.tally, second.tally, "what came meanwhile is not looked at");
        assert_eq!([first.differences, second.differences].concat(), all.differences);
    }
}
