//! `countermand policy`, `countermand reasons` and `countermand edition`: what a tenant allows, the reasons it offers, and
//! what of the program it has.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use proto::order::v1::{
    ActivatePolicyRequest, CancelReason, Capability, GetPolicyRequest, GetTenantCapabilitiesRequest,
    ListPoliciesRequest, ListReasonsRequest, Policy, PolicySelector, PolicySelectorKind, ReasonFamily,
    SetTenantCapabilitiesRequest, UpsertPolicyRequest, UpsertReasonRequest,
};

use crate::clients::Clients;
use crate::policy_simulation::{self, SimulateWish};
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
    /// Hold a draft, a preset or a stored policy against recorded decisions; nothing happens.
    #[command(after_help = "Examples:
  countermand policy simulate ours.json --last 1000
  countermand policy simulate marketplace --examples 50
  countermand policy simulate ours.json --role buyer --role warehouse
  countermand policy simulate default --roles roles.json --role clerk")]
    Simulate(SimulateWish),
    /// Write the next version of a policy from a JSON file.
    Write { policy: String, file: PathBuf },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Family {
    NoLongerNeeded,
    CannotBeCompleted,
}

/// `TEXT` is English; `de=TEXT` names its language.
fn parse_label(text: &str) -> Result<(String, String), String> {
    let is_language =
        |word: &str| (2..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let (language, label) =
        text.split_once('=').filter(|(word, _)| is_language(word)).unwrap_or(("en", text));
    if label.is_empty() {
        Err("a reason is called something".to_owned())
    } else {
        Ok((language.to_owned(), label.to_owned()))
    }
}

#[derive(Debug, Subcommand)]
pub enum ReasonsVerb {
    /// The reasons that may be given, with what they are called.
    List {
        /// Such as de or fr.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// Add a reason, or replace the one of this code.
    #[command(after_help = "Example:
  countermand reasons add WEDDING_OFF --label 'The wedding was called off' --label de='Die Hochzeit fällt aus'")]
    Add {
        /// Capital letters, digits and '_'.
        code: String,
        /// What it is called: English, or LANGUAGE=TEXT.
        #[arg(long = "label", required = true, value_parser = parse_label)]
        labels: Vec<(String, String)>,
        #[arg(long, value_enum, default_value_t = Family::NoLongerNeeded)]
        family: Family,
        /// A note has to explain it.
        #[arg(long)]
        note_required: bool,
        /// Offer it no more; what was cancelled with it keeps it.
        #[arg(long)]
        retired: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum EditionVerb {
    /// What the tenant's edition holds.
    Show,
    /// Put the tenant on an edition.
    #[command(
        after_help = "Example: countermand edition set basic --without batches --without proposals --as ops:platform"
    )]
    Set {
        /// Such as basic.
        name: String,
        /// A part of the program that the edition leaves out.
        #[arg(long, value_enum)]
        without: Vec<Part>,
    },
}

/// What an edition may leave out.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Part {
    PartialCancellation,
    CancelAfterShip,
    Batches,
    Proposals,
    Rules,
    Restoring,
    Goodwill,
}

pub async fn edition(clients: &Clients, verb: EditionVerb, json: bool) -> Result<()> {
    let capabilities = match verb {
        EditionVerb::Show => {
            let request = GetTenantCapabilitiesRequest {};
            clients.policies().get_tenant_capabilities(request).await?.into_inner().capabilities
        }
        EditionVerb::Set { name, without } => {
            let request = SetTenantCapabilitiesRequest {
                request_id: orders::request_id(),
                edition: name,
                withheld: without.into_iter().map(|part| capability(part).into()).collect(),
            };
            clients.policies().set_tenant_capabilities(request).await?.into_inner().capabilities
        }
    };
    let capabilities = capabilities.context("the answer holds no capabilities")?;
    if json {
        let text = render::proto_json("countermand.order.v1.TenantCapabilities", &capabilities)?;
        return render::print_json(&text);
    }
    say!("{} {}", render::heading("edition:"), capabilities.edition);
    let rows = capabilities.capabilities.iter().map(|part| {
        let name = render::short(part.capability().as_str_name(), "CAPABILITY_").to_ascii_lowercase();
        vec![name.replace('_', " "), if part.included { "yes" } else { "no" }.to_owned()]
    });
    say!("{}", render::table(&["part", "included"], &[], rows));
    Ok(())
}

fn capability(part: Part) -> Capability {
    match part {
        Part::PartialCancellation => Capability::PartialCancellation,
        Part::CancelAfterShip => Capability::CancelAfterShip,
        Part::Batches => Capability::Batches,
        Part::Proposals => Capability::Proposals,
        Part::Rules => Capability::Rules,
        Part::Restoring => Capability::Restoring,
        Part::Goodwill => Capability::Goodwill,
    }
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
        PolicyVerb::Simulate(wish) => policy_simulation::run(clients, &wish, json).await,
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
    let language = match verb {
        ReasonsVerb::List { language } => language,
        ReasonsVerb::Add { code, labels, family, note_required, retired } => {
            let family = match family {
                Family::NoLongerNeeded => ReasonFamily::NoLongerNeeded,
                Family::CannotBeCompleted => ReasonFamily::CannotBeCompleted,
            };
            let reason = CancelReason {
                code,
                family: family.into(),
                labels: labels.into_iter().collect(),
                note_required,
                retired,
                ..CancelReason::default()
            };
            let request = UpsertReasonRequest { request_id: orders::request_id(), reason: Some(reason) };
            let written = clients.policies().upsert_reason(request).await?.into_inner().reason;
            say!("{} may be given from now on.", written.context("the answer holds no reason")?.code);
            return Ok(());
        }
    };
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
