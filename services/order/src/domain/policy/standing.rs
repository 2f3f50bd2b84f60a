//! Where a caller stands towards an order under a policy, and whether a given request passes.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use types::{Reason, Refusal, Timestamp};

use super::Permission;
use super::Policy;
use super::document::{Contact, MatrixRule, ReasonRule, Scope, TenderStrategy};
use crate::domain::cancelability::Advice;
use crate::domain::change::{ChangeRequest, LabelAction, MoneyTerms, Selection, Settlement};
use crate::domain::order::{Actor, Order, OrderState};
use crate::domain::readers::{is_creator, is_customer};
use crate::domain::reason::Catalogue;

/// The rule of orders that are over: no policy has a say, there is nothing to cancel.
const NOTHING_LEFT: &str = "nothing-is-left";
/// The rule when nobody gave the caller leave.
const WHO: &str = "who-may-cancel";
/// The rule when the matrix has no place for this role at this state.
const NO_RULE: &str = "no-rule-fits";

/// What a policy says to a caller about an order before anything particular is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<'a> {
    pub policy: &'a Policy,
    /// The rule that decided.
    pub rule: String,
    pub advice: Advice,
    /// Why nothing can be cancelled by this caller now.
    pub refusal: Option<Refusal>,
    /// Why the caller may.
    pub grant: Option<Grant>,
    pub warnings: Vec<Warning>,
    pub required_acks: Vec<Ack>,
    /// When the rule that decided ceases to fit.
    pub window_closes_at: Option<Timestamp>,
    role: &'a str,
}

/// What a caller's leave to cancel comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// The current role may cancel any order.
    Role,
    /// The creator acts for the organisation that routed the order here.
    CreatorAtSourceRouter,
    /// The order is the caller's own, or of the organisation it acts for.
    Own,
}

/// What a caller has to say before it may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ack {
    SupplierContacted,
    Confirm,
}

/// What a caller should know and may go past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// UPPER_SNAKE, for programs.
    pub code: &'static str,
    pub message: String,
}

pub fn standing<'a>(policy: &'a Policy, order: &Order, actor: &'a Actor, now: Timestamp) -> Standing<'a> {
    let state = order.state();
    let mut standing = Standing {
        policy,
        rule: NOTHING_LEFT.to_owned(),
        advice: Advice::TooLate,
        refusal: None,
        grant: None,
        warnings: Vec::new(),
        required_acks: Vec::new(),
        window_closes_at: None,
        role: &actor.role,
    };
    if is_over(state) {
        return standing;
    }
    standing.grant = grant(policy, order, actor);
    let rule = fitting(policy, order, state, actor, now);
    let Some(rule) = rule else {
        return standing.refused(NO_RULE, Reason::PermissionDenied, "no rule allows this role to cancel now");
    };
    standing.advice = rule.advice;
    standing.window_closes_at = closes_at(rule, order, state);
    if standing.grant.is_none() {
        let message = "neither the current role nor the relation to the order allows to cancel it";
        return standing.refused(WHO, Reason::PermissionDenied, message);
    }
    rule.rule.clone_into(&mut standing.rule);
    if let Some((reason, message)) = rule.effect.refusal() {
        let mut refused = standing.refused(&rule.rule, reason, message);
        if reason == Reason::Delivered {
            refused.refusal = refused.refusal.map(|refusal| refusal.detail("next", "RETURN"));
        }
        return refused;
    }
    if let Some(needed) = rule.needs
        && !policy.permits(&actor.role, needed)
    {
        let message = format!("at this state of the order the permission {} is needed", needed.as_str());
        return standing.refused(&rule.rule, Reason::PermissionDenied, &message);
    }
    standing.asks(rule);
    standing
}

