//! SimulatePolicy.

use std::sync::Arc;

use kit::answer::to_wire;
use kit::page::{Listing, Page};
use kit::{Access, Failure, Principal};
use proto::common::v1 as common;
use proto::order::v1 as wire;
use tonic::Request;
use types::text::display;
use types::{Reason, Refusal, Role};

use super::versions::{document, policy_id};
use crate::api::convert::{missing, not_negative};
use crate::domain::decided::{Decided, Outcome, Place};
use crate::domain::policy::{Ability, Permission, Policy, Shelf};
use crate::domain::simulation::{Difference, Effect, Tally, Verdict};
use crate::ops::{Orders, PolicySimulation};

const LAST_DEFAULT: i64 = 1_000;
const LAST_MAX: i64 = 10_000;
const ROLES_MAX: usize = 64;
/// What a document that is not stored yet is called.
const DRAFT: &str = "draft";
/// The parts of a page's key: the newest decision and the last difference, each with its time and name.
const KEY_PARTS: usize = 4;

pub async fn answer(
    orders: &Orders,
    request: Request<wire::SimulatePolicyRequest>,
) -> Result<wire::SimulatePolicyResponse, Failure> {
    let caller = Principal::of(&request)?.clone();
    let request = request.into_inner();

    let last = last(request.last)?;
    let shelf = orders.shelf(&caller.tenant).await?;
    let draft = draft(&shelf, &request)?;
    let abilities = abilities(&draft, &request.show_roles)?;
    let roles: Vec<u8> = request.roles.iter().flat_map(prost::Message::encode_to_vec).collect();
    let filter = (&request.document, &request.policy_id, request.version, last, &roles);
    let listing = Listing::new("SimulatePolicy", &caller.tenant, &filter);
    let page = Page::parse(orders.seal(), listing, request.page_size, &request.page_token)?;
    let (newest, after) = match page.after(KEY_PARTS)? {
        Some([newest, newest_id, after, after_id, ..]) => {
            (Some(place(newest, newest_id)), Some(place(after, after_id)))
        }
        Some(_) | None => (None, None),
    };
    let page_size = usize::try_from(page.limit() - 1).map_err(Failure::internal)?;
    let asked = PolicySimulation { draft: &draft, last, newest, after, page_size };
    let simulated = orders.simulate_policy(&caller, &asked).await?;

    let key = simulated.newest.zip(simulated.differences.last().map(|last| last.decided.place()));
    let next = key
        .filter(|_| simulated.more)
        .map(|(newest, last)| page.token(&[newest.at, newest.decision_id, last.at, last.decision_id]));
    Ok(wire::SimulatePolicyResponse {
        differences: simulated.differences.iter().map(difference).collect(),
        next_page_token: next.unwrap_or_default(),
        roles: abilities,
        ..counts(&simulated.tally)
    })
}

fn last(given: i32) -> Result<i64, Refusal> {
    match not_negative("last", i64::from(given))? {
        0 => Ok(LAST_DEFAULT),
        last if last <= LAST_MAX => Ok(last),
        last => {
            let message = format!("{last} decisions are too many; {LAST_MAX} are looked at");
            Err(Refusal::new(Reason::FieldInvalid, message).field("last").detail("max", LAST_MAX))
        }
    }
}

/// The policy that is tried, beside the roles that are tried with it.
fn draft(shelf: &Shelf, request: &wire::SimulatePolicyRequest) -> Result<Policy, Failure> {
    if request.roles.len() > ROLES_MAX {
        let message = format!("at most {ROLES_MAX} roles are tried at once");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("roles").into());
    }
    let tried = kit::roles::parse(&request.roles)?;
    let roles = Arc::new(shelf.roles.as_ref().clone().with(tried));
    Ok(Policy { roles, ..document_tried(shelf, request)? })
}

/// What each of these roles could do.
fn abilities(draft: &Policy, names: &[String]) -> Result<Vec<wire::RoleAbility>, Failure> {
    if names.len() > ROLES_MAX {
        let message = format!("at most {ROLES_MAX} roles are shown at once");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("show_roles").into());
    }
    let contracts = kit::access_table().map_err(Failure::internal)?;
    let shown = names.iter().enumerate().map(|(place, name)| {
        let at = || format!("show_roles[{place}]");
        let role = Role::parse(name).map_err(|error| Refusal::from(error).field(at()))?;
        if !draft.roles.lists(&role) {
            let listed: Vec<_> = draft.roles.iter().map(|(role, _)| role.as_str()).collect();
            let message = format!("there is no role {role}; the roles are {}", listed.join(", "));
            return Err(Refusal::new(Reason::FieldInvalid, message).field(at()));
        }
        Ok(ability(&role, &draft.ability(&role), &contracts))
    });
    Ok(shown.collect::<Result<_, _>>()?)
}

