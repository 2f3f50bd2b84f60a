//! Simulating a policy on recorded decisions: what it would have blocked, allowed or charged.

use std::collections::BTreeMap;

use types::{QuantityError, Refusal, Timestamp};

use super::change::ChangeRequest;
use super::decided::{Decided, Outcome};
use super::order::{Actor, Order};
use super::policy::{Policy, standing};
use super::pricing::price_change;
use super::reason::Catalogue;

/// What a policy says to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The rule that decided.
    pub rule: String,
    pub outcome: Result<Price, Refusal>,
}

/// What the caller gets back, and the fee that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price {
    pub amount_minor: i64,
    pub fee_minor: i64,
}

/// How another policy would have decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Same,
    /// It was allowed and would be refused.
    Blocked,
    /// It was refused and would be allowed.
    Allowed,
    /// It would refund another amount, or keep another fee.
    Charged,
}

/// The totals over all decisions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub evaluated: i64,
    pub same: i64,
    pub blocked: i64,
    pub allowed: i64,
    pub charged: i64,
    /// By currency: as it was, and as it would have been.
    pub money: BTreeMap<String, (Price, Price)>,
    /// How many decisions a rule would have blocked, by rule and reason.
    pub blocked_by: BTreeMap<(String, &'static str), i64>,
}

/// One decision that would have been different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub effect: Effect,
    pub decided: Decided,
    pub would: Verdict,
}

/// What the policy says to a request. Whether another change holds the order is not asked.
pub fn decide(
    policy: &Policy,
    catalogue: &Catalogue,
    order: &Order,
    request: &ChangeRequest,
    actor: &Actor,
    now: Timestamp,
) -> Verdict {
    let standing = standing(policy, order, actor, now);
    let checked = standing.check(request, catalogue);
    let outcome = checked
        .and_then(|()| price_change(order, request, &policy.document))
        .map(|priced| Price { amount_minor: priced.amounts.amount, fee_minor: priced.amounts.fee });
    Verdict { rule: standing.rule, outcome }
}

/// Decides once more from the recorded facts, at the recorded instant.
pub fn again(decided: &Decided, draft: &Policy, catalogue: &Catalogue) -> Result<Verdict, QuantityError> {
    let (order, request) = (decided.order(), decided.request()?);
    Ok(decide(draft, catalogue, &order, &request, &decided.asked_by, decided.at))
}

pub fn effect(was: &Outcome, would: &Verdict) -> Effect {
    match (was.price(), &would.outcome) {
        (Some(_), Err(_)) => Effect::Blocked,
        (None, Ok(_)) => Effect::Allowed,
        (Some(was), Ok(price)) if was != *price => Effect::Charged,
        (Some(_), Ok(_)) | (None, Err(_)) => Effect::Same,
    }
}

impl Outcome {
    pub fn price(&self) -> Option<Price> {
        match self {
            Self::Allowed { amount_minor, fee_minor, .. } => {
                Some(Price { amount_minor: *amount_minor, fee_minor: *fee_minor })
            }
            Self::Refused(_) => None,
        }
    }
}

impl Tally {
    pub fn add(&mut self, decided: &Decided, would: &Verdict) -> Effect {
        let effect = effect(&decided.outcome, would);
        self.evaluated += 1;
        match effect {
            Effect::Same => self.same += 1,
            Effect::Blocked => self.blocked += 1,
            Effect::Allowed => self.allowed += 1,
            Effect::Charged => self.charged += 1,
        }
        let (was, becomes) = self.money.entry(decided.currency.to_string()).or_default();
        was.plus(decided.outcome.price().unwrap_or_default());
        becomes.plus(*would.outcome.as_ref().unwrap_or(&Price::default()));
        if let (Effect::Blocked, Err(refusal)) = (effect, &would.outcome) {
            *self.blocked_by.entry((would.rule.clone(), refusal.reason.as_str())).or_default() += 1;
        }
        effect
    }
}

impl Price {
    fn plus(&mut self, other: Self) {
        self.amount_minor += other.amount_minor;
        self.fee_minor += other.fee_minor;
    }
}
