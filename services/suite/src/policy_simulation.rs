//! `countermand policy simulate`: what another policy would have decided, from the facts of each decision's moment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use proto::common::v1::Role;
use proto::order::v1::{
    PolicyDifference, PolicyEffect, PolicyVerdict, RoleAbility, SimulatePolicyRequest, SimulatePolicyResponse,
};
use serde::Deserialize;

use crate::clients::Clients;
use crate::render;

const PAGE_SIZE: i32 = 200;

#[derive(Debug, Args)]
pub struct SimulateWish {
    /// A JSON file, or the name of a preset or stored policy.
    draft: String,
    /// The version of a stored policy; the latest when not given.
    #[arg(long, default_value_t = 0)]
    version: i64,
    /// How many of the newest decisions to look at.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    last: i32,
    /// How many of the decisions that would have been others to show.
    #[arg(long, default_value_t = 20)]
    examples: usize,
    /// Show what somebody of this role could do; may be given several times.
    #[arg(long = "role", value_name = "ROLE")]
    show_roles: Vec<String>,
    /// A JSON file of roles to try with it: each by its name, with what it `sees` and its `permissions`.
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
}

/// A role as a file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleDraft {
    sees: Vec<String>,
    permissions: Vec<String>,
}

pub async fn run(clients: &Clients, wish: &SimulateWish, json: bool) -> Result<()> {
    let request = request(wish)?;
    let mut first = clients.policies().simulate_policy(request.clone()).await?.into_inner();
    let mut page_token = first.next_page_token.clone();
    while !page_token.is_empty() && first.differences.len() < wish.examples {
        let next = SimulatePolicyRequest { page_token, ..request.clone() };
        let page = clients.policies().simulate_policy(next).await?.into_inner();
        first.differences.extend(page.differences);
        page_token = page.next_page_token;
    }
    first.differences.truncate(wish.examples);
    first.next_page_token.clear();
    if json {
        let name = "countermand.order.v1.SimulatePolicyResponse";
        return render::print_json(&render::proto_json(name, &first)?);
    }
    say!("{}", text(&first));
    Ok(())
}

fn request(wish: &SimulateWish) -> Result<SimulatePolicyRequest> {
    let path = Path::new(&wish.draft);
    let request = SimulatePolicyRequest {
        last: wish.last,
        page_size: i32::try_from(wish.examples.max(1)).unwrap_or(PAGE_SIZE).min(PAGE_SIZE),
        roles: wish.roles.as_deref().map(roles).transpose()?.unwrap_or_default(),
        show_roles: wish.show_roles.clone(),
        ..SimulatePolicyRequest::default()
    };
    if path.is_file() {
        let document =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        return Ok(SimulatePolicyRequest { document, ..request });
    }
    Ok(SimulatePolicyRequest { policy_id: wish.draft.clone(), version: wish.version, ..request })
}

fn roles(path: &Path) -> Result<Vec<Role>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let drafts: BTreeMap<String, RoleDraft> = serde_json::from_str(&text).with_context(|| {
        format!("{} is not a JSON object of roles, each with \"sees\" and \"permissions\"", path.display())
    })?;
    let role =
        |(role, draft): (String, RoleDraft)| Role { role, sees: draft.sees, permissions: draft.permissions };
    Ok(drafts.into_iter().map(role).collect())
}

fn text(simulated: &SimulatePolicyResponse) -> String {
    let mut parts: Vec<String> = simulated.roles.iter().map(ability).collect();
    parts.push(decisions(simulated));
    parts.join("\n\n")
}

/// What somebody of a role could do, a line each.
fn ability(role: &RoleAbility) -> String {
    let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let rows = [
        ("sees orders by", list(&role.sees)),
        ("may", list(&role.permissions)),
        ("loses to the policy", list(&role.taken_away)),
        ("calls", list(&role.calls.iter().map(|path| short(path)).collect::<Vec<_>>())),
    ];
    let rows = rows.map(|(what, text)| vec![what.to_owned(), text]);
    render::table(&[&role.role, ""], &[], rows)
}

/// `/countermand.order.v1.OrderService/GetOrder` as `OrderService/GetOrder`.
fn short(path: &str) -> String {
    let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or(("", path));
    format!("{}/{method}", service.rsplit('.').next().unwrap_or_default())
}

fn decisions(simulated: &SimulatePolicyResponse) -> String {
    if simulated.evaluated == 0 {
        return "No decision was recorded yet.".to_owned();
    }
    let counts = [
        ("the same", simulated.same),
        ("would be blocked", simulated.blocked),
        ("would be allowed", simulated.allowed),
        ("would cost otherwise", simulated.charged),
    ];
    let rows = counts.map(|(what, count)| vec![what.to_owned(), render::count(count)]);
    let evaluated = format!("{} decisions", render::count(simulated.evaluated));
    let mut parts = vec![render::table(&[&evaluated, ""], &[1], rows)];
    if !simulated.money.is_empty() {
        let rows = simulated.money.iter().map(|money| {
            let shown = |minor| render::money(&money.currency_code, minor);
            vec![
                shown(money.amount_minor),
                shown(money.would_amount_minor),
                shown(money.fee_minor),
                shown(money.would_fee_minor),
            ]
        });
        let header = ["gave back", "would give back", "fees", "would be fees"];
        parts.push(render::table(&header, &[0, 1, 2, 3], rows));
    }
    if !simulated.blocked_by.is_empty() {
        let rows = simulated
            .blocked_by
            .iter()
            .map(|block| vec![block.rule_id.clone(), block.reason.clone(), render::count(block.decisions)]);
        parts.push(render::table(&["blocked by rule", "reason", "decisions"], &[2], rows));
    }
    if !simulated.differences.is_empty() {
        let rows = simulated.differences.iter().map(example);
        let header = ["order", "asked by", "effect", "was", "would be"];
        parts.push(render::table(&header, &[], rows));
    }
    let shown = i64::try_from(simulated.differences.len()).unwrap_or(i64::MAX);
    let all = simulated.blocked + simulated.allowed + simulated.charged;
    if shown < all {
        parts.push(format!("{} more; --examples shows them.", render::count(all - shown)));
    }
    parts.join("\n\n")
}

