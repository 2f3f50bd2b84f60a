//! Rules at work: recorded events are looked through once per tenant, by one worker at a time, and every rule acts once
//! for each event.
//!
//! ```text
//!   event log ──▶ cursor (claimed) ──▶ condition ──▶ actions, each under a request id of (rule, event, action)
//!                                                       └──▶ rule_run, then the cursor moves on
//! ```
//!
//! After a crash the events behind the cursor are looked at again: their actions answer what they made before.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::{Failure, Principal};
use tokio_util::sync::CancellationToken;
use types::{Grants, Refusal, RequestId, Role, Tenant};

use super::ask::Rules;
use super::domain::{self, Action, DEPTH_MAX, Outcome, Rule, Run};
use super::event::{RuleEvent, kinds_of};
use super::store;
use crate::domain::change::{ChangeRequest, Channel};
use crate::domain::condition::Condition;
use crate::domain::conversation::NewMessage;
use crate::domain::history::Told;
use crate::ops::use_cases::{AddNote, MoveOrder, SubmitChange};
use crate::ops::{EventFilter, Found, Start};

/// What no hint tells of is looked for this often.
const LOOK: Duration = Duration::from_secs(1);
/// How long a worker has a tenant's events to itself; it is renewed with every page of events.
const CLAIM: Duration = Duration::from_mins(1);
/// How often an action is tried while something else holds the order, and how long in between.
const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// A rule with its condition, or with why that can't be read any more: it was checked when it was stored, by the limits
/// of that time.
type Armed = (Rule, Result<Condition, Refusal>);

impl Rules {
    /// Looks for events that rules act on until `shutdown`. While there are no rules, commits wake nobody: one that
    /// is written here does, and one of another replica is found by the next look.
    pub async fn work_rules(self, shutdown: CancellationToken) {
        let mut committed = self.orders.event_log.committed();
        loop {
            let any = self.look_at_rules().await.unwrap_or_else(|failure| {
                tracing::warn!(%failure, "rules could not be applied; it is tried again");
                true
            });
            let something_new =
                async { if any { committed.changed().await } else { std::future::pending().await } };
            tokio::select! {
                () = shutdown.cancelled() => return,
                // A hint and the end of the wait mean the same: look again.
                _hint_or_not = tokio::time::timeout(LOOK, something_new) => {}
                () = self.written.notified() => {}
            }
        }
    }

    /// One look at the events of every tenant that has rules, and whether any has.
    pub async fn look_at_rules(&self) -> Result<bool, Failure> {
        let tenants = self.orders.reading(async |tx| store::active_tenants(tx).await).await?;
        for tenant in &tenants {
            self.apply_rules(tenant).await?;
        }
        Ok(!tenants.is_empty())
    }

    async fn apply_rules(&self, tenant: &Tenant) -> Result<(), Failure> {
        let Some((mut position, mut claimed)) = self.claim_rules(tenant).await? else { return Ok(()) };
        let rules = self.armed(tenant).await?;
        let kinds = kinds_of(rules.iter().map(|(rule, _)| rule.trigger));
        let filter = EventFilter { order_id: None, kinds };
        let caller = Principal { tenant: tenant.clone(), ..nobody() };
        let mut reader = self.orders.read_events(&caller, filter, Start::After(position)).await?;
        loop {
            let is_end = match reader.next().await? {
                Found::Events(events) => {
                    for told in &events {
                        // Boxed: what a rule does is any call there is.
                        Box::pin(self.apply_to(tenant, &rules, told)).await?;
                    }
                    false
                }
                Found::NothingHere => false,
                Found::End => true,
            };
            position = position.max(reader.position());
            claimed = self.move_rules(tenant, claimed, position, !is_end).await?;
            if is_end {
                return Ok(());
            }
        }
    }

    async fn claim_rules(&self, tenant: &Tenant) -> Result<Option<(i64, i64)>, Failure> {
        let claimed = self.orders.database.write("claim_rules", |mut tx| async move {
            let now = tx.db_now().await?;
            let until = now + micros(CLAIM);
            let position = store::claim(&mut tx, tenant, now, until).await?;
            Ok((tx, position.map(|position| (position, until))))
        });
        Ok(claimed.await?)
    }

    /// Moves the cursor on and keeps the claim, or gives it up.
    async fn move_rules(
        &self,
        tenant: &Tenant,
        claimed: i64,
        position: i64,
        keep: bool,
    ) -> Result<i64, Failure> {
        let moved = self.orders.database.write("move_rules", |mut tx| async move {
            let until = if keep { tx.db_now().await? + micros(CLAIM) } else { 0 };
            store::advance(&mut tx, tenant, claimed, position, until).await?;
            Ok((tx, until))
        });
        Ok(moved.await?)
    }

    async fn armed(&self, tenant: &Tenant) -> Result<Vec<Armed>, Failure> {
        let tenants = BTreeSet::from([tenant.clone()]);
        let rules = self.orders.reading(async |tx| store::of_tenants(tx, &tenants).await).await?;
        let armed = rules.into_iter().filter(|rule| rule.enabled).map(|rule| {
            let condition = Condition::compile(&rule.condition);
            if let Err(refusal) = &condition {
                tracing::error!(rule_id = %rule.rule_id, %refusal.message, "a stored rule cannot be read");
            }
            (rule, condition)
        });
        Ok(armed.collect())
    }

