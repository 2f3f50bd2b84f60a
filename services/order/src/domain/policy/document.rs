//! The document of a policy, as it is written, stored and trusted after it was parsed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use types::{Permission, Reason, Refusal, Role};

use super::windows::{Expiry, Returns};
use crate::domain::cancelability::Advice;
use crate::domain::change::Settlement;
use crate::domain::order::OrderState;
use crate::domain::reason::Catalogue;
use crate::domain::terms::MoneyTerms;

/// The longest name of a rule, and the most rules of a document: it is read by people.
const RULE_LENGTH_MAX: usize = 64;
const RULES_MAX: usize = 200;
/// What a document says of roles. Anything else is said by the role map alone.
pub(super) const TAKEN_AWAY: [Permission; 15] = [
    Permission::CancelRequest,
    Permission::CancelOwn,
    Permission::CancelAny,
    Permission::CancelAfterPack,
    Permission::CancelForce,
    Permission::RefundExecute,
    Permission::RefundStoreCredit,
    Permission::RefundOverLimit,
    Permission::LabelVoid,
    Permission::Restore,
    Permission::Resolve,
    Permission::ReturnOpen,
    Permission::ReturnReceive,
    Permission::ReturnDecide,
    Permission::ShortShip,
];
/// A fee is at most everything that the change gives back.
const BASIS_POINTS_MAX: i64 = 10_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// One sentence for people.
    pub summary: String,
    /// Confirm an order when it is placed, instead of waiting for ConfirmOrder.
    pub auto_confirm: bool,
    /// What each role keeps of what the role map grants it; a role that is not named keeps nothing.
    pub roles: BTreeMap<String, BTreeSet<Permission>>,
    /// An order's creator may cancel it, whatever the role, while acting for the order's source router.
    pub creator_at_source_router: bool,
    /// Role by state; the first rule that fits decides, and where none fits nothing is allowed.
    pub matrix: Vec<MatrixRule>,
    /// How much of an order a role may select; "*" is every role that is not named.
    pub scope: BTreeMap<String, Scope>,
    pub units: Units,
    pub reason: ReasonRule,
    /// From this advice on a cancellation has to be confirmed.
    pub confirm_from: Option<Advice>,
    /// What happens to the money when the request does not say.
    pub settlement: Settlement,
    /// How it goes back over the tenders.
    #[serde(default)]
    pub tenders: Tenders,
    pub shipping: ShippingRule,
    pub bundle: Bundle,
    pub fees: Vec<FeeRule>,
    /// How much may be given back without units.
    #[serde(default)]
    pub goodwill: Goodwill,
    /// Until when an order has to be paid.
    #[serde(default)]
    pub expiry: Expiry,
    /// Until when units may come back.
    #[serde(default)]
    pub returns: Returns,
    /// What to do when a partner's word is required and does not come.
    pub unconfirmed: Unconfirmed,
}

/// Who may cancel an order in these states, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatrixRule {
    /// Stored with every decision that this rule makes.
    pub rule: String,
    /// Empty is every role.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    pub states: BTreeSet<OrderState>,
    pub effect: Effect,
    pub advice: Advice,
    #[serde(default)]
    pub contact: Contact,
    /// A permission that is needed beside the one to cancel.
    #[serde(default)]
    pub needs: Option<Permission>,
    /// The rule fits only so long after the order came to its state.
    #[serde(default)]
    pub within_seconds: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Allow,
    /// It is on its way.
    InTransit,
    /// It is there; a return can be agreed.
    Delivered,
    /// Not for this role at this state; the other party can propose a change.
    UseProposal,
    Forbid,
}

/// Whether the supplier has to be spoken to before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    #[default]
    No,
    /// A warning, not a block.
    Recommended,
    /// Refused without the caller's word or a reference of the message.
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Whole,
    Lines,
}

/// Which units may be cancelled at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Units {
    /// Whatever has not shipped.
    Open,
    /// Only what no fulfilment has yet.
    Unallocated,
    /// What has shipped and not arrived, too: nothing comes back by it.
    OpenOrShipped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReasonRule {
    /// Every line needs one, its own or the change's.
    pub required: bool,
    pub unknown: UnknownReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownReason {
    Accept,
    /// Only codes of the tenant's catalogue, with their note where they ask for one.
    Refuse,
}

impl ReasonRule {
    /// What is refused of a reason that was given; whether one has to be given is asked of cancellations alone.
    pub fn check_given(self, catalogue: &Catalogue, code: &str, note: &str, at: &str) -> Result<(), Refusal> {
        match self.unknown {
            _ if code.is_empty() => Ok(()),
            UnknownReason::Accept => Ok(()),
            UnknownReason::Refuse => catalogue.check(code, note, at),
        }
    }
}

/// How what goes back is divided over the tenders, and what becomes of a refund that a gateway declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenders {
    pub strategy: TenderStrategy,
    /// What a gateway declines becomes store credit.
    pub store_credit_fallback: bool,
}

/// In which order the captured tenders of gateways give back; the payment service knows how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenderStrategy {
    /// The latest capture first.
    #[default]
    Lifo,
    Fifo,
    /// By what is still refundable of each.
    Proportional,
    /// The tender of exactly the amount; else the smallest that suffices; else the largest, and again.
    ExactThenSmallestSufficient,
    /// Whoever asks for a change names its tenders; what nobody asked for in such words goes as LIFO does.
    Explicit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShippingRule {
    /// A delivery group's charge comes back with its last unit, if none of it ever shipped.
    #[default]
    OnLastUnit,
    /// Each unit brings back its share.
    Prorate,
    /// The charge is kept.
    None,
    /// The request says how much, at most what is left.
    Explicit,
}

