//! A carrier for development and tests, with a book of its own. It misbehaves by the label's token, as the wire's
//! documentation of `AttachLabel` says, and never at random.

mod store;

use std::time::Duration;

use storage::{Database, DbError};
use types::{Clock, LabelId, Tenant};

use self::store::Entry;
use crate::domain::{CarrierAnswer, Credit, VoidRefusal};

#[derive(Clone)]
pub struct Sandbox {
    database: Database,
    clock: Clock,
    /// How long what it does late takes.
    late: Duration,
}

impl Sandbox {
    pub fn new(database: Database, clock: Clock, late: Duration) -> Self {
        Self { database, clock, late }
    }

    /// Decides a label once, and tells from then on what it has decided.
    pub async fn void(&self, tenant: &Tenant, id: &LabelId, token: &str) -> CarrierAnswer {
        match self.ask(tenant, id, token).await {
            Ok(entry) if token.contains("lbl_timeout") && entry.asked == 1 => std::future::pending().await,
            Ok(entry) => entry.answer(self.clock.now().unix_micros()),
            Err(problem) => {
                tracing::warn!(%problem, "the sandbox carrier did not answer");
                CarrierAnswer::Later
            }
        }
    }

    async fn ask(&self, tenant: &Tenant, id: &LabelId, token: &str) -> Result<Entry, DbError> {
        let entry = self.decide(token);
        self.database
            .write("sandbox.void_label", |mut tx| {
                let (tenant, id, entry) = (tenant.clone(), id.clone(), entry.clone());
                async move {
                    let entry = store::ask(&mut tx, &tenant, &id, &entry).await?;
                    Ok((tx, entry))
                }
            })
            .await
    }

    fn decide(&self, token: &str) -> Entry {
        let refusal = [
            ("lbl_used", VoidRefusal::Used),
            ("lbl_manifested", VoidRefusal::Manifested),
            ("lbl_window", VoidRefusal::Window),
        ];
        let refusal = refusal.into_iter().find(|(name, _)| token.contains(name)).map(|(_, refusal)| refusal);
        let denied = token.contains("lbl_credit_denied");
        let now = self.clock.now();
        let later = now.plus(self.late).unix_micros();
        let now = now.unix_micros();
        Entry {
            token: token.to_owned(),
            refusal,
            credit: if denied { Credit::Denied } else { Credit::Granted },
            voided_at: if token.contains("lbl_late") { later } else { now },
            credited_at: if token.contains("lbl_credit_late") { later } else { now },
            asked: 1,
        }
    }
}
