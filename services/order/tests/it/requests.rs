//! The same request again, another one under its name, and many at once.

use futures::future::join_all;
use order::domain::change::ChangeState;
use order::domain::order::ExternalReference;
use order::ops::Wait;
use types::Reason;

use crate::fakes::Act;
use crate::samples::{cancel_all, cancel_units, new_order};
use crate::world::worlds;

#[tokio::test]
async fn an_accepted_request_answers_the_same_resource_for_ever() {
    for world in worlds("repeat").await {
        let order = world.placed("order").await;
        let first = world.submit("cancel", cancel_all(&order.order_id), Wait::Completed).await.unwrap();

        let again = world.submit("cancel", cancel_all(&order.order_id), Wait::Accepted).await.unwrap();
        let created = world.create("order", new_order("order"), Wait::Accepted);

        assert_eq!(again.change.change_order_id, first.change.change_order_id);
        assert_eq!(again.change.state, ChangeState::Completed);
        assert_eq!(created.await.unwrap().order_id, order.order_id);
    }
}

#[tokio::test]
async fn another_request_under_a_used_id_is_refused() {
    for world in worlds("reuse").await {
        let order = world.placed("order").await;
        world.submit("cancel", cancel_units(&order.order_id, 1, 1), Wait::Completed).await.unwrap();

        let other = world.submit("cancel", cancel_units(&order.order_id, 1, 2), Wait::Accepted).await;

        assert_eq!(other.unwrap_err().reason(), Reason::IdempotencyKeyReused);
    }
}

#[tokio::test]
async fn a_refused_request_may_be_tried_again_with_its_id() {
    for world in worlds("refused").await {
        let order = world.placed("order").await;

        let refused = world.submit("cancel", cancel_units(&order.order_id, 1, 9), Wait::Accepted).await;
        let accepted = world.submit("cancel", cancel_units(&order.order_id, 1, 3), Wait::Accepted).await;

        assert_eq!(refused.unwrap_err().reason(), Reason::QuantityExceedsAvailable);
        assert!(accepted.is_ok());
    }
}

#[tokio::test]
async fn one_of_many_changes_at_once_is_accepted() {
    for world in worlds("many").await {
        let order = world.placed("order").await;
        world.fakes.script.play("hold_goods", [Act::WithPartner(1)]);
        world.fakes.script.play("stop_partner", [Act::Pending]);

        let names: Vec<String> = (0..64).map(|number| format!("cancel-{number}")).collect();
        let submitted =
            names.iter().map(|name| world.submit(name, cancel_units(&order.order_id, 1, 1), Wait::Accepted));
        let outcomes = join_all(submitted).await;

        let refused: Vec<Reason> =
            outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).map(kit::Failure::reason).collect();
        assert_eq!(refused, vec![Reason::ChangeInProgress; 63]);
    }
}

#[tokio::test]
async fn the_same_request_many_times_at_once_is_done_once() {
    for world in worlds("burst").await {
        let order = world.placed("order").await;

        let submitted =
            (0..32).map(|_| world.submit("cancel", cancel_units(&order.order_id, 1, 1), Wait::Accepted));
        let outcomes = join_all(submitted).await;

        let ids: std::collections::BTreeSet<_> =
            outcomes.into_iter().map(|outcome| outcome.unwrap().change.change_order_id).collect();
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn a_name_in_another_system_belongs_to_one_order() {
    for world in worlds("names").await {
        let named = || {
            let name = ExternalReference { system: "webshop".to_owned(), reference: "42".to_owned() };
            order::domain::placing::NewOrder { references: vec![name], ..new_order("order") }
        };

        let (one, two) = tokio::join!(
            world.create("one", named(), Wait::Accepted),
            world.create("two", named(), Wait::Accepted)
        );

        let refused = [one, two].into_iter().filter_map(Result::err).collect::<Vec<_>>();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].reason(), Reason::ExternalReferenceTaken);
    }
}
