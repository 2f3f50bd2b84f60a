//! What every saga must survive, proved on the two tables of this service.

use order::sagas;

#[test]
fn placing_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::place().shape()).unwrap();
}

#[test]
fn cancelling_survives_everything_that_is_broken_on_purpose() {
    saga::proofs::all(sagas::cancel().shape()).unwrap();
}
