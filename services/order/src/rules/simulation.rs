//! What a rule would have acted on: its condition, held against recorded orders and changes. Nothing happens.

use std::collections::BTreeMap;

use kit::{Failure, Principal};
use types::{ChangeOrderId, OrderId, Refusal};

use super::ask::Rules;
use super::domain::{self, Outcome, Trigger};
use crate::domain::condition::{Condition, EventFacts};
use crate::domain::order::Order;
use crate::store::{newest, orders};

/// Runs that are told; the counts go over all of them.
const TOLD_MAX: usize = 200;

pub struct Simulation {
    pub trigger: Trigger,
    pub condition: String,
    /// What stands for the folder an order is moved to.
    pub folder: String,
    /// So many of the newest orders or changes.
    pub count: i64,
}

#[derive(Debug)]
pub struct Simulated {
    pub order_id: OrderId,
    pub order_number: String,
    pub change_order_id: Option<ChangeOrderId>,
    pub outcome: Outcome,
    pub cause: Option<Refusal>,
}

#[derive(Debug, Default)]
pub struct SimulationReport {
    pub evaluated: i64,
    pub met: i64,
    pub failed: i64,
    /// Newest first.
    pub runs: Vec<Simulated>,
}

impl Rules {
    pub async fn simulate_rule(
        &self,
        principal: &Principal,
        asked: &Simulation,
    ) -> Result<SimulationReport, Failure> {
        let condition = Condition::compile(&asked.condition)?;
        let tenant = &principal.tenant;
        let mut report = SimulationReport::default();
        if !asked.trigger.is_of_change() {
            let found = self.orders.reading(async |tx| newest::orders(tx, tenant, asked.count).await).await?;
            for order in &found {
                report.add(asked, &condition, order, None);
            }
            return Ok(report);
        }
        let (changes, found) = self
            .orders
            .reading(async |tx| {
                let changes = newest::changes(tx, tenant, asked.count).await?;
                let keys = changes.iter().map(|change| (tenant.clone(), change.order_id.clone())).collect();
                Ok((changes, orders::load(tx, &keys).await?))
            })
            .await?;
        let by_id: BTreeMap<&OrderId, &Order> = found.iter().map(|order| (&order.order_id, order)).collect();
        for change in &changes {
            report.add(asked, &condition, by_id[&change.order_id], Some(change));
        }
        Ok(report)
    }
}

impl SimulationReport {
    fn add(
        &mut self,
        asked: &Simulation,
        condition: &Condition,
        order: &Order,
        change: Option<&crate::domain::change::ChangeOrder>,
    ) {
        let event = EventFacts {
            r#type: asked.trigger.as_str().to_owned(),
            folder: asked.folder.clone(),
            before_folder: String::new(),
        };
        self.evaluated += 1;
        let (outcome, cause) = match condition.holds(&domain::facts(event, order, &asked.folder, change)) {
            Ok(false) => return,
            Ok(true) => {
                self.met += 1;
                (Outcome::Done, None)
            }
            Err(refusal) => {
                self.failed += 1;
                (Outcome::Failed, Some(refusal))
            }
        };
        if self.runs.len() < TOLD_MAX {
            self.runs.push(Simulated {
                order_id: order.order_id.clone(),
                order_number: order.number.clone(),
                change_order_id: change.map(|change| change.change_order_id.clone()),
                outcome,
                cause,
            });
        }
    }
}
