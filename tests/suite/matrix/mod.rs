//! The matrix of permissions, walked over the wire: every RPC as every role, in every relation to an order, at home and
//! from a foreign tenant, against [`golden`], which people wrote.
//!
//! ```text
//!   golden.txt (RPC ─▶ permission, scope; permission ─▶ roles; role ─▶ relations) ──▶ expected
//!   requests (one well-formed call of each RPC) ──▶ the running suite ──▶ answered
//! ```

mod contracts;
mod golden;
pub mod hidden;
mod requests;
mod wire;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use proto::common::v1::Scope;
use tests::clients::Caller;
use tests::{Engine, Service, Shop};

use self::contracts::Method;
use self::golden::{Golden, Relation};
use self::requests::{Subject, stand};
use self::wire::{Answered, ask};
use crate::Stage;

/// Calls that are in flight at a time.
const AT_ONCE: usize = 8;
/// Findings that are told at once; more of one kind say no more.
const TOLD_MAX: usize = 40;

/// One call: who asks, for what, from where.
#[derive(Debug, Clone, Copy)]
struct Cell<'a> {
    method: &'a Method,
    role: &'a str,
    relation: Relation,
    at_home: bool,
}

/// What an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The role does not hold the permission.
    Refused,
    /// The caller sees the order that is asked for.
    Served,
    /// To the caller there is no such order.
    Absent,
    /// The permission is enough; whether there is such a thing is another question.
    NotRefused,
}

impl Cell<'_> {
    fn expected(&self, golden: &Golden) -> Expected {
        if !golden.holds(self.role, &self.method.permission) {
            return Expected::Refused;
        }
        let is_of_an_order = self.method.scope == Scope::Party && !self.method.names_no_order();
        match (is_of_an_order, self.method.service) {
            (false, _) => Expected::NotRefused,
            (true, Service::Order) if self.at_home && golden.sees(self.role, self.relation) => {
                Expected::Served
            }
            (true, Service::Order) => Expected::Absent,
            // The others know no parties: what is of an order is there for those who see everything.
            (true, _) if golden.sees_everything(self.role) => Expected::NotRefused,
            (true, _) => Expected::Absent,
        }
    }

    fn caller(&self, subject: &Subject) -> Caller {
        let (user, organisation) = Subject::whoever_is(self.relation);
        Caller {
            tenant: if self.at_home { subject.tenant.clone() } else { "elsewhere".to_owned() },
            user,
            organisation,
            role: self.role.to_owned(),
        }
    }
}

fn fits(expected: Expected, answered: &Answered) -> bool {
    match expected {
        Expected::Refused => *answered == Answered::Refused,
        Expected::Served => *answered == Answered::Served,
        Expected::Absent => *answered == Answered::Absent,
        Expected::NotRefused => matches!(answered, Answered::Served | Answered::Absent),
    }
}

/// Every RPC on SQLite, one of each permission on PostgreSQL.
fn walked(methods: &[Method], engine: Engine) -> Vec<&Method> {
    let mut seen = BTreeSet::new();
    methods
        .iter()
        .filter(|method| engine == Engine::Sqlite || seen.insert(method.permission.as_str()))
        .collect()
}

pub async fn every_cell_of_the_permission_table_holds_over_the_wire(stage: &Stage) -> Result<()> {
    let golden = Golden::read()?;
    let methods = contracts::public(&golden)?;
    let asked: BTreeSet<&str> = methods.iter().map(|method| method.permission.as_str()).collect();
    let written: BTreeSet<&str> = golden.permissions().collect();
    let apart: Vec<&&str> = asked.symmetric_difference(&written).collect();
    ensure!(apart.is_empty(), "golden.txt has what public RPCs need and nothing else, but: {apart:?}");

    // What is counted here is who may, not how often.
    let unlimited = ["READ", "WRITE", "MONEY", "EXPORT", "PARTY", "GUEST"]
        .map(|class| format!("COUNTERMAND_LIMITS__RATES__{class}__PER_SECOND"));
    let unlimited: Vec<(&str, String)> =
        unlimited.iter().map(|name| (name.as_str(), "0".to_owned())).collect();
    let suite = stage.own_suite(&unlimited).await?;
    let shop = Shop::open(suite.clients()).await?;
    let subject = stand(&shop).await.context("placing what is asked for")?;

    let methods = walked(&methods, stage.engine());
    let roles: Vec<&str> = golden.roles().collect();
    let cells = methods.iter().flat_map(|method| {
        roles.iter().flat_map(move |role| {
            Relation::ALL.into_iter().flat_map(move |relation| {
                [true, false].map(|at_home| Cell { method, role, relation, at_home })
            })
        })
    });
    let walked = futures::stream::iter(cells)
        .map(async |cell| {
            let body = requests::body(&shop, &subject, &cell.method.name);
            let clients = shop.clients.acting_as(cell.caller(&subject));
            (cell, ask(&clients, cell.method, body, &subject).await)
        })
        .buffer_unordered(AT_ONCE);
    let answers: Vec<(Cell<'_>, Answered)> = walked.collect().await;
    ensure!(answers.len() == methods.len() * roles.len() * Relation::ALL.len() * 2);

    let wrong = answers.iter().filter_map(|(cell, answered)| {
        let expected = cell.expected(&golden);
        (!fits(expected, answered)).then(|| {
            let Cell { method, role, relation, at_home } = cell;
            let place = if *at_home { "at home" } else { "elsewhere" };
            format!("{} as {role}, {relation:?}, {place}: {answered:?}, not {expected:?}", method.name)
        })
    });
    let wrong: Vec<String> = wrong.collect();
    let told = wrong.iter().take(TOLD_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    ensure!(wrong.is_empty(), "{} of {} cells are wrong:\n{told}", wrong.len(), answers.len());
    Ok(())
}
