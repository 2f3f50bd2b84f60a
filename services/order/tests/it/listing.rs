//! Lists and finding: filters hold, pages neither skip nor repeat.

use order::domain::change::ChangeState;
use order::domain::listing::{ChangeFilter, OrderFilter, Page};
use order::domain::order::{ExternalReference, OrderState};
use order::domain::placing::NewOrder;
use order::ops::Wait;
use types::{OrderId, Reason};

use crate::samples::{caller, cancel_all, cancel_units, new_order};
use crate::world::{World, worlds};

fn named(reference: &str) -> NewOrder {
    let name = ExternalReference { system: "webshop".to_owned(), reference: reference.to_owned() };
    NewOrder { references: vec![name], number: Some(format!("W-{reference}")), ..new_order(reference) }
}

async fn listed(world: &World, filter: &OrderFilter) -> Vec<OrderId> {
    let mut page = Page { after: None, size: 2 };
    let mut found = Vec::new();
    loop {
        let listed = world.orders.list_orders(&caller(), filter, &page).await.unwrap();
        found.extend(listed.items.into_iter().map(|summary| summary.order_id));
        match listed.next {
            Some(next) => page.after = Some(next),
            None => return found,
        }
    }
}

#[tokio::test]
async fn orders_are_listed_oldest_first_and_page_by_page() {
    for world in worlds("list_orders").await {
        let mut placed = Vec::new();
        for reference in ["1", "2", "3", "4", "5"] {
            placed.push(world.create(reference, named(reference), Wait::Completed).await.unwrap().order_id);
        }
        world.submit("cancel", cancel_all(&placed[1]), Wait::Completed).await.unwrap();

        let all = OrderFilter::default();
        let states = OrderFilter { states: vec![OrderState::Cancelled], ..OrderFilter::default() };
        let customer = OrderFilter { customer_id: Some("nobody".to_owned()), ..OrderFilter::default() };
        let system = OrderFilter { external_system: Some("webshop".to_owned()), ..OrderFilter::default() };
        let name = ExternalReference { system: "webshop".to_owned(), reference: "4".to_owned() };
        let reference = OrderFilter { reference: Some(name), ..OrderFilter::default() };

        assert_eq!(listed(&world, &all).await, placed);
        assert_eq!(listed(&world, &states).await, placed[1..2]);
        assert_eq!(listed(&world, &customer).await, []);
        assert_eq!(listed(&world, &system).await, placed);
        assert_eq!(listed(&world, &reference).await, placed[3..4]);
        assert_eq!(world.orders.find_by_number(&caller(), "W-3").await.unwrap().order_id, placed[2]);
        let missing = world.orders.find_by_number(&caller(), "W-9").await.unwrap_err();
        assert_eq!(missing.reason(), Reason::ResourceNotFound);
    }
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_one_ended_whatever_has_moved_since() {
    for world in worlds("list_moving").await {
        let mut placed = Vec::new();
        for name in ["1", "2", "3", "4", "5"] {
            placed.push(world.placed(name).await.order_id);
        }
        let active = OrderFilter { states: vec![OrderState::Confirmed], ..OrderFilter::default() };
        let first = Page { after: None, size: 2 };
        let seen = world.orders.list_orders(&caller(), &active, &first).await.unwrap();

        // One that was seen, and one that was not, leave the view in the commit that cancels them.
        for (name, order) in [("seen", &placed[0]), ("unseen", &placed[3])] {
            world.submit(name, cancel_all(order), Wait::Committed).await.unwrap();
        }
        placed.push(world.placed("6").await.order_id);
        let rest = Page { after: seen.next.clone(), size: 50 };
        let rest = world.orders.list_orders(&caller(), &active, &rest).await.unwrap();

        let ids = |items: Vec<order::domain::order::Summary>| -> Vec<OrderId> {
            items.into_iter().map(|summary| summary.order_id).collect()
        };
        assert_eq!(ids(seen.items), placed[..2]);
        assert_eq!(ids(rest.items), [placed[2].clone(), placed[4].clone(), placed[5].clone()]);
    }
}

#[tokio::test]
async fn a_number_belongs_to_one_order() {
    for world in worlds("numbers").await {
        world.create("one", named("1"), Wait::Accepted).await.unwrap();
        let again = NewOrder { references: Vec::new(), ..named("1") };

        let refused = world.create("two", again, Wait::Accepted).await.unwrap_err();

        assert_eq!(refused.reason(), Reason::ExternalReferenceTaken);
    }
}

#[tokio::test]
async fn changes_are_listed_by_order_and_state() {
    for world in worlds("list_changes").await {
        let order = world.placed("order").await;
        let other = world.placed("other").await;
        for (name, line) in [("one", 1), ("two", 2)] {
            world.submit(name, cancel_units(&order.order_id, line, 1), Wait::Completed).await.unwrap();
        }
        world.submit("three", cancel_all(&other.order_id), Wait::Completed).await.unwrap();

        let page = Page { after: None, size: 50 };
        let of_order = ChangeFilter { order_id: Some(order.order_id.clone()), ..ChangeFilter::default() };
        let rejected = ChangeFilter { states: vec![ChangeState::Rejected], ..ChangeFilter::default() };
        let found = world.orders.list_changes(&caller(), &of_order, &page).await.unwrap();
        let none = world.orders.list_changes(&caller(), &rejected, &page).await.unwrap();
        let all = world.orders.list_changes(&caller(), &ChangeFilter::default(), &page).await.unwrap();

        assert_eq!((found.items.len(), none.items.len(), all.items.len()), (2, 0, 3));
        assert!(found.items.iter().all(|view| view.order_number == order.number));
        assert_eq!((all.items[0].steps.done, all.items[0].steps.total), (7, 7));
    }
}

#[tokio::test]
async fn another_tenants_order_does_not_exist() {
    for world in worlds("tenants").await {
        let order = world.placed("order").await;
        let stranger = kit::Principal { tenant: types::Tenant::parse("other").unwrap(), ..caller() };

        let refused = world.orders.get_order(&stranger, &order.order_id).await.unwrap_err();
        let all = Page { after: None, size: 50 };
        let listed = world.orders.list_orders(&stranger, &OrderFilter::default(), &all).await.unwrap();

        assert_eq!(refused.reason(), Reason::ResourceNotFound);
        assert!(listed.items.is_empty());
    }
}
