//! Storing rules. What they do, does the worker.

use std::collections::BTreeSet;

use kit::{Failure, Principal};
use types::{RequestId, RuleId};

use crate::domain::listing::{Listed, Page};
use crate::domain::rules::{Rule, RuleWish, Run};
use crate::ops::calls::asking::{asked, unexpected};
use crate::ops::calls::orders::Orders;
use crate::ops::calls::reads::cut;
use crate::ops::command::{DeskAnswer, DeskWish};
use crate::store::rules as store;

impl Orders {
    pub async fn upsert_rule(
        &self,
        principal: &Principal,
        request_id: RequestId,
        wish: RuleWish,
    ) -> Result<Rule, Failure> {
        let content = format!("{wish:?}");
        let asked = asked(principal, "UpsertRule", request_id, &[content.as_bytes()]);
        match self.ask_desk(asked, DeskWish::UpsertRule(wish)).await? {
            Ok(DeskAnswer::Rule(rule)) => Ok(rule),
            Ok(DeskAnswer::Message(_) | DeskAnswer::Moved(..) | DeskAnswer::Folder(_)) => Err(unexpected()),
            Err(resource) => {
                let rules = self.rules(principal).await?;
                let found = rules.into_iter().find(|rule| rule.rule_id.as_str() == resource);
                found.ok_or_else(|| Failure::not_found("Rule", resource))
            }
        }
    }

    /// All rules, by name.
    pub async fn rules(&self, principal: &Principal) -> Result<Vec<Rule>, Failure> {
        let tenants = BTreeSet::from([principal.tenant.clone()]);
        let mut rules = self.reading(async |tx| store::of_tenants(tx, &tenants).await).await?;
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
            .reading(async |tx| {
                store::list_runs(tx, &principal.tenant, (rule_id, order_id), after, page.size + 1).await
            })
            .await?;
        Ok(cut(found, page, |run| format!("{} {}", run.event_id, run.rule_id)))
    }
}
