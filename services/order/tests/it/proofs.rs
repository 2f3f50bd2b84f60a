//! What every saga must survive, proved on each table that this service can run: those of earlier versions too.

use order::sagas;

#[test]
fn every_saga_survives_everything_that_is_broken_on_purpose() {
    let registry = sagas::registry(saga::Limits::default());

    let failed: Vec<String> = registry
        .shapes()
        .filter_map(|shape| {
            let proved = saga::proofs::all(shape);
            proved.err().map(|flaw| format!("{} {:?}: {flaw:?}", shape.name, shape.version))
        })
        .collect();

    assert!(failed.is_empty(), "{failed:#?}");
}
