//! `countermand policy` and `countermand reasons`: what a tenant allows, and the reasons it offers.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::order::v1::{
    ActivatePolicyRequest, GetPolicyRequest, ListPoliciesRequest, ListReasonsRequest, Policy, PolicySelector,
    PolicySelectorKind, UpsertPolicyRequest,
};

use crate::clients::Clients;
use crate::{orders, render};

#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// The presets and your own policies, and which orders are under which.
    List,
    /// One policy's document, as JSON.
    Show {
        /// Such as marketplace.
        policy: String,
        /// The latest version when not given.
        #[arg(long, default_value_t = 0)]
        version: i64,
    },
    /// Put orders under a policy: all of them, or those of a channel or a supplier.
    #[command(after_help = "Examples:
  countermand policy use marketplace
  countermand policy use ordoro --channel shopify
  countermand policy use ours --version 3 --supplier mill")]
    Use {
        policy: String,
        /// The latest version when not given.
        #[arg(long, default_value_t = 0)]
        version: i64,
        /// Only orders with a reference of this external system.
        #[arg(long, conflicts_with = "supplier")]
        channel: Option<String>,
        /// Only orders that this organisation supplies.
        #[arg(long)]
        supplier: Option<String>,
    },
    /// Write the next version of a policy from a JSON file.
    Write { policy: String, file: PathBuf },
}

#[derive(Debug, Subcommand)]
pub enum ReasonsVerb {
    /// The reasons that may be given, with what they are called.
    List {
        /// Such as de or fr.
        #[arg(long, default_value = "en")]
        language: String,
    },
}

pub async fn policy(clients: &Clients, verb: PolicyVerb, json: bool) -> Result<()> {
    match verb {
        PolicyVerb::List => list(clients, json).await,
        PolicyVerb::Show { policy, version } => {
            let request = GetPolicyRequest { policy_id: policy, version };
            let answer = clients.policies().get_policy(request).await?.into_inner();
            let policy = answer.policy.context("the answer holds no policy")?;
            let document: serde_json::Value = serde_json::from_str(&policy.document)?;
            render::print_json(&document)
        }
        PolicyVerb::Use { policy, version, channel, supplier } => {
            let (kind, value) = match (channel, supplier) {
                (Some(channel), _) => (PolicySelectorKind::Channel, channel),
                (None, Some(supplier)) => (PolicySelectorKind::Supplier, supplier),
                (None, None) => (PolicySelectorKind::Tenant, String::new()),
            };
            let request = ActivatePolicyRequest {
                request_id: orders::request_id(),
                policy_id: policy,
                version,
                selector: Some(PolicySelector { kind: kind.into(), value }),
            };
            let answer = clients.policies().activate_policy(request).await?.into_inner();
            written(answer.policy, json)
        }
        PolicyVerb::Write { policy, file } => {
            let document =
                std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            let request =
                UpsertPolicyRequest { request_id: orders::request_id(), policy_id: policy, document };
            let answer = clients.policies().upsert_policy(request).await?.into_inner();
            written(answer.policy, json)
        }
    }
}

pub async fn reasons(clients: &Clients, verb: ReasonsVerb, json: bool) -> Result<()> {
    let ReasonsVerb::List { language } = verb;
    let request = ListReasonsRequest { language, include_retired: false };
    let answer = clients.policies().list_reasons(request).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.ListReasonsResponse", &answer)?);
    }
    let rows = answer.reasons.iter().map(|reason| {
        let family = render::short(reason.family().as_str_name(), "REASON_FAMILY_").to_ascii_lowercase();
        let note = if reason.note_required { "required" } else { "" };
        vec![reason.code.clone(), reason.label.clone(), family.replace('_', " "), note.to_owned()]
    });
    say!("{}", render::table(&["code", "label", "family", "note"], &[], rows));
    Ok(())
}

async fn list(clients: &Clients, json: bool) -> Result<()> {
    let answer = clients.policies().list_policies(ListPoliciesRequest {}).await?.into_inner();
    if json {
        return render::print_json(&render::proto_json(
            "countermand.order.v1.ListPoliciesResponse",
            &answer,
        )?);
    }
    let rows = answer.policies.iter().map(|policy| {
        vec![
            policy.policy_version.clone(),
            if policy.preset { "preset".to_owned() } else { policy.created_at.clone() },
            in_force_for(policy),
            policy.summary.clone(),
        ]
    });
    say!("{}", render::table(&["version", "written", "in force for", "what it says"], &[], rows));
    Ok(())
}

fn written(policy: Option<Policy>, json: bool) -> Result<()> {
    let policy = policy.context("the answer holds no policy")?;
    if json {
        return render::print_json(&render::proto_json("countermand.order.v1.Policy", &policy)?);
    }
    let in_force = in_force_for(&policy);
    let orders = if in_force.is_empty() { "no orders yet".to_owned() } else { in_force };
    say!("{} is in force for {orders}.", policy.policy_version);
    Ok(())
}

fn in_force_for(policy: &Policy) -> String {
    let selectors = policy.in_force_for.iter().map(|selector| match selector.kind() {
        PolicySelectorKind::Tenant => "all orders".to_owned(),
        PolicySelectorKind::Channel => format!("channel {}", selector.value),
        PolicySelectorKind::Supplier => format!("supplier {}", selector.value),
        PolicySelectorKind::Unspecified => "orders of a newer version's choice".to_owned(),
    });
    selectors.collect::<Vec<_>>().join(", ")
}
