use proptest::prelude::*;
use types::{CaptureId, PaymentId, Reason};

use super::super::payment::Kind;
use super::super::split::{Form, Named, Share, Source, Strategy, divide};
use super::super::{Ending, Reservation, Terms};
use super::{World, amounts, applied, payment_ids};

fn captured(world: &World, free: &[i64]) -> Vec<Source> {
    free.iter()
        .map(|free| Source {
            payment_id: world.ids.mint::<PaymentId>(),
            capture_id: Some(world.ids.mint::<CaptureId>()),
            kind: Kind::Gateway,
            form: Form::Captured,
            free_minor: *free,
            step_minor: 1,
        })
        .collect()
}

fn taken(sources: &[Source], amount: i64, strategy: &Strategy) -> Vec<i64> {
    let (shares, _) = divide(sources, amount, strategy);
    sources.iter().map(|source| of(&shares, source)).collect()
}

fn of(shares: &[Share], source: &Source) -> i64 {
    let its = shares.iter().filter(|share| share.capture_id == source.capture_id);
    its.map(|share| share.amount_minor).sum()
}

/// Sources stand latest first.
#[test]
fn each_strategy_takes_as_its_name_says() {
    use Strategy::{ExactThenSmallestSufficient, Fifo, Lifo, Proportional};
    let cases: [(Strategy, &[i64], i64, &[i64]); 12] = [
        (Lifo, &[30, 50, 20], 45, &[30, 15, 0]),
        (Fifo, &[30, 50, 20], 45, &[0, 25, 20]),
        (Proportional, &[30, 50, 20], 50, &[15, 25, 10]),
        // 3.33 each: the unit left over goes to the lower tender.
        (Proportional, &[10, 10, 10], 10, &[4, 3, 3]),
        // 0.6, 1.4, 1.0: the larger remainder.
        (Proportional, &[3, 7, 5], 3, &[1, 1, 1]),
        (Proportional, &[30, 50, 20], 100, &[30, 50, 20]),
        (ExactThenSmallestSufficient, &[30, 50, 20], 50, &[0, 50, 0]),
        (ExactThenSmallestSufficient, &[30, 50, 20], 25, &[25, 0, 0]),
        (ExactThenSmallestSufficient, &[30, 50, 20], 60, &[0, 50, 10]),
        (ExactThenSmallestSufficient, &[30, 50, 20], 75, &[25, 50, 0]),
        (ExactThenSmallestSufficient, &[40, 40], 40, &[40, 0]),
        (ExactThenSmallestSufficient, &[30, 50, 20], 100, &[30, 50, 20]),
    ];
    for (strategy, free, amount, expected) in cases {
        let sources = captured(&World::new(), free);

        assert_eq!(taken(&sources, amount, &strategy), expected, "{strategy:?} {amount} of {free:?}");
    }
}

#[test]
fn authorisations_and_what_is_ours_go_first_and_offline_last_under_each() {
    let world = World::new();
    let mut sources = captured(&world, &[50, 5, 10, 20, 50]);
    sources[0].form = Form::Authorised;
    sources[1].kind = Kind::GiftCard;
    sources[4].kind = Kind::Offline;
    for strategy in
        [Strategy::Lifo, Strategy::Fifo, Strategy::Proportional, Strategy::ExactThenSmallestSufficient]
    {
        assert_eq!(taken(&sources, 90, &strategy), [50, 5, 10, 20, 5], "{strategy:?}");
    }
    assert_eq!(taken(&sources, 61, &Strategy::Fifo), [50, 5, 0, 6, 0]);
    assert_eq!(taken(&sources, 75, &Strategy::ExactThenSmallestSufficient), [50, 5, 0, 20, 0]);
}

#[test]
fn explicit_alone_names_any_tender_and_leaves_the_rest() {
    let sources = captured(&World::new(), &[30, 50, 20]);
    let named =
        |place: usize, amount_minor| Named { payment_id: sources[place].payment_id.clone(), amount_minor };

    let strategy = Strategy::Explicit(vec![named(2, 5), named(1, 10)]);

    assert_eq!(divide(&sources, 40, &strategy).1, 25);
    assert_eq!(taken(&sources, 40, &strategy), [0, 10, 5]);
}

