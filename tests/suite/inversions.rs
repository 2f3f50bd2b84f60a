//! Where the rule of a row is data, the scenario that proves the row must notice when the rule is turned around. Each line
//! `~ subject name field = value` below a row of `features/rows.txt` is one such turn: the row's scenarios are run once in a
//! shop whose data was written anew as it was, where they hold, and once in a shop with that one rule turned around,
//! where they must fail.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::FutureExt as _;
use libtest_mimic::{Failed, Trial};
use proto::inventory::v1::{Confirmation, PartnerMethod, PartnerMethodProfile};
use proto::order::v1::{GetPolicyRequest, ListReasonsRequest, UpsertPolicyRequest, UpsertReasonRequest};
use serde_json::Value;
use tests::Shop;
use tokio::runtime::Runtime;

use crate::{Scenario, Stage, features};

/// A scenario that waits for what its rule forbids would wait long; by then it has not held.
const TURNED_MAX: Duration = Duration::from_secs(20);

/// One rule, turned around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inversion {
    subject: &'static str,
    name: &'static str,
    field: &'static str,
    value: &'static str,
}

/// What a stage does to the data of the shops that open on it.
#[derive(Debug, Clone, Copy)]
pub enum Data {
    AsItIs,
    /// Written again by the tenant without a difference.
    WrittenAnew,
    Turned(Inversion),
}

impl Inversion {
    /// Reads `policy marketplace scope.buyer = "lines"`.
    pub fn parse(text: &'static str) -> Result<Self> {
        let (what, value) = text.split_once(" = ").context("it says no value")?;
        let mut words = what.split(' ');
        let (Some(subject), Some(name), Some(field), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            bail!("this is not subject, name, field: {text}");
        };
        ensure!(["policy", "profile", "reason"].contains(&subject), "{subject} is no data");
        Ok(Self { subject, name, field, value })
    }
}

/// The trials, on the engine of one stage.
pub fn trials(
    runtime: &Arc<Runtime>,
    stage: &Arc<Stage>,
    scenarios: &[(&'static str, Scenario)],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (row, inversion) in features::inversions().expect("tidy::features_page_is_true reads the same rows") {
        for &(name, scenario) in scenarios.iter().filter(|(name, _)| features::proves(name, row)) {
            let (runtime, stage) = (Arc::clone(runtime), Arc::clone(stage));
            let title = format!("inverted::{name}::{}", inversion.field);
            trials.push(Trial::test(title, move || {
                runtime
                    .block_on(notices(&stage, inversion, scenario))
                    .map_err(|error| Failed::from(format!("{error:#}")))
            }));
        }
    }
    trials
}

async fn notices(stage: &Stage, inversion: Inversion, scenario: Scenario) -> Result<()> {
    let anew = stage.with(Data::WrittenAnew);
    scenario(&anew).await.context("it does not hold in a shop that wrote the same data itself")?;
    let turned = stage.with(Data::Turned(inversion));
    // A scenario may notice by a panic, too: a list is empty whose first entry it reads.
    let noticing = AssertUnwindSafe(scenario(&turned)).catch_unwind();
    match tokio::time::timeout(TURNED_MAX, noticing).await {
        Ok(Ok(Ok(()))) => bail!("it holds although {inversion:?}"),
        Ok(Ok(Err(_)) | Err(_)) | Err(_) => Ok(()),
    }
}

/// Writes what the stage wants into a shop that was just opened under a preset; the caller puts the policy in force.
pub async fn write(shop: &Shop, preset: &str, data: Data) -> Result<()> {
    let inversion = match data {
        Data::AsItIs => return Ok(()),
        Data::WrittenAnew => None,
        Data::Turned(inversion) => Some(inversion),
    };
    let of = |subject: &str| inversion.filter(|inversion| inversion.subject == subject);
    write_policy(shop, preset, of("policy").filter(|inversion| inversion.name == preset)).await?;
    if let Some(inversion) = of("profile") {
        write_profile(shop, inversion).await?;
    }
    if let Some(inversion) = of("reason") {
        write_reason(shop, inversion).await?;
    }
    Ok(())
}

async fn write_policy(shop: &Shop, preset: &str, inversion: Option<Inversion>) -> Result<()> {
    let request = GetPolicyRequest { policy_id: preset.to_owned(), version: 0 };
    let found = shop.clients.policies().get_policy(request).await?.into_inner().policy;
    let mut document: Value = serde_json::from_str(&found.context("the answer holds no policy")?.document)?;
    if let Some(inversion) = inversion {
        let place = place(&mut document, inversion.field)?;
        let value: Value = serde_json::from_str(inversion.value)?;
        ensure!(*place != value, "{inversion:?} turns nothing around");
        *place = value;
    }
    let request = UpsertPolicyRequest {
        request_id: shop.request_id(),
        policy_id: preset.to_owned(),
        document: document.to_string(),
    };
    shop.clients.policies().upsert_policy(request).await?;
    Ok(())
}

/// `matrix.b3-pending-freely.effect`: a rule of a list is found by its name.
fn place<'a>(document: &'a mut Value, field: &str) -> Result<&'a mut Value> {
    let mut here = document;
    for part in field.split('.') {
        here = match here {
            Value::Array(rules) => rules
                .iter_mut()
                .find(|rule| rule["rule"] == part)
                .with_context(|| format!("there is no rule {part}"))?,
            Value::Object(fields) => {
                fields.get_mut(part).with_context(|| format!("there is no field {part}"))?
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                bail!("{field} goes deeper than the document");
            }
        };
    }
    Ok(here)
}

async fn write_profile(shop: &Shop, inversion: Inversion) -> Result<()> {
    let seeded = shop.integration(inversion.name).await?;
    let mut profile = seeded.clone();
    match (inversion.field, inversion.value) {
        ("confirmation", "none") => profile.confirmation = Confirmation::None.into(),
        ("confirmation", "required") => profile.confirmation = Confirmation::Required.into(),
        ("needs_reason", value) => profile.needs_reason = value.parse()?,
        ("rule_required", value) => profile.rule_required = value.parse()?,
        ("window_seconds", value) => profile.methods[0].window_seconds = value.parse()?,
        ("methods", value) => {
            let method = match value {
                "api" => PartnerMethod::Api,
                "email" => PartnerMethod::Email,
                "phone" => PartnerMethod::Phone,
                _ => bail!("{value} is no method"),
            };
            profile.methods =
                vec![PartnerMethodProfile { method: method.into(), ..PartnerMethodProfile::default() }];
        }
        _ => bail!("{inversion:?} is not known"),
    }
    ensure!(profile != seeded, "{inversion:?} turns nothing around");
    Ok(shop.put_profile(profile).await?)
}

async fn write_reason(shop: &Shop, inversion: Inversion) -> Result<()> {
    ensure!(inversion.field == "retired", "{inversion:?} is not known");
    let request = ListReasonsRequest { language: "en".to_owned(), include_retired: true };
    let offered = shop.clients.policies().list_reasons(request).await?.into_inner().reasons;
    let mut reason = offered
        .into_iter()
        .find(|reason| reason.code == inversion.name)
        .with_context(|| format!("there is no reason {}", inversion.name))?;
    reason.retired = inversion.value.parse()?;
    reason.label = String::new();
    let request = UpsertReasonRequest { request_id: shop.request_id(), reason: Some(reason) };
    shop.clients.policies().upsert_reason(request).await?;
    Ok(())
}
