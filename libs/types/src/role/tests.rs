use super::*;
use crate::permission::Permission::{CancelAny, OrderRead, PolicyEdit, RolesEdit, StockAdjust};

fn role(name: &str) -> Role {
    Role::parse(name).unwrap()
}

fn granted(permissions: &[Permission], reach: Reach) -> Grants {
    Grants { permissions: Permissions::of(permissions), reach }
}

#[test]
fn a_role_is_plain_ascii_and_only_capitals_are_lowered() {
    assert_eq!(Role::parse("BUYER").unwrap(), role("buyer"));
    for text in ["", " supplier", "supplier ", "buyer\u{200b}", "bu\u{443}er", "*", "a b", &"x".repeat(33)] {
        assert_eq!(Role::parse(text), Err(RoleError::Name), "{text:?}");
    }
}

#[test]
fn an_unlisted_role_may_do_nothing() {
    let grants = RoleMap::shipped().grants(&role("janitor"));

    assert!(grants.permissions.is_empty());
    assert_eq!(grants.reach, Reach::NONE);
}

#[test]
fn only_those_who_run_the_place_see_everything() {
    let everything: Vec<_> = RoleMap::shipped()
        .iter()
        .filter(|(_, grants)| grants.reach.is_tenant())
        .map(|(role, _)| role.to_string())
        .collect();

    assert_eq!(everything, ["manager", "platform", "staff", "system", "warehouse"]);
}

#[test]
fn a_map_reads_back_as_it_was_written() {
    let map = RoleMap::shipped().with([(role("desk"), granted(&[OrderRead], Reach::TENANT))]);

    let again: Vec<_> = map
        .iter()
        .map(|(role, grants)| (role.clone(), Grants::try_from(Written::from(grants)).unwrap()))
        .collect();

    assert!(map.iter().map(|(role, grants)| (role.clone(), grants)).eq(again));
}

#[test]
fn nobody_grants_what_they_do_not_hold() {
    let map = RoleMap::shipped()
        .with([(role("deputy"), granted(&[RolesEdit, OrderRead], Reach::by(&[Relation::Buyer])))]);
    let deputy = role("deputy");

    let refused = map.may_become(&deputy, &[(role("clerk"), granted(&[StockAdjust], Reach::NONE))]);
    assert_eq!(refused.unwrap_err().field.as_deref(), Some("roles[0].permissions"));

    let refused = map.may_become(&deputy, &[(role("clerk"), granted(&[OrderRead], Reach::TENANT))]);
    assert_eq!(refused.unwrap_err().field.as_deref(), Some("roles[0].sees"));

    let clerk = (role("clerk"), granted(&[OrderRead], Reach::by(&[Relation::Buyer])));
    assert!(map.may_become(&deputy, &[clerk]).unwrap().lists(&role("clerk")));
}

#[test]
fn a_role_keeps_what_it_has_when_a_lesser_one_rewrites_it() {
    let map = RoleMap::shipped().with([(role("deputy"), granted(&[RolesEdit], Reach::NONE))]);
    let less = granted(&[CancelAny], Reach::TENANT);

    let next = map.may_become(&role("deputy"), &[(role("staff"), less)]).unwrap();

    assert_eq!(next.grants(&role("staff")), less);
}

#[test]
fn nobody_saws_off_the_branch_they_sit_on() {
    let map = RoleMap::shipped();

    let refused =
        map.may_become(&role("manager"), &[(role("manager"), granted(&[PolicyEdit], Reach::TENANT))]);

    assert_eq!(refused.unwrap_err().reason, Reason::FieldInvalid);
}

#[test]
fn what_is_for_workloads_is_granted_to_no_role() {
    let written = Written { sees: vec![], permissions: vec!["peer.goods".to_owned()] };

    assert_eq!(Grants::try_from(written), Err(RoleError::ForPeers(Permission::PeerGoods)));
}
