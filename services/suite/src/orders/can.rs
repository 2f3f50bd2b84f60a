//! `countermand order can`: what may be cancelled now, by the caller, and what has to be said for it.

use anyhow::Result;
use proto::order::v1::{GetCancelabilityRequest, GetCancelabilityResponse, RequiredAck};

use crate::clients::Clients;
use crate::render;
use crate::say::one_line;

pub async fn run(clients: &Clients, order: &str, json: bool) -> Result<()> {
    let order = super::find(clients, order).await?;
    let request = GetCancelabilityRequest { order_id: order.order_id };
    let answer = clients.changes().get_cancelability(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json(
            "countermand.order.v1.GetCancelabilityResponse",
            &answer,
        )?);
    }
    say!("{}", text(&answer, &order.currency_code));
    Ok(())
}

fn text(answer: &GetCancelabilityResponse, currency: &str) -> String {
    let advice = render::short(answer.advice().as_str_name(), "CANCEL_ADVICE_");
    let verdict = if answer.allowed { "yes" } else { "no" };
    let mut lines = vec![format!(
        "{} {verdict}, {advice}   (policy {}, rule {})",
        render::heading("cancel:"),
        answer.policy_version,
        answer.rule_id
    )];
    lines.extend(
        answer.blockers.iter().map(|blocker| format!("  {}: {}", blocker.reason, one_line(&blocker.message))),
    );
    lines.extend(
        answer.warnings.iter().map(|warning| format!("  {}: {}", warning.code, one_line(&warning.message))),
    );
    lines.extend(answer.required_acks().map(|ack| format!("  say it with {}", flag(ack))));
    if !answer.window_closes_at.is_empty() {
        lines.push(format!("  until {}", answer.window_closes_at));
    }
    let impact = answer.impact.unwrap_or_default();
    if impact.fee_minor > 0 {
        lines.push(format!("  a fee of up to {}", render::money(currency, impact.fee_minor)));
    }
    lines.extend(
        answer
            .edition_blockers
            .iter()
            .map(|blocker| format!("  {}: {}", blocker.reason, one_line(&blocker.message))),
    );
    lines.extend(
        answer
            .propagation
            .iter()
            .map(|told| format!("  {} {}: {}", told.target, told.reference, one_line(&told.message))),
    );
    let rows = answer.lines.iter().map(|line| {
        let why: Vec<&str> = line.blockers.iter().map(|blocker| blocker.reason.as_str()).collect();
        vec![
            line.line_number.to_string(),
            line.sku.clone(),
            line.available_to_cancel.to_string(),
            why.join(", "),
        ]
    });
    lines.push(String::new());
    lines.push(render::table(&["line", "sku", "can cancel", "why not"], &[0, 2], rows));
    if !answer.allowed_actions.is_empty() {
        lines.push(format!("\nyou may: {}", answer.allowed_actions.join(", ")));
    }
    lines.join("\n")
}

/// The option of `order cancel` that says it.
fn flag(ack: RequiredAck) -> &'static str {
    match ack {
        RequiredAck::SupplierContacted => "--ack-contact",
        RequiredAck::Confirm => "--confirm",
        RequiredAck::Unspecified => "an option of a newer version",
    }
}