fn ability(role: &Role, ability: &Ability, contracts: &[(String, Access)]) -> wire::RoleAbility {
    let names = |permissions: &[Permission]| permissions.iter().map(ToString::to_string).collect();
    let calls = contracts.iter().filter(|(_, access)| ability.granted.holds(access.permission));
    wire::RoleAbility {
        role: role.to_string(),
        sees: ability.granted.reach.relations().map(|relation| relation.as_str().to_owned()).collect(),
        permissions: names(&ability.left),
        taken_away: names(&ability.taken_away),
        calls: calls.map(|(path, _)| path.clone()).collect(),
    }
}

/// A document, or a version that is there.
fn document_tried(shelf: &Shelf, request: &wire::SimulatePolicyRequest) -> Result<Policy, Failure> {
    match (request.document.is_empty(), request.policy_id.is_empty()) {
        (true, true) => Err(missing("document", "a simulation tries a document or a stored policy").into()),
        (false, false) => {
            let message = "a simulation tries a document or a stored policy, not both";
            Err(Refusal::new(Reason::FieldInvalid, message).field("policy_id").into())
        }
        (false, true) => {
            let document = document(&request.document)?;
            Ok(Policy { policy_id: DRAFT.to_owned(), version: 0, document, roles: Arc::clone(&shelf.roles) })
        }
        (true, false) => {
            let policy_id = policy_id(&request.policy_id)?;
            let found = shelf.find(&policy_id, not_negative("version", request.version)?);
            found.cloned().ok_or_else(|| Failure::not_found("Policy", &policy_id))
        }
    }
}

fn place(at: &str, decision_id: &str) -> Place {
    Place { at: at.to_owned(), decision_id: decision_id.to_owned() }
}

fn counts(tally: &Tally) -> wire::SimulatePolicyResponse {
    let money = tally.money.iter().map(|(currency, (was, would))| wire::PolicyMoney {
        currency_code: currency.clone(),
        amount_minor: was.amount_minor,
        fee_minor: was.fee_minor,
        would_amount_minor: would.amount_minor,
        would_fee_minor: would.fee_minor,
    });
    let mut blocked_by: Vec<wire::PolicyBlock> = tally
        .blocked_by
        .iter()
        .map(|((rule, reason), decisions)| wire::PolicyBlock {
            rule_id: rule.clone(),
            reason: (*reason).to_owned(),
            decisions: *decisions,
        })
        .collect();
    blocked_by.sort_by_key(|block| std::cmp::Reverse(block.decisions));
    wire::SimulatePolicyResponse {
        evaluated: tally.evaluated,
        same: tally.same,
        blocked: tally.blocked,
        allowed: tally.allowed,
        charged: tally.charged,
        money: money.collect(),
        blocked_by,
        ..wire::SimulatePolicyResponse::default()
    }
}

fn difference(difference: &Difference) -> wire::PolicyDifference {
    let Difference { effect, decided, would } = difference;
    let change_order_id = match &decided.outcome {
        Outcome::Allowed { change_order_id, .. } => change_order_id.to_string(),
        Outcome::Refused(_) => String::new(),
    };
    wire::PolicyDifference {
        effect: shown(*effect).into(),
        order_id: decided.order_id.to_string(),
        order_number: display(&decided.order_number),
        change_order_id,
        decided_at: decided.at.to_string(),
        asked_by: Some(common::Actor {
            user: display(&decided.asked_by.user),
            organisation: display(&decided.asked_by.organisation),
            role: display(&decided.asked_by.role),
        }),
        currency_code: decided.currency.to_string(),
        policy_version: decided.policy_version.clone(),
        was: Some(was(decided)),
        would: Some(verdict(would)),
    }
}

fn was(decided: &Decided) -> wire::PolicyVerdict {
    let outcome = match &decided.outcome {
        Outcome::Allowed { .. } => Ok(decided.outcome.price().unwrap_or_default()),
        Outcome::Refused(refusal) => Err(refusal.clone()),
    };
    verdict(&Verdict { rule: decided.rule.clone(), outcome })
}

fn verdict(verdict: &Verdict) -> wire::PolicyVerdict {
    let price = verdict.outcome.as_ref().copied().unwrap_or_default();
    wire::PolicyVerdict {
        rule_id: verdict.rule.clone(),
        allowed: verdict.outcome.is_ok(),
        refusal: verdict.outcome.as_ref().err().map(to_wire),
        amount_minor: price.amount_minor,
        fee_minor: price.fee_minor,
    }
}

fn shown(effect: Effect) -> wire::PolicyEffect {
    match effect {
        Effect::Same => wire::PolicyEffect::Unspecified,
        Effect::Blocked => wire::PolicyEffect::Blocked,
        Effect::Allowed => wire::PolicyEffect::Allowed,
        Effect::Charged => wire::PolicyEffect::Charged,
    }
}
