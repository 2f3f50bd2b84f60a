//! Dividing a refund over the tenders.

use std::cmp::Reverse;

use types::{CaptureId, PaymentId, money::allocate};

use super::payment::Kind;

/// The state of a tender's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Authorised and not captured: given back by lowering, no money moves.
    Authorised,
    /// Being captured right now: void or refund, as the capture ends.
    InFlight,
    Captured,
}

/// A source of a refund: at most `free_minor` of it can be given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub payment_id: PaymentId,
    pub capture_id: Option<CaptureId>,
    pub kind: Kind,
    pub form: Form,
    pub free_minor: i64,
    /// What is given back of it is a multiple of this, at least 1.
    pub step_minor: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    pub payment_id: PaymentId,
    pub capture_id: Option<CaptureId>,
    pub form: Form,
    pub amount_minor: i64,
}

/// In which order the captured tenders of gateways give back. What is only authorised, and what is
/// ours, goes first under every strategy but EXPLICIT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The latest capture first: the order that sources stand in.
    #[default]
    Lifo,
    Fifo,
    /// By what is still refundable of each, by largest remainder.
    Proportional,
    /// The source of exactly the amount; else the smallest that suffices; else the largest, and again.
    ExactThenSmallestSufficient,
    /// The tenders named, and no others.
    Explicit(Vec<Named>),
}

/// A tender and its share of the refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub payment_id: PaymentId,
    pub amount_minor: i64,
}

/// Divides `amount_minor` over sources that stand in the order of return. Returns the shares, none
/// of them zero, and what no source could (or, by name, was to) give.
pub fn divide(sources: &[Source], amount_minor: i64, strategy: &Strategy) -> (Vec<Share>, i64) {
    match strategy {
        Strategy::Lifo => split(sources, amount_minor),
        Strategy::Explicit(named) => by_name(sources, amount_minor, named),
        Strategy::Fifo | Strategy::Proportional | Strategy::ExactThenSmallestSufficient => {
            let chosen = |source: &&Source| source.form == Form::Captured && source.kind == Kind::Gateway;
            let first: Vec<Source> = sources.iter().take_while(|source| !chosen(source)).cloned().collect();
            let among: Vec<Source> = sources.iter().filter(chosen).cloned().collect();
            let last = first.len() + among.len();

            let (mut shares, left) = split(&first, amount_minor);
            let (more, left) = among_gateways(among, left, strategy);
            shares.extend(more);
            let (more, left) = split(&sources[last..], left);
            shares.extend(more);
            (shares, left)
        }
    }
}

fn among_gateways(mut among: Vec<Source>, amount_minor: i64, strategy: &Strategy) -> (Vec<Share>, i64) {
    match strategy {
        Strategy::Lifo | Strategy::Explicit(_) => split(&among, amount_minor),
        Strategy::Fifo => {
            among.reverse();
            split(&among, amount_minor)
        }
        Strategy::Proportional => proportionally(among, amount_minor),
        Strategy::ExactThenSmallestSufficient => by_fit(among, amount_minor),
    }
}

/// Takes `amount_minor` from the sources in their order, each to its end before the next is touched.
pub fn split(sources: &[Source], amount_minor: i64) -> (Vec<Share>, i64) {
    let mut left = amount_minor.max(0);
    let mut shares = Vec::new();
    for source in sources {
        let share = take(source, left);
        left -= share.as_ref().map_or(0, |share| share.amount_minor);
        shares.extend(share);
    }
    (shares, left)
}

/// A tie goes to what is larger, then to the lower tender.
fn proportionally(mut among: Vec<Source>, amount_minor: i64) -> (Vec<Share>, i64) {
    among.sort_by(|one, other| order(one).cmp(&order(other)));
    let weights: Vec<i64> = among.iter().map(|source| source.free_minor).collect();
    let there: i64 = weights.iter().sum();
    let amount = amount_minor.min(there);
    if amount <= 0 {
        return (Vec::new(), amount_minor.max(0));
    }
    // No part is larger than its weight, because the whole is not larger than their sum.
    let parts = allocate(amount, &weights);
    let shares: Vec<Share> =
        among.iter().zip(parts).filter_map(|(source, part)| take(source, part)).collect();
    let given: i64 = shares.iter().map(|share| share.amount_minor).sum();
    (shares, amount_minor - given)
}

fn by_fit(mut among: Vec<Source>, amount_minor: i64) -> (Vec<Share>, i64) {
    let (mut shares, mut left) = (Vec::new(), amount_minor.max(0));
    while left > 0 && !among.is_empty() {
        let suffices = among.iter().filter(|source| source.free_minor >= left);
        // The smallest that suffices is the exact one, if there is one.
        let best = suffices.min_by_key(|source| (source.free_minor, order(source)));
        let best =
            best.or_else(|| among.iter().min_by_key(|source| (Reverse(source.free_minor), order(source))));
        let best = best.expect("there is a source left").clone();
        among.retain(|source| *source != best);
        let share = take(&best, left);
        left -= share.as_ref().map_or(0, |share| share.amount_minor);
        shares.extend(share);
    }
    (shares, left)
}

fn by_name(sources: &[Source], amount_minor: i64, named: &[Named]) -> (Vec<Share>, i64) {
    let (mut shares, mut left) = (Vec::new(), amount_minor.max(0));
    for tender in named {
        let its: Vec<Source> =
            sources.iter().filter(|source| source.payment_id == tender.payment_id).cloned().collect();
        let (taken, _) = split(&its, tender.amount_minor.min(left));
        left -= taken.iter().map(|share| share.amount_minor).sum::<i64>();
        shares.extend(taken);
    }
    (shares, left)
}

/// What sources could give together if no gateway rounded.
pub fn room(sources: &[Source]) -> i64 {
    sources.iter().map(|source| source.free_minor.max(0)).sum()
}

fn order(source: &Source) -> (&PaymentId, Option<&CaptureId>) {
    (&source.payment_id, source.capture_id.as_ref())
}

/// At most so much of a source, rounded down to what its gateway takes.
fn take(source: &Source, wanted_minor: i64) -> Option<Share> {
    let amount_minor = wanted_minor.min(source.free_minor);
    let amount_minor = amount_minor - amount_minor.rem_euclid(source.step_minor);
    (amount_minor > 0).then(|| Share {
        payment_id: source.payment_id.clone(),
        capture_id: source.capture_id.clone(),
        form: source.form,
        amount_minor,
    })
}