impl Standing<'_> {
    /// Holds a request against the policy; what units there are is not asked here.
    pub fn check(&self, request: &ChangeRequest, catalogue: &Catalogue) -> Result<(), Refusal> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        self.check_scope(request)?;
        check_reasons(self.policy.document.reason, request, catalogue)?;
        self.check_permissions(request)?;
        self.check_tenders(request)?;
        self.check_acks(request)
    }

    /// What happens to the money: what the request says, or else the policy.
    pub fn settlement(&self, request: &ChangeRequest) -> Settlement {
        request.settlement.unwrap_or(self.policy.document.settlement)
    }

    /// How the money goes back: as the policy says, where the request does not say more.
    pub fn money_terms(&self, request: &ChangeRequest) -> MoneyTerms {
        let terms = self.policy.document.money_terms();
        let wish = &request.said.money;
        let by_name = request.settlement == Some(Settlement::Explicit);
        MoneyTerms {
            strategy: if by_name { TenderStrategy::Explicit } else { terms.strategy },
            store_credit_fallback: terms.store_credit_fallback || wish.store_credit_fallback,
            over_refund_reason: wish.over_refund_reason.clone(),
        }
    }

    /// What the request has not acknowledged yet.
    pub fn missing_acks(&self, request: &ChangeRequest) -> Vec<Ack> {
        let said = &request.said;
        let given = |ack: &Ack| match ack {
            Ack::SupplierContacted => said.supplier_contacted || !said.supplier_contact_ref.is_empty(),
            Ack::Confirm => said.confirmed,
        };
        self.required_acks.iter().copied().filter(|ack| !given(ack)).collect()
    }

    pub fn permits(&self, permission: Permission) -> bool {
        self.policy.permits(self.role, permission)
    }

    fn refused(mut self, rule: &str, reason: Reason, message: &str) -> Self {
        rule.clone_into(&mut self.rule);
        let refusal = self.explained(Refusal::new(reason, message), rule);
        self.refusal = Some(refusal);
        self
    }

    fn explained(&self, refusal: Refusal, rule: &str) -> Refusal {
        refusal
            .detail("rule_id", rule)
            .detail("policy_version", self.policy.version_text())
            .detail("role", self.role)
    }

    /// What the rule wants said, and what it only recommends.
    fn asks(&mut self, rule: &MatrixRule) {
        let mut warn = |code, message: &str| {
            self.warnings.push(Warning { code, message: message.to_owned() });
        };
        match rule.contact {
            Contact::No => {}
            Contact::Recommended => warn("CONTACT_SUPPLIER", "talk to the supplier before cancelling"),
            Contact::Required => {
                warn(
                    "CONTACT_SUPPLIER_NOW",
                    "the supplier works on the order: talk to them immediately before",
                );
                self.required_acks.push(Ack::SupplierContacted);
            }
        }
        if self.policy.document.confirm_from.is_some_and(|from| rule.advice >= from) {
            self.required_acks.push(Ack::Confirm);
        }
    }

    fn check_scope(&self, request: &ChangeRequest) -> Result<(), Refusal> {
        match (self.policy.scope_of(self.role), &request.selection) {
            (Scope::Lines, _) | (Scope::Whole, Selection::Everything) => Ok(()),
            (Scope::Whole, Selection::Items(_) | Selection::AllEligible) => {
                let message = "only the whole order can be cancelled; for single items ask for a proposal";
                let refusal = Refusal::new(Reason::UseProposal, message).field("change.type");
                Err(self.explained(refusal, "scope-of-role"))
            }
        }
    }

    fn check_permissions(&self, request: &ChangeRequest) -> Result<(), Refusal> {
        let moves_money = matches!(request.settlement, Some(Settlement::Auto | Settlement::Explicit));
        let wish = &request.said.money;
        let wants_credit = wish.store_credit_fallback && !self.policy.document.tenders.store_credit_fallback;
        let wants_more = !wish.over_refund_reason.is_empty();
        let wanted = [
            (request.said.force, Permission::CancelForce, "change.force"),
            (moves_money, Permission::RefundExecute, "change.settlement"),
            (wants_credit, Permission::RefundStoreCredit, "change.store_credit_fallback"),
            (wants_more, Permission::RefundOverLimit, "change.allow_over_refund"),
            (request.label_action == LabelAction::Void, Permission::LabelVoid, "change.label_action"),
        ];
        for (asked, permission, field) in wanted {
            if asked && !self.permits(permission) {
                let message = format!("the role does not have the permission {}", permission.as_str());
                let refusal = Refusal::new(Reason::PermissionDenied, message).field(field);
                return Err(self.explained(refusal, permission.as_str()));
            }
        }
        Ok(())
    }

    /// A policy may want the tenders named by whoever asks.
    fn check_tenders(&self, request: &ChangeRequest) -> Result<(), Refusal> {
        let named = request.settlement == Some(Settlement::Explicit);
        let wanted = match self.settlement(request) {
            Settlement::Explicit => true,
            Settlement::Auto => self.policy.document.tenders.strategy == TenderStrategy::Explicit,
            Settlement::None => false,
        };
        if named || !wanted {
            return Ok(());
        }
        let message = "under this policy settlement EXPLICIT has to name the tenders";
        Err(self.explained(Refusal::new(Reason::FieldRequired, message).field("change.tenders"), "tenders"))
    }

    /// Whoever forces a change answers for it afterwards instead.
    fn check_acks(&self, request: &ChangeRequest) -> Result<(), Refusal> {
        if request.said.force {
            return Ok(());
        }
        let refusal = match self.missing_acks(request).first() {
            None => return Ok(()),
            Some(Ack::SupplierContacted) => {
                let message = "contact the supplier first, and say so or give the reference of the message";
                Refusal::new(Reason::ContactRequired, message).field("change.supplier_contacted")
            }
            Some(Ack::Confirm) => {
                let message = "others have worked on the order already: confirm that it is to be cancelled";
                Refusal::new(Reason::ConfirmationRequired, message).field("change.confirm")
            }
        };
        Err(self.explained(refusal, &self.rule))
    }
}