#[test]
fn a_reservation_by_name_leaves_the_rest_owed_and_refuses_too_much() {
    let world = World::new();
    let mut account = world.captured(&[60, 40]);
    let payments = payment_ids(&account);
    let by_name = |saga: &str, target: i64, named: Vec<Named>| Reservation {
        terms: Terms { strategy: Strategy::Explicit(named), ..Terms::default() },
        ..world.reservation(saga, target)
    };
    let named = |place: usize, amount_minor| Named { payment_id: payments[place].clone(), amount_minor };

    for (target, named) in [
        (0, vec![named(0, 61)]),
        (70, vec![named(0, 31)]),
        (0, vec![named(0, 10), Named { payment_id: world.ids.mint(), amount_minor: 1 }]),
    ] {
        let refusal = account.reserve(&by_name("sag_0", target, named), world.moment()).unwrap_err();
        assert!(
            [Reason::ExceedsRefundable, Reason::ResourceNotFound].contains(&refusal.reason),
            "{refusal:?}"
        );
    }
    let wanted = by_name("sag_1", 20, vec![named(0, 50)]);
    let reply = applied(account.reserve(&wanted, world.moment()).unwrap());

    assert_eq!((amounts(&reply), reply.owed_minor), (vec![50], 30));
}

#[test]
fn more_than_is_owed_goes_back_only_where_it_is_allowed_and_never_more_than_was_captured() {
    let world = World::new();
    let mut account = world.captured(&[100]);
    let payment_id = account.payments.keys().next().unwrap().clone();
    let by_name = |saga: &str, amount_minor, allow_over_refund| Reservation {
        terms: Terms {
            strategy: Strategy::Explicit(vec![Named { payment_id: payment_id.clone(), amount_minor }]),
            store_credit_fallback: true,
            allow_over_refund,
            ..Terms::default()
        },
        ..world.reservation(saga, 60)
    };
    for (amount, allowed) in [(50, false), (101, true)] {
        let refusal = account.reserve(&by_name("sag_0", amount, allowed), world.moment()).unwrap_err();
        assert_eq!(refusal.reason, Reason::ExceedsRefundable);
    }

    let reply = applied(account.reserve(&by_name("sag_1", 90, true), world.moment()).unwrap());

    assert_eq!((amounts(&reply), reply.owed_minor), (vec![90], 0));
    let explained = account.explain(account.refunds.values().next().unwrap());
    assert_eq!((explained.carried_minor, explained.over_minor, explained.sum()), (40, 50, 90));
    // What of it fails is owed only as far as it was owed, and no store credit takes its place.
    account.settle("sag_1", "settle_refund", None, world.moment()).unwrap();
    let ended = world.answer_all(&mut account, &super::declined());
    let Ending::Applied(reply) = &ended[0].ending else { panic!("a settlement cannot be refused") };
    assert_eq!((reply.owed_minor, account.refunds.len()), (40, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_strategy_sums_exactly_and_takes_no_more_than_is_free(
        free in prop::collection::vec((0_i64..=1_000_000, 0_u8..4, 0_u8..3), 0..9),
        amount in 0_i64..=10_000_000,
        which in 0_usize..5,
        named in prop::collection::vec((0_usize..9, 0_i64..=1_000_000), 0..4),
    ) {
        let world = World::new();
        let amounts: Vec<i64> = free.iter().map(|(free, ..)| *free).collect();
        let mut sources = captured(&world, &amounts);
        for (source, (_, kind, form)) in sources.iter_mut().zip(&free) {
            source.kind = Kind::ALL[usize::from(*kind)];
            source.form = [Form::Authorised, Form::InFlight, Form::Captured][usize::from(*form)];
        }
        sources.sort_by_key(|source| (source.form, source.kind.return_rank()));
        let strategy = match which {
            0 => Strategy::Lifo,
            1 => Strategy::Fifo,
            2 => Strategy::Proportional,
            3 => Strategy::ExactThenSmallestSufficient,
            _ => Strategy::Explicit(
                named
                    .iter()
                    .filter_map(|(place, amount_minor)| {
                        let payment_id = sources.get(*place)?.payment_id.clone();
                        Some(Named { payment_id, amount_minor: *amount_minor })
                    })
                    .collect(),
            ),
        };

        let (shares, left) = divide(&sources, amount, &strategy);

        let given: i64 = shares.iter().map(|share| share.amount_minor).sum();
        prop_assert_eq!(given + left, amount);
        if which < 4 {
            prop_assert_eq!(given, amount.min(amounts.iter().sum()));
        }
        for source in &sources {
            prop_assert!(of(&shares, source) <= source.free_minor || which == 4, "{:?}", source);
        }
        prop_assert!(shares.iter().all(|share| share.amount_minor > 0));
        // The same again is the same: nothing depends on chance.
        prop_assert_eq!(divide(&sources, amount, &strategy), (shares, left));
    }
}
