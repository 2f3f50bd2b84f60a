//! A life of an order: how it is placed, and what happens to it, in order. It is a value, made of a seed before anything
//! has happened, so that it can be lived again with some of its steps left out.

use super::chance::Chance;

/// The gateway of this process, and another with a dashboard and disputes.
pub const SANDBOX: &str = "sandbox";
pub const SIMULATOR: &str = "acme";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    pub seed: u64,
    pub birth: Birth,
    pub steps: Vec<Step>,
}

/// How an order is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Birth {
    pub lines: Vec<Goods>,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    /// The last one pays what the others leave.
    pub tenders: Vec<Card>,
    pub at_partner: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goods {
    pub units: i64,
    pub price_minor: i64,
    /// Of the whole line; included in the price or beside it.
    pub tax_minor: i64,
    pub tax_included: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Card {
    pub gateway: &'static str,
    pub token: &'static str,
    pub captured: bool,
}

/// What happens, and what happens at the same moment through another replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub deed: Deed,
    pub meanwhile: Option<Deed>,
    /// Chooses among what is there when it happens.
    pub choice: u32,
}

/// What may happen to an order. What does not fit its state is refused, and that is a part of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deed {
    CancelUnits,
    CancelWhole,
    CancelEligible,
    CancelVoidingLabel,
    WithdrawChange,
    Goodwill,
    RetryRefund,
    ResolveRefund,
    ProposeFewer,
    ProposeMore,
    ProposeItem,
    ProposeCheaper,
    ProposeShipping,
    Approve,
    Decline,
    RequestWithdrawal,
    StartProcessing,
    Allocate,
    Ship,
    Deliver,
    AttachLabel,
    VoidLabel,
    OpenReturn,
    ReceiveReturn,
    AcceptReturn,
    RejectReturn,
    CloseReturn,
    Restore,
    RestoreUnpaid,
    Pay,
    ShortShip,
    Capture,
    RefundAtDashboard,
    OpenDispute,
    WinDispute,
    LoseDispute,
    PartnerAgrees,
    PartnerRefuses,
    PartnerShips,
    Pause,
}

impl Deed {
    /// How often each is tried, among all.
    pub const WEIGHTS: &[(Self, u32)] = &[
        (Self::CancelUnits, 8),
        (Self::CancelWhole, 6),
        (Self::CancelEligible, 3),
        (Self::CancelVoidingLabel, 2),
        (Self::WithdrawChange, 1),
        (Self::Goodwill, 4),
        (Self::RetryRefund, 1),
        (Self::ResolveRefund, 1),
        (Self::ProposeFewer, 2),
        (Self::ProposeMore, 2),
        (Self::ProposeItem, 2),
        (Self::ProposeCheaper, 2),
        (Self::ProposeShipping, 1),
        (Self::Approve, 6),
        (Self::Decline, 1),
        (Self::RequestWithdrawal, 3),
        (Self::StartProcessing, 1),
        (Self::Allocate, 7),
        (Self::Ship, 9),
        (Self::Deliver, 5),
        (Self::AttachLabel, 2),
        (Self::VoidLabel, 1),
        (Self::OpenReturn, 4),
        (Self::ReceiveReturn, 4),
        (Self::AcceptReturn, 4),
        (Self::RejectReturn, 1),
        (Self::CloseReturn, 1),
        (Self::Restore, 6),
        (Self::RestoreUnpaid, 2),
        (Self::Pay, 2),
        (Self::ShortShip, 2),
        (Self::Capture, 2),
        (Self::RefundAtDashboard, 2),
        (Self::OpenDispute, 1),
        (Self::WinDispute, 1),
        (Self::LoseDispute, 1),
        (Self::PartnerAgrees, 2),
        (Self::PartnerRefuses, 1),
        (Self::PartnerShips, 1),
        (Self::Pause, 2),
    ];

    fn any(chance: &mut Chance) -> Self {
        let all: u32 = Self::WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut left = chance.below(all);
        for (deed, weight) in Self::WEIGHTS {
            if left < *weight {
                return *deed;
            }
            left -= weight;
        }
        unreachable!("the weights sum to all")
    }
}

const STEPS_MAX: u32 = 9;

impl Life {
    pub fn of(seed: u64) -> Self {
        let chance = &mut Chance::new(seed);
        let birth = Birth::of(chance);
        let steps = (0..chance.between(2, STEPS_MAX)).map(|_| Step::of(chance)).collect();
        Self { seed, birth, steps }
    }
}

impl Birth {
    fn of(chance: &mut Chance) -> Self {
        let lines = (0..chance.between(1, 2)).map(|_| Goods::of(chance)).collect();
        let tenders = (0..chance.between(1, 2)).map(|_| Card::of(chance)).collect();
        Self {
            lines,
            shipping_minor: if chance.one_in(2) { chance.between(1, 800) } else { 0 },
            discount_minor: if chance.one_in(4) { chance.between(1, 99) } else { 0 },
            tenders,
            at_partner: chance.one_in(6),
        }
    }

    pub fn total_minor(&self) -> i64 {
        let lines = self.lines.iter().map(|goods| {
            goods.units * goods.price_minor + if goods.tax_included { 0 } else { goods.tax_minor }
        });
        lines.sum::<i64>() + self.shipping_minor - self.discount_minor
    }
}

impl Goods {
    fn of(chance: &mut Chance) -> Self {
        Self {
            units: chance.between(1, 4),
            price_minor: chance.between(100, 2_500),
            tax_minor: if chance.one_in(3) { chance.between(1, 90) } else { 0 },
            tax_included: chance.one_in(2),
        }
    }
}

impl Card {
    fn of(chance: &mut Chance) -> Self {
        const TOKENS: [&str; 14] = [
            "tok_approve",
            "tok_approve",
            "tok_approve",
            "tok_approve",
            "tok_approve",
            "tok_approve",
            "tok_refund_late",
            "tok_refund_late",
            "tok_approve",
            "tok_approve",
            "tok_refund_timeout",
            "tok_refund_decline",
            "tok_refund_fail_after",
            "tok_decline",
        ];
        if chance.one_in(3) {
            return Self { gateway: SIMULATOR, token: "tok_approve", captured: true };
        }
        Self { gateway: SANDBOX, token: chance.pick(&TOKENS), captured: !chance.one_in(4) }
    }
}

impl Step {
    fn of(chance: &mut Chance) -> Self {
        let deed = Deed::any(chance);
        let meanwhile = chance.one_in(5).then(|| Deed::any(chance));
        Self { deed, meanwhile, choice: chance.below(1 << 16) }
    }
}
