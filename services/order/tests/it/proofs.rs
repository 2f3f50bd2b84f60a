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
fn restoring_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::restore().shape()).unwrap();
}

#[test]
fn refunding_alone_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::refund_only().shape()).unwrap();
}

#[test]
fn adjusting_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::adjust().shape()).unwrap();
}
