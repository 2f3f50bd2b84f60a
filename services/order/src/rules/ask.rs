//! Rules: kept and listed. What they do, does the worker.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::{Failure, Principal};
use storage::{DbError, Table, Tx};
use tokio::sync::Notify;
use types::{FolderId, Refusal, RequestId, RuleId, Tenant, Timestamp};

use super::domain::{self, Action, Rule, RuleWish, Run};
use super::store;
use crate::domain::listing::{Listed, Page};
use crate::domain::policy::Capability;
use crate::ops::{Orders, cut};
use crate::store::{event_log, folders};

/// What rules can be asked for; cheap to clone.
#[derive(Clone)]
pub struct Rules {
    pub(crate) orders: Orders,
    /// Rung when a rule was written here: the worker may have had nothing to do until now.
    pub(super) written: Arc<Notify>,
}

impl Rules {
    pub fn new(orders: Orders) -> Self {
        Self { orders, written: Arc::default() }
    }

    pub async fn upsert_rule(
        &self,
        principal: &Principal,
        request_id: RequestId,
        wish: RuleWish,
    ) -> Result<Rule, Failure> {
        self.orders.shelf(&principal.tenant).await?.edition.check(Capability::Rules)?;
        let once = self.orders.once(principal, "UpsertRule", request_id, &format!("{wish:?}"));
        let minted: RuleId = self.orders.ids().mint();
        let (once, wish, minted) = (&once, &wish, &minted);
        let written = self.orders.database.write("upsert_rule", |mut tx| async move {
            if let Some(before) = once.before(&mut tx).await? {
                return Ok((tx, before));
            }
            let kept = keep(&mut tx, &principal.tenant, wish, minted, once.at).await?;
            if let Ok(rule_id) = &kept {
                once.accept(&mut tx, rule_id).await?;
            }
            Ok((tx, kept))
        });
        let resource = written.await??;
        self.written.notify_one();
        let found = self.rules(&principal.tenant).await?;
        let found = found.into_iter().find(|rule| rule.rule_id.as_str() == resource);
        found.ok_or_else(|| Failure::not_found("Rule", resource))
    }

    /// The systems that enabled rules of a tenant tell of cancellations.
    pub async fn told_by_rules(&self, tenant: &Tenant) -> Result<BTreeSet<String>, Failure> {
        let enabled = self.rules(tenant).await?.into_iter().filter(|rule| rule.enabled);
        let told = enabled.flat_map(|rule| rule.actions).filter_map(|action| match action {
            Action::PropagateTo { target } => Some(target),
            Action::SubmitCancel { .. } | Action::MoveToFolder { .. } | Action::WriteNote { .. } => None,
        });
        Ok(told.collect())
    }

    /// All rules, by name.
    pub async fn rules(&self, tenant: &Tenant) -> Result<Vec<Rule>, Failure> {
        let tenants = BTreeSet::from([tenant.clone()]);
        let mut rules = self.orders.reading(async |tx| store::of_tenants(tx, &tenants).await).await?;
        rules.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(rules)
    }

    /// What rules did, oldest event first. The page's key is the event and the rule.
    pub async fn rule_runs(
        &self,
        principal: &Principal,
        rule_id: Option<&RuleId>,
        order_id: &str,
        page: &Page,
    ) -> Result<Listed<Run>, Failure> {
        let rule_id = rule_id.map_or("", RuleId::as_str);
        let after = page.after.as_deref().unwrap_or_default().split_once(' ').unwrap_or_default();
        let found = self
            .orders
            .reading(async |tx| {
                store::list_runs(tx, &principal.tenant, (rule_id, order_id), after, page.size + 1).await
            })
            .await?;
        Ok(cut(found, page, |run| format!("{} {}", run.event_id, run.rule_id)))
    }
}

/// Keeps a rule as it is wished for, and says its id. The first rule of a tenant sees what happens from now on.
async fn keep(
    tx: &mut Tx,
    tenant: &Tenant,
    wish: &RuleWish,
    minted: &RuleId,
    now: Timestamp,
) -> Result<Result<String, Refusal>, DbError> {
    let tenants = BTreeSet::from([tenant.clone()]);
    let folders = folders::of_tenants(tx, &tenants).await?;
    let is_live =
        |id: &FolderId| folders.iter().any(|folder| folder.folder_id == *id && folder.deleted_at.is_none());
    if let Err(refusal) = names_live_folders(wish, is_live) {
        return Ok(Err(refusal));
    }
    let known = store::of_tenants(tx, &tenants).await?;
    let rule = match domain::upsert(tenant, wish, &known, minted.clone(), now) {
        Ok(rule) => rule,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut rules = Table::new();
    for rule in known {
        rules.load((tenant.clone(), rule.rule_id.clone()), rule);
    }
    let (key, resource) = ((tenant.clone(), rule.rule_id.clone()), rule.rule_id.to_string());
    if rules.update(&key, |kept| *kept = rule.clone()).is_none() {
        rules.insert(key, rule);
        let position = event_log::last_position(tx, tenant).await?;
        store::begin(tx, tenant, position).await?;
    }
    store::flush(tx, &rules).await?;
    Ok(Ok(resource))
}

fn names_live_folders(wish: &RuleWish, is_live: impl Fn(&FolderId) -> bool) -> Result<(), Refusal> {
    for (index, action) in wish.actions.iter().enumerate() {
        if let Action::MoveToFolder { folder_id: Some(folder_id) } = action
            && !is_live(folder_id)
        {
            let refusal = Refusal::not_found("Folder", folder_id.as_str());
            return Err(refusal.field(format!("rule.actions[{index}].move_to_folder.folder_id")));
        }
    }
    Ok(())
}
