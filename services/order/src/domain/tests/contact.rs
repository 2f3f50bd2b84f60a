//! What proves that the supplier was spoken to.

use super::world::{ids, new_line, new_order, now, open};
use crate::domain::conversation::{Message, proves_contact};
use crate::domain::history::Visibility;
use crate::domain::order::{Actor, Order, Parties};
use crate::domain::policy::default_policy;

fn acting(user: &str, organisation: &str, role: &str) -> Actor {
    Actor { user: user.to_owned(), organisation: organisation.to_owned(), role: role.to_owned() }
}

fn message(order: &Order, author: Actor, visibility: Visibility) -> Message {
    Message {
        tenant: order.tenant.clone(),
        message_id: ids().mint(),
        order_id: order.order_id.clone(),
        visibility,
        text: "can you still stop it?".to_owned(),
        author,
        at: now(),
        change_order_id: None,
    }
}

#[test]
fn only_ones_own_word_or_that_of_ones_side_proves_it() {
    let ids = ids();
    let mut new = new_order(vec![new_line(1, "3.33")]);
    new.parties = Parties { buyer: "bistro".to_owned(), supplier: "mill".to_owned(), ..Parties::default() };
    let order = open(new, &ids);
    let proves = |author: &Actor, visibility, actor: &Actor| {
        let message = message(&order, author.clone(), visibility);
        proves_contact(&order, Some(&message), actor, default_policy()).is_ok()
    };
    let (bea, bob) = (acting("bea", "bistro", "buyer"), acting("bob", "bistro", "buyer"));
    let sam = acting("sam", "mill", "supplier");
    // Both act for nobody, and so are on no side.
    let (carl, cleo) = (acting("carl", "", "customer"), acting("cleo", "", "customer"));

    assert!(proves(&bea, Visibility::Parties, &bea) && proves(&bob, Visibility::Parties, &bea));
    assert!(proves(&carl, Visibility::Parties, &carl));
    assert!(!proves(&bea, Visibility::Internal, &bea), "the supplier does not read it");
    assert!(!proves(&sam, Visibility::Parties, &bea) && !proves(&sam, Visibility::Parties, &sam));
    assert!(!proves(&carl, Visibility::Parties, &cleo), "two who act for nobody are not one side");
    assert!(!proves(&acting("bea", "elsewhere", "buyer"), Visibility::Parties, &bea), "nor is a namesake");
    assert!(proves_contact(&order, None, &bea, default_policy()).is_err());
}
