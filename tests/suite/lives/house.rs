//! The services that lives are lived in: a suite of their own, a gateway with a dashboard, a partner, and on PostgreSQL a
//! second replica of the order service.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use proto::inventory::v1::PartnerMethod;
use serde_json::Value;
use tests::outside::profile;
use tests::process::binary;
use tests::{Engine, Shop, Suite};

use super::simulator::Simulator;
use crate::Stage;

/// Seconds in which a partner has to answer: longer than a life.
const PARTNER_SECONDS: i64 = 3_600;

pub struct House {
    suite: Suite,
    pub simulator: Simulator,
    /// One at each replica.
    pub shops: Vec<Shop>,
}

impl House {
    pub async fn open(stage: &Stage) -> Result<Self> {
        let simulator = Simulator::start().await?;
        let suite = stage.own_suite(&simulator.settings()).await?;
        let mut shops = vec![Shop::open(suite.clients()).await?];
        if stage.engine() == Engine::Postgres {
            shops.push(Shop::open(suite.another_order_service().await?).await?);
        }
        shops[0].put_profile(profile("lives", &[(PartnerMethod::Phone, 0, PARTNER_SECONDS)])).await?;
        shops[0].partner("lives").await?;
        Ok(Self { suite, simulator, shops })
    }

    /// The orders whose books are red, each with its broken rows. Rows of no order stand under the empty name.
    pub async fn red_orders(&self) -> Result<BTreeMap<String, String>> {
        let mut command = Command::new(binary("countermand")?);
        command.args(["--json", "verify"]).args(self.suite.address_arguments());
        let output =
            tokio::task::spawn_blocking(move || command.output()).await?.context("running countermand")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let report: Value = serde_json::from_str(&text)
            .with_context(|| format!("verify: {text}{}", String::from_utf8_lossy(&output.stderr)))?;
        let mut red: BTreeMap<String, String> = BTreeMap::new();
        for broken in report["broken"].as_array().into_iter().flatten() {
            for order in broken["orders"].as_array().into_iter().flatten() {
                let order_id = order["order_id"].as_str().unwrap_or_default().to_owned();
                let row = format!("\n  {} {}: {}", broken["equation"], broken["says"], order["rows"]);
                red.entry(order_id).or_default().push_str(&row);
            }
        }
        ensure!(red.is_empty() != (report["holds"] == false), "a verdict without rows: {text}");
        Ok(red)
    }
}
