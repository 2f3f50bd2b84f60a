//! What is hidden from a caller answers like what is not there: the same bytes, by the same statements.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use proto::common::v1::Scope;
use tests::{Clients, Service, Shop};
use tonic::Code;
use tonic_types::StatusExt as _;
use types::{Clock, Ids};

use super::contracts::{self, Method};
use super::golden::{Golden, Relation};
use super::requests::{self, Subject, stand};
use super::wire::answer;
use crate::Stage;

/// What services do by themselves is heard for so long, several rounds of each.
const BACKGROUND: Duration = Duration::from_secs(6);
/// The roles that see an order by their part in it, and together hold whatever such roles hold.
const PARTIES: [&str; 2] = ["buyer", "supplier"];

/// The statements that a suite has run so far, by name.
struct Statements<'a>(&'a Path);

impl Statements<'_> {
    fn so_far(&self) -> Result<usize> {
        Ok(std::fs::read_to_string(self.0).context("reading the statement log")?.lines().count())
    }

    fn since(&self, begin: usize, background: &BTreeSet<String>) -> Result<BTreeMap<String, usize>> {
        let mut counts = BTreeMap::new();
        for line in std::fs::read_to_string(self.0)?.lines().skip(begin) {
            if !background.contains(line) {
                *counts.entry(line.to_owned()).or_default() += 1;
            }
        }
        Ok(counts)
    }
}

/// An answer, with the ids that were asked for taken out.
async fn told(clients: &Clients, method: &Method, shop: &Shop, subject: &Subject) -> Result<(Code, String)> {
    let body = requests::body(shop, subject, &method.name);
    match answer(clients, method, body).await {
        Ok(message) => Ok((Code::Ok, subject.without_ids(&String::from_utf8_lossy(&message)))),
        Err(status) => {
            let details = status.get_error_details();
            let info = details.error_info().context("a refusal says why")?;
            // A map travels in any order.
            let metadata: BTreeMap<&String, &String> = info.metadata.iter().collect();
            let said =
                format!("{} {} {metadata:?} {}", status.message(), info.reason, status.details().len());
            Ok((status.code(), subject.without_ids(&said)))
        }
    }
}

pub async fn absent_and_hidden_are_told_alike_by_the_same_statements(stage: &Stage) -> Result<()> {
    let golden = Golden::read()?;
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("statements.txt");
    std::fs::write(&log, "")?;
    let logged = [
        ("COUNTERMAND_STATEMENT_LOG", log.display().to_string()),
        ("COUNTERMAND_STATEMENT_LOG_EACH", "1".to_owned()),
    ];
    let suite = stage.own_suite(&logged).await?;
    let shop = Shop::open(suite.clients()).await?;
    let hidden = stand(&shop).await.context("placing what is hidden")?;
    let absent = hidden.made_up(&Ids::random(Clock::System));
    let statements = Statements(&log);

    let begin = statements.so_far()?;
    tokio::time::sleep(BACKGROUND).await;
    let background: BTreeSet<String> = statements.since(begin, &BTreeSet::new())?.into_keys().collect();

    let (user, organisation) = Subject::whoever_is(Relation::Stranger);
    let (mut compared, mut counted) = (0, 0);
    for method in contracts::public(&golden)? {
        let is_of_an_order = method.scope == Scope::Party && !method.names_no_order();
        let role = PARTIES.into_iter().find(|role| golden.holds(role, &method.permission));
        let (Some(role), true, Service::Order) = (role, is_of_an_order, method.service) else { continue };
        let stranger = shop.clients.as_user(&user, &organisation, role);
        let mut seen = Vec::new();
        for subject in [&hidden, &absent] {
            let begin = statements.so_far()?;
            let told = told(&stranger, &method, &shop, subject).await?;
            seen.push((told, statements.since(begin, &background)?));
        }
        ensure!(seen[0] == seen[1], "{} as {role}: hidden {:?}, absent {:?}", method.name, seen[0], seen[1]);
        compared += 1;
        counted += seen[0].1.len();
    }
    ensure!(
        compared > 15 && counted >= compared,
        "{compared} RPCs, {counted} statements; aside of {background:?}"
    );
    Ok(())
}