/// How a bundle is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bundle {
    /// The price stands on the parent: it comes back with the parent, whatever becomes of the children.
    ParentPriced,
    /// The parent's price is divided over its children when the order is placed; each brings back its own.
    ChildProrated,
    /// A bundle is cancelled as a bundle, or not at all.
    Atomic,
}

/// What a supplier charges for a cancellation at these states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeeRule {
    pub rule: String,
    /// Empty is every supplier.
    #[serde(default)]
    pub supplier: String,
    pub states: BTreeSet<OrderState>,
    /// Of what the change gives back.
    #[serde(default)]
    pub basis_points: i64,
    /// A fixed amount, charged on orders of `currency` only.
    #[serde(default)]
    pub amount_minor: i64,
    #[serde(default)]
    pub currency: String,
}

/// The limit of all goodwill of an order together; the permission refund.over_limit goes past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goodwill {
    /// Of what the order came to when it was placed.
    pub basis_points: i64,
}

impl Default for Goodwill {
    fn default() -> Self {
        Self { basis_points: 2_500 }
    }
}

/// What a partner's silence at its deadline comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unconfirmed {
    /// The change goes on; the partner's leg is shown as unconfirmed.
    #[default]
    Commit,
    /// The change waits for the word.
    Wait,
    /// The change is rejected.
    Reject,
}

/// Why a text is no document of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("it is not a policy document: {0}")]
    Form(String),
    #[error("{0}")]
    Content(String),
}

impl Document {
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let document: Self =
            serde_json::from_str(text).map_err(|error| DocumentError::Form(error.to_string()))?;
        document.checked()
    }

    /// As [`Document::parse`], for a document that somebody writes now: its roles are names of roles. In stored ones a
    /// name that is none, "*" among them, grants nothing.
    pub fn parse_new(text: &str) -> Result<Self, DocumentError> {
        let document = Self::parse(text)?;
        let in_rules = document.matrix.iter().flat_map(|rule| &rule.roles);
        let in_scope = document.scope.keys().filter(|name| *name != "*");
        for name in document.roles.keys().chain(in_rules).chain(in_scope) {
            if Role::parse(name).is_ok_and(|role| role.as_str() == name) {
                continue;
            }
            let problem = format!("{name:?} is no name of a role; name each role, in small letters");
            return Err(DocumentError::Content(problem));
        }
        Ok(document)
    }

    /// How a change gives its money back when nobody says otherwise.
    pub fn money_terms(&self) -> MoneyTerms {
        MoneyTerms {
            strategy: self.tenders.strategy,
            store_credit_fallback: self.tenders.store_credit_fallback,
            over_refund_reason: String::new(),
        }
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("texts, numbers and names always have a JSON form")
    }

    /// What the form alone does not say: every rule has a name of its own and can fit some order.
    fn checked(self) -> Result<Self, DocumentError> {
        let wrong = |problem: String| Err(DocumentError::Content(problem));
        if self.matrix.is_empty() || self.matrix.len() + self.fees.len() > RULES_MAX {
            return wrong(format!("a policy has 1 to {RULES_MAX} rules, with its matrix not empty"));
        }
        let mut names = BTreeSet::new();
        let matrix = self.matrix.iter().map(|rule| (&rule.rule, &rule.states));
        for (name, states) in matrix.chain(self.fees.iter().map(|fee| (&fee.rule, &fee.states))) {
            let plain = types::text::is_plain(name);
            if name.is_empty() || name.len() > RULE_LENGTH_MAX || !plain || !names.insert(name) {
                return wrong(format!(
                    "the rule {name:?} needs a name of its own, 1 to {RULE_LENGTH_MAX} characters that are seen"
                ));
            }
            if states.is_empty() {
                return wrong(format!("the rule {name:?} names no state"));
            }
        }
        let mut listed = self.roles.values().flatten();
        if let Some(other) = listed.find(|permission| !TAKEN_AWAY.contains(permission)) {
            return wrong(format!("{other} is granted by the role map alone; a policy has no say in it"));
        }
        for fee in &self.fees {
            let fixed = fee.amount_minor > 0 && types::Currency::parse(&fee.currency).is_ok();
            let share = (1..=BASIS_POINTS_MAX).contains(&fee.basis_points);
            let none = fee.amount_minor == 0 && fee.basis_points == 0 && fee.currency.is_empty();
            let one_kind = (fixed && fee.basis_points == 0)
                || (share && fee.amount_minor == 0 && fee.currency.is_empty())
                || none;
            if !one_kind {
                return wrong(format!(
                    "the fee {:?} is an amount with its currency, or 1 to {BASIS_POINTS_MAX} basis points",
                    fee.rule
                ));
            }
        }
        if !(0..=BASIS_POINTS_MAX).contains(&self.goodwill.basis_points) {
            return wrong(format!("the limit of goodwill is 0 to {BASIS_POINTS_MAX} basis points"));
        }
        Ok(self)
    }
}

impl Effect {
    /// The reason a caller is refused with; none when it is allowed.
    pub fn refusal(self) -> Option<(Reason, &'static str)> {
        match self {
            Self::Allow => None,
            Self::InTransit => Some((Reason::InTransit, "the order is on its way to the customer")),
            Self::Delivered => {
                Some((Reason::Delivered, "the order was delivered; a return can still be agreed"))
            }
            Self::UseProposal => {
                Some((Reason::UseProposal, "the other party can propose a change of this order"))
            }
            Self::Forbid => {
                Some((Reason::PermissionDenied, "the policy forbids cancelling at this state of the order"))
            }
        }
    }
}

impl MatrixRule {
    pub fn fits(&self, role: &str, state: OrderState) -> bool {
        self.states.contains(&state) && (self.roles.is_empty() || self.roles.contains(role))
    }
}