fn example(difference: &PolicyDifference) -> Vec<String> {
    let effect = match difference.effect() {
        PolicyEffect::Blocked => "blocked",
        PolicyEffect::Allowed => "allowed",
        PolicyEffect::Charged => "charged",
        PolicyEffect::Unspecified => "the same",
    };
    let currency = &difference.currency_code;
    let by = difference.asked_by.clone().unwrap_or_default();
    let was = difference.was.clone().unwrap_or_default();
    let would = difference.would.clone().unwrap_or_default();
    vec![
        difference.order_number.clone(),
        format!("{} ({})", by.user, by.role),
        effect.to_owned(),
        verdict(&was, currency),
        verdict(&would, currency),
    ]
}

/// The rule and what it came to: `open-orders: GBP 12.00, fee GBP 3.00` or `shipped: IN_TRANSIT`.
fn verdict(verdict: &PolicyVerdict, currency: &str) -> String {
    let came_to = match &verdict.refusal {
        Some(refusal) => refusal.reason.clone(),
        None if verdict.fee_minor > 0 => format!(
            "{}, fee {}",
            render::money(currency, verdict.amount_minor),
            render::money(currency, verdict.fee_minor)
        ),
        None => render::money(currency, verdict.amount_minor),
    };
    format!("{}: {came_to}", verdict.rule_id)
}

#[cfg(test)]
mod tests {
    use proto::common::v1::{Actor, Refusal};
    use proto::order::v1::{PolicyBlock, PolicyMoney};

    use super::*;

    const GOLDEN: &str = "\
3 decisions
the same              1
would be blocked      1
would be allowed      0
would cost otherwise  1

gave back  would give back      fees  would be fees
GBP 51.00        GBP 35.10  GBP 0.00       GBP 3.90

blocked by rule  reason      decisions
on-its-way       IN_TRANSIT          1

order  asked by     effect   was              would be
UCI-2  ann (staff)  charged  open: GBP 39.00  open: GBP 35.10, fee GBP 3.90
UCI-1  ann (staff)  blocked  open: GBP 12.00  on-its-way: IN_TRANSIT";

    fn allowed(amount_minor: i64, fee_minor: i64) -> PolicyVerdict {
        let rule_id = "open".to_owned();
        PolicyVerdict { rule_id, allowed: true, refusal: None, amount_minor, fee_minor }
    }

    fn difference(order: &str, effect: PolicyEffect, was: i64, would: PolicyVerdict) -> PolicyDifference {
        PolicyDifference {
            effect: effect.into(),
            order_number: order.to_owned(),
            asked_by: Some(Actor { user: "ann".to_owned(), role: "staff".to_owned(), ..Actor::default() }),
            currency_code: "GBP".to_owned(),
            was: Some(allowed(was, 0)),
            would: Some(would),
            ..PolicyDifference::default()
        }
    }

    #[test]
    fn counts_money_rules_and_examples_are_tables() {
        let refusal = Refusal { reason: "IN_TRANSIT".to_owned(), ..Refusal::default() };
        let blocked = PolicyVerdict {
            rule_id: "on-its-way".to_owned(),
            refusal: Some(refusal),
            ..PolicyVerdict::default()
        };
        let simulated = SimulatePolicyResponse {
            evaluated: 3,
            same: 1,
            blocked: 1,
            charged: 1,
            money: vec![PolicyMoney {
                currency_code: "GBP".to_owned(),
                amount_minor: 5_100,
                fee_minor: 0,
                would_amount_minor: 3_510,
                would_fee_minor: 390,
            }],
            blocked_by: vec![PolicyBlock {
                rule_id: "on-its-way".to_owned(),
                reason: "IN_TRANSIT".to_owned(),
                decisions: 1,
            }],
            differences: vec![
                difference("UCI-2", PolicyEffect::Charged, 3_900, allowed(3_510, 390)),
                difference("UCI-1", PolicyEffect::Blocked, 1_200, blocked),
            ],
            ..SimulatePolicyResponse::default()
        };

        assert_eq!(text(&simulated), GOLDEN);
    }

    #[test]
    fn a_role_shows_what_it_could_do() {
        let clerk = RoleAbility {
            role: "clerk".to_owned(),
            sees: vec!["tenant".to_owned()],
            permissions: vec!["order.read".to_owned(), "cancel.request".to_owned()],
            taken_away: vec!["restore".to_owned()],
            calls: vec!["/countermand.order.v1.OrderService/GetOrder".to_owned()],
        };
        let simulated = SimulatePolicyResponse { roles: vec![clerk], ..SimulatePolicyResponse::default() };

        let golden = "\
clerk
sees orders by       tenant
may                  order.read, cancel.request
loses to the policy  restore
calls                OrderService/GetOrder

No decision was recorded yet.";
        assert_eq!(text(&simulated), golden);
    }
}
