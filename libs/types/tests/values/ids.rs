use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use types::id::{PREFIXES, TypedId};
use types::{
    ChangeOrderId, Clock, FulfilmentLineId, IdError, Ids, OrderId, Reason, RefundId, Refusal, Timestamp,
};
use uuid::Uuid;

use super::many_cases;

fn start() -> Timestamp {
    Timestamp::parse("2026-11-21T22:37:12.123456Z").expect("a valid instant")
}

proptest! {
    #![proptest_config(many_cases())]

    #[test]
    fn an_id_survives_its_text(bits in any::<u128>()) {
        let id = OrderId::from_uuid(Uuid::from_u128(bits));

        prop_assert_eq!(OrderId::parse(id.as_str()), Ok(id.clone()));
        prop_assert_eq!(id.uuid().as_u128(), bits);
    }

    #[test]
    fn ids_sort_as_their_uuids_do(left in any::<u128>(), right in any::<u128>()) {
        let (left, right) = (Uuid::from_u128(left), Uuid::from_u128(right));

        prop_assert_eq!(OrderId::from_uuid(left).cmp(&OrderId::from_uuid(right)), left.cmp(&right));
    }

    #[test]
    fn every_accepted_text_is_the_text_of_its_uuid(text in "ord_[0-9a-z]{25,27}") {
        if let Ok(id) = OrderId::parse(&text) {
            prop_assert_eq!(id.as_str(), text.as_str());
            prop_assert_eq!(OrderId::from_uuid(id.uuid()), id);
        }
    }

    #[test]
    fn minted_ids_ascend_whatever_the_clock_does(seed in any::<u64>(), waits in prop::collection::vec(0_u64..3_000, 1..8)) {
        let clock = Clock::manual(start());
        let ids = Ids::seeded(clock.clone(), seed);

        let mut last = ids.mint::<OrderId>();
        for wait in waits {
            clock.advance(Duration::from_micros(wait));
            let next = ids.mint::<OrderId>();
            prop_assert!(last < next);
            last = next;
        }
    }
}

#[test]
fn the_text_form_is_that_of_the_typeid_specification() {
    let cases = [
        ("00000000-0000-0000-0000-000000000000", "ord_00000000000000000000000000"),
        ("00000000-0000-0000-0000-000000000020", "ord_00000000000000000000000010"),
        ("ffffffff-ffff-ffff-ffff-ffffffffffff", "ord_7zzzzzzzzzzzzzzzzzzzzzzzzz"),
        ("01890a5d-ac96-774b-bcce-b302099a8057", "ord_01h455vb4pex5vsknk084sn02q"),
        ("0110c853-1d09-52d8-d73e-1194e95b5f19", "ord_0123456789abcdefghjkmnpqrs"),
    ];

    for (uuid, text) in cases {
        assert_eq!(OrderId::from_uuid(Uuid::parse_str(uuid).unwrap()).as_str(), text);
        assert_eq!(OrderId::parse(text).unwrap().uuid().to_string(), uuid);
    }
}

#[test]
fn a_text_that_is_not_an_order_id_is_refused_precisely() {
    let malformed = [
        "ord_",
        "ord_01h455vb4pex5vsknk084sn02",
        "ord_01h455vb4pex5vsknk084sn02qq",
        "ord_81h455vb4pex5vsknk084sn02q",
        "ord_01h455vb4pex5vsknk084sn02i",
        "ord_01H455VB4PEX5VSKNK084SN02Q",
        "ord_01h455vb4pex5vsknk084sn0é",
    ];
    let wrong_prefix = [
        "rfd_01h455vb4pex5vsknk084sn02q",
        "ORD_01h455vb4pex5vsknk084sn02q",
        "01h455vb4pex5vsknk084sn02q",
        "_01h455vb4pex5vsknk084sn02q",
        "x_ord_01h455vb4pex5vsknk084sn02q",
        " ord_01h455vb4pex5vsknk084sn02q",
    ];

    for text in malformed {
        assert_eq!(OrderId::parse(text), Err(IdError::MalformedSuffix { text: text.to_owned() }));
    }
    for text in wrong_prefix {
        assert_eq!(
            OrderId::parse(text),
            Err(IdError::WrongPrefix { expected: "ord", text: text.to_owned() })
        );
    }
    assert_eq!(Refusal::from(OrderId::parse("").unwrap_err()).reason, Reason::FieldRequired);
    assert_eq!(Refusal::from(OrderId::parse("42").unwrap_err()).reason, Reason::FieldInvalid);
}

#[test]
fn prefixes_are_three_letters_and_no_two_are_equal() {
    let distinct: BTreeSet<_> = PREFIXES.iter().collect();

    assert_eq!(distinct.len(), PREFIXES.len());
    assert!(
        PREFIXES
            .iter()
            .all(|prefix| prefix.len() == 3 && prefix.bytes().all(|byte| byte.is_ascii_lowercase()))
    );
}

#[test]
fn seeded_ids_are_the_same_in_every_run_and_differ_by_seed() {
    let mint = |seed| {
        let ids = Ids::seeded(Clock::manual(start()), seed);
        (ids.mint::<ChangeOrderId>(), ids.mint::<RefundId>(), ids.mint::<FulfilmentLineId>())
    };

    assert_eq!(mint(7), mint(7));
    assert_ne!(mint(7), mint(8));
}

#[test]
fn minted_ids_are_version_7_and_carry_the_clocks_milliseconds() {
    let uuid = Ids::seeded(Clock::manual(start()), 1).mint::<OrderId>().uuid();

    assert_eq!(uuid.get_version_num(), 7);
    assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    assert_eq!(i64::try_from(uuid.as_u128() >> 80).unwrap(), start().unix_micros() / 1_000);
}

#[test]
fn ids_ascend_when_the_clock_steps_back_and_do_not_run_ahead_of_it() {
    let hand = Arc::new(AtomicI64::new(start().unix_micros()));
    let ids = Ids::seeded(Clock::Manual(hand.clone()), 1);
    let before = ids.mint::<OrderId>();

    hand.fetch_sub(3_600_000_000, Ordering::SeqCst);
    let after: Vec<_> = (0..100).map(|_| ids.mint::<OrderId>()).collect();

    assert!(before < after[0] && after.is_sorted());
    assert_eq!(after[99].uuid().as_u128() >> 80, before.uuid().as_u128() >> 80);
}

#[test]
fn ids_minted_by_clones_at_one_instant_are_distinct() {
    let ids = Ids::random(Clock::manual(start()));

    let threads: Vec<_> = (0..4)
        .map(|_| {
            let ids = ids.clone();
            std::thread::spawn(move || (0..5_000).map(|_| ids.mint::<OrderId>()).collect::<Vec<_>>())
        })
        .collect();
    let minted: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();

    assert_eq!(minted.iter().collect::<BTreeSet<_>>().len(), minted.len());
}
