//! What every saga must survive, proved on the tables of this service.

use order::sagas;

#[test]
fn placing_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::place().shape()).unwrap();
}

#[test]
fn cancelling_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::cancel().shape()).unwrap();
}

#[test]
fn cancelling_what_is_eligible_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::cancel_eligible().shape()).unwrap();
}

#[test]
fn restoring_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::restore().shape()).unwrap();
}

#[test]
fn paying_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::pay().shape()).unwrap();
}

#[test]
fn refunding_alone_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::refund_only().shape()).unwrap();
}

#[test]
fn adjusting_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::adjust().shape()).unwrap();
}

#[test]
fn taking_back_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::take_back().shape()).unwrap();
}

#[test]
fn shipping_short_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::short_ship().shape()).unwrap();
}

#[test]
fn amending_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::amend().shape()).unwrap();
}

#[test]
fn readdressing_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::readdress().shape()).unwrap();
}
