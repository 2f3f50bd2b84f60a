use proptest::prelude::*;
use types::{CaptureId, PaymentId};

use super::super::payment::Kind;
use super::super::split::{Form, Source, split};
use super::World;

fn sources(world: &World, free: &[i64]) -> Vec<Source> {
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

#[test]
fn each_source_is_emptied_before_the_next_is_touched() {
    let sources = sources(&World::new(), &[30, 50, 20]);

    let (shares, shortfall) = split(&sources, 45);

    let taken: Vec<_> = shares.iter().map(|share| share.amount_minor).collect();
    assert_eq!((taken, shortfall), (vec![30, 15], 0));
}

#[test]
fn what_no_source_can_give_is_the_shortfall() {
    let (shares, shortfall) = split(&sources(&World::new(), &[30, 0, 20]), 80);

    assert_eq!((shares.len(), shortfall), (2, 30));
}

#[test]
fn nothing_makes_no_share() {
    assert_eq!(split(&sources(&World::new(), &[30]), 0), (Vec::new(), 0));
    assert_eq!(split(&[], 0), (Vec::new(), 0));
}

proptest! {
    #[test]
    fn a_split_sums_exactly_and_takes_no_more_than_is_free(
        free in prop::collection::vec(0_i64..=1_000_000_000_000_000, 0..20),
        amount in 0_i64..=10_000_000_000_000_000,
    ) {
        let sources = sources(&World::new(), &free);

        let (shares, shortfall) = split(&sources, amount);

        let taken: i64 = shares.iter().map(|share| share.amount_minor).sum();
        prop_assert_eq!(taken + shortfall, amount);
        prop_assert_eq!(taken, amount.min(free.iter().sum()));
        for share in &shares {
            let source = sources.iter().find(|source| source.capture_id == share.capture_id).unwrap();
            prop_assert!((1..=source.free_minor).contains(&share.amount_minor));
        }
        // A later source gives only when all before it are empty.
        for pair in shares.windows(2) {
            let first = sources.iter().find(|source| source.capture_id == pair[0].capture_id).unwrap();
            prop_assert_eq!(pair[0].amount_minor, first.free_minor);
        }
    }

    #[test]
    fn partial_cancellations_give_back_exactly_what_was_paid(
        amounts in prop::collection::vec(1_i64..=1_000_000, 1..5),
        cuts in prop::collection::vec(0.0_f64..1.0, 0..6),
    ) {
        let world = World::new();
        let mut account = world.captured(&amounts);
        let paid: i64 = amounts.iter().sum();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any cut will do")]
        let mut targets: Vec<i64> = cuts.iter().map(|cut| (paid as f64 * cut) as i64).collect();
        targets.push(0);
        targets.sort_unstable_by(|one, other| other.cmp(one));

        for (number, target) in targets.iter().enumerate() {
            let saga = format!("sag_{number}");
            let reserved: i64 = super::amounts(&world.reserve(&mut account, &saga, *target)).iter().sum();
            prop_assert_eq!(account.position_minor(), *target, "reserved {}", reserved);
            account.settle(&saga, "settle_refund", None, world.moment()).unwrap();
            world.answer_all(&mut account, &super::done());
        }

        let given_back: i64 = account.refunds.values().map(|refund| refund.amount_minor).sum();
        prop_assert_eq!(given_back, paid);
        for capture in account.captures.values() {
            prop_assert_eq!(capture.refunded_minor, capture.amount_minor);
        }
        super::assert_books_balance(&account);
    }

    #[test]
    fn whatever_happens_no_capture_gives_back_more_than_it_took(
        amounts in prop::collection::vec(1_i64..=1_000, 1..4),
        turns in prop::collection::vec((0_i64..=3_000, 0_u8..6), 1..20),
    ) {
        let world = World::new();
        let mut account = world.captured(&amounts);

        for (number, (target, choice)) in turns.into_iter().enumerate() {
            let saga = format!("sag_{number}");
            world.reserve(&mut account, &saga, target);
            if choice == 0 {
                account.release(&saga, world.moment()).unwrap();
            } else {
                account.settle(&saga, "settle_refund", None, world.moment()).unwrap();
                let answer = [super::done(), super::declined(), super::pending(), super::lost(), super::done()]
                    [usize::from(choice) - 1].clone();
                world.answer_all(&mut account, &answer);
            }
            for capture in account.captures.values() {
                prop_assert!(capture.refunded_minor <= capture.amount_minor);
            }
            prop_assert!(account.position_minor() >= 0);
            super::assert_books_balance(&account);
        }
    }
}