fn is_over(state: OrderState) -> bool {
    match state {
        OrderState::PlacementFailed
        | OrderState::Cancelled
        | OrderState::Returned
        | OrderState::ClosedMixed => true,
        OrderState::Placing
        | OrderState::Pending
        | OrderState::Confirmed
        | OrderState::Processing
        | OrderState::PartiallyShipped
        | OrderState::Shipped
        | OrderState::OutForDelivery
        | OrderState::PartiallyDelivered
        | OrderState::Delivered => false,
    }
}

/// Why a caller may act on an order at all, if it may.
pub fn grant(policy: &Policy, order: &Order, actor: &Actor) -> Option<Grant> {
    let (by, parties) = (&order.created_by, &order.parties);
    let acts_for = |party: &str| !party.is_empty() && actor.organisation == party;
    if policy.permits(&actor.role, Permission::CancelAny) {
        Some(Grant::Role)
    } else if policy.document.creator_at_source_router
        && actor.user == by.user
        && acts_for(&parties.source_router)
    {
        Some(Grant::CreatorAtSourceRouter)
    } else if policy.permits(&actor.role, Permission::CancelOwn)
        && (is_creator(actor, order)
            || is_customer(actor, order)
            || acts_for(&parties.buyer)
            || acts_for(&parties.supplier))
    {
        Some(Grant::Own)
    } else {
        None
    }
}

fn fitting<'a>(
    policy: &'a Policy,
    order: &Order,
    state: OrderState,
    actor: &Actor,
    now: Timestamp,
) -> Option<&'a MatrixRule> {
    policy.document.matrix.iter().find(|rule| {
        let open = closes_at(rule, order, state).is_none_or(|closes| now < closes);
        open && rule.fits(&actor.role, state)
    })
}

/// The window of a rule begins when the order came to the state it is in.
fn closes_at(rule: &MatrixRule, order: &Order, state: OrderState) -> Option<Timestamp> {
    let since = match state {
        OrderState::Placing | OrderState::Pending => order.created_at,
        OrderState::Confirmed => order.confirmed_at.unwrap_or(order.created_at),
        OrderState::PlacementFailed
        | OrderState::Processing
        | OrderState::PartiallyShipped
        | OrderState::Shipped
        | OrderState::OutForDelivery
        | OrderState::PartiallyDelivered
        | OrderState::Delivered
        | OrderState::Cancelled
        | OrderState::Returned
        | OrderState::ClosedMixed => order.processing_at.or(order.confirmed_at).unwrap_or(order.created_at),
    };
    rule.within_seconds.map(|seconds| since.plus(Duration::from_secs(u64::from(seconds))))
}

fn check_reasons(rule: ReasonRule, request: &ChangeRequest, catalogue: &Catalogue) -> Result<(), Refusal> {
    let check = |code: &str, note: &str, at: &str| {
        if code.is_empty() {
            if rule.required {
                let message = format!("a reason has to be chosen; the reasons are {}", catalogue.offered());
                let refusal = Refusal::new(Reason::ReasonRequired, message);
                return Err(refusal.field(format!("{at}.reason_code")));
            }
            return Ok(());
        }
        rule.check_given(catalogue, code, note, at)
    };
    match &request.selection {
        Selection::Everything | Selection::AllEligible => {
            check(&request.reason_code, &request.note, "change")
        }
        Selection::Items(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            let own = !item.reason_code.is_empty();
            let at = if own { format!("change.lines[{index}]") } else { "change".to_owned() };
            let code = if own { &item.reason_code } else { &request.reason_code };
            let note = if item.note.is_empty() { &request.note } else { &item.note };
            check(code, note, &at)
        }),
    }
}
