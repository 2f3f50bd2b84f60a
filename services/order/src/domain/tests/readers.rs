//! Who reads what: by the role of the moment, and by having a part in the order.

use types::{Role, RoleMap};

use crate::domain::history::Visibility;
use crate::domain::order::{Actor, Parties};
use crate::domain::readers::Reader;
use crate::domain::tests::world;

fn actor(user: &str, organisation: &str, role: &str) -> Actor {
    Actor { user: user.to_owned(), organisation: organisation.to_owned(), role: role.to_owned() }
}

#[test]
fn a_party_reads_what_concerns_it_and_a_stranger_what_is_public() {
    let mut order = world::open(world::new_order(vec![world::new_line(1, "1.00")]), &world::ids());
    order.customer_id = "carol".to_owned();
    order.parties = Parties {
        buyer: "acme".to_owned(),
        supplier: "mill".to_owned(),
        source_router: "router".to_owned(),
        client_contact: String::new(),
    };
    let table = [
        (actor("ann", "shop", "staff"), Reader::Ours),
        (actor("bob", "acme", "buyer"), Reader::Party),
        (actor("bob", "router", "buyer"), Reader::Party),
        (actor("bob", "other", "buyer"), Reader::Outsider),
        (actor("bob", "", "buyer"), Reader::Outsider),
        (actor("sam", "mill", "supplier"), Reader::Party),
        (actor("sam", "acme", "supplier"), Reader::Outsider),
        (actor("carol", "", "client"), Reader::Party),
        (actor("dave", "", "customer"), Reader::Outsider),
        (actor("carol", "acme", "guest"), Reader::Outsider),
    ];

    for (caller, expected) in table {
        let reach = RoleMap::shipped().grants(&Role::parse(&caller.role).unwrap()).reach;
        assert_eq!(Reader::of(reach, &caller, &order), expected, "{caller:?}");
    }
}

#[test]
fn nobody_writes_what_they_could_not_read() {
    use Visibility::{Internal, Parties, Public};

    assert!([Internal, Parties, Public].iter().all(|visibility| Reader::Ours.may_write(*visibility).is_ok()));
    assert!(Reader::Party.may_write(Internal).is_err());
    assert!(Reader::Party.may_write(Parties).is_ok());
    assert!(Reader::Outsider.may_write(Public).is_err());
    assert!(Reader::Outsider.reads(Public) && !Reader::Outsider.reads(Parties));
}