    async fn apply_to(&self, tenant: &Tenant, rules: &[Armed], told: &Told) -> Result<(), Failure> {
        let done = self.orders.reading(async |tx| store::done_for(tx, tenant, &told.event_id).await).await?;
        let fits = |rule: &Rule| {
            kinds_of([rule.trigger]).contains(&told.kind)
                && rule.active_since <= told.occurred_at
                && !done.contains(&rule.rule_id)
        };
        let fitting: Vec<&Armed> = rules.iter().filter(|(rule, _)| fits(rule)).collect();
        if fitting.is_empty() {
            return Ok(());
        }
        let event = self.rule_event(tenant, told).await?;
        let mut runs = Vec::new();
        for armed in fitting {
            runs.extend(self.apply(armed, &event).await?);
        }
        let runs = &runs;
        let written = self.orders.database.write("append_rule_runs", |mut tx| async move {
            store::append_runs(&mut tx, runs).await?;
            Ok((tx, ()))
        });
        Ok(written.await?)
    }

    /// What one rule does for one event; nothing to record where its condition does not hold.
    async fn apply(&self, (rule, condition): &Armed, event: &RuleEvent) -> Result<Option<Run>, Failure> {
        let mut run = Run {
            tenant: rule.tenant.clone(),
            rule_id: rule.rule_id.clone(),
            rule_version: rule.version,
            event_id: event.event_id.clone(),
            order_id: event.order.order_id.clone(),
            outcome: Outcome::Done,
            cause: None,
            resources: Vec::new(),
            depth: event.depth + 1,
            at: self.orders.now(),
        };
        let holds = match condition {
            Ok(condition) => condition.holds(&event.facts(rule.trigger)),
            Err(refusal) => Err(refusal.clone()),
        };
        match holds {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(refusal) => {
                (run.outcome, run.cause) = (Outcome::Failed, Some(refusal));
                return Ok(Some(run));
            }
        }
        if event.depth >= DEPTH_MAX {
            (run.outcome, run.cause) = (Outcome::Loop, Some(domain::too_deep(event.depth)));
            return Ok(Some(run));
        }
        for (index, action) in rule.actions.iter().enumerate() {
            match self.act(rule, event, index, action).await {
                Ok(resource) => run.resources.extend(resource),
                Err(failure) if failure.reason().class().is_answer() => {
                    (run.outcome, run.cause) = (Outcome::Refused, Some(failure.refusal().clone()));
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Some(run))
    }

    /// Does one thing, and waits its turn while another change holds the order.
    async fn act(
        &self,
        rule: &Rule,
        event: &RuleEvent,
        index: usize,
        action: &Action,
    ) -> Result<Option<String>, Failure> {
        let mut tries = 1;
        loop {
            match self.act_once(rule, event, index, action).await {
                Err(failure) if failure.reason() == types::Reason::ChangeInProgress && tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn act_once(
        &self,
        rule: &Rule,
        event: &RuleEvent,
        index: usize,
        action: &Action,
    ) -> Result<Option<String>, Failure> {
        let actor = domain::actor(rule);
        let acting_as = Role::parse(&actor.role).unwrap_or_else(|_| Role::nobody());
        let caller = Principal {
            tenant: rule.tenant.clone(),
            issuer: Principal::OURSELVES.to_owned(),
            user: actor.user,
            organisation: actor.organisation,
            grants: self.orders.shelves().roles().of(&rule.tenant).grants(&acting_as),
            role: acting_as,
        };
        let name = format!("{}/{}/{index}", rule.rule_id, event.event_id);
        let request_id = RequestId::parse(&name).expect("two ids and a number are a request id");
        let order_id = event.order.order_id.clone();
        match action {
            Action::SubmitCancel { reason_code, note } => {
                let request = ChangeRequest::whole(&order_id, Channel::Rule, reason_code, note);
                let view =
                    self.orders.ask(&caller, request_id, SubmitChange { request, quote: None }).await?;
                Ok(Some(view.change.change_order_id.to_string()))
            }
            Action::MoveToFolder { folder_id } => {
                let (folder_id, depth) = (folder_id.clone(), event.depth + 1);
                self.orders.ask(&caller, request_id, MoveOrder { order_id, folder_id, depth }).await?;
                Ok(None)
            }
            Action::PropagateTo { target } => {
                Ok(Some(self.orders.propagate(&caller, request_id, &order_id, target).await?))
            }
            Action::WriteNote { visibility, text } => {
                let new = NewMessage::about(&order_id, *visibility, text);
                Ok(Some(self.orders.ask(&caller, request_id, AddNote(new)).await?.message_id.to_string()))
            }
        }
    }
}

/// Reading events needs a tenant, and nobody's authority.
fn nobody() -> Principal {
    Principal {
        tenant: Tenant::DEFAULT,
        issuer: Principal::OURSELVES.to_owned(),
        user: "countermand".to_owned(),
        organisation: String::new(),
        role: Role::system(),
        grants: Grants::of_the_house(),
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).expect("a claim is minutes long")
}
