//! Simulating a draft of a policy: which recorded decisions it would have decided otherwise. Reads only.

use kit::{Failure, Principal};
use types::Tenant;

use crate::domain::decided::{Decided, Place};
use crate::domain::policy::Policy;
use crate::domain::simulation::{self, Difference, Effect, Tally};
use crate::ops::calls::orders::Orders;
use crate::store::decisions;

/// Decisions that are read at once.
const CHUNK: i64 = 500;

pub struct PolicySimulation<'a> {
    pub draft: &'a Policy,
    /// How many of the newest decisions are simulated.
    pub last: i64,
    /// The newest decision at the time of the first page, so that every page simulates the same decisions.
    pub newest: Option<Place>,
    /// The last difference on the previous page.
    pub after: Option<Place>,
    pub page_size: usize,
}

#[derive(Debug, Default)]
pub struct PolicySimulated {
    /// Totals over all simulated decisions; the same on every page.
    pub tally: Tally,
    /// Newest first.
    pub differences: Vec<Difference>,
    pub newest: Option<Place>,
    /// Whether there are more differences after this page.
    pub more: bool,
}

impl Orders {
    pub async fn simulate_policy(
        &self,
        principal: &Principal,
        asked: &PolicySimulation<'_>,
    ) -> Result<PolicySimulated, Failure> {
        let catalogue = self.shelf(&principal.tenant).await?.catalogue.clone();
        let mut simulated = PolicySimulated { newest: asked.newest.clone(), ..PolicySimulated::default() };
        let mut place = asked.newest.clone();
        let mut inclusive = true;
        let mut left = asked.last;
        while left > 0 {
            let limit = left.min(CHUNK);
            let chunk = self.decisions(&principal.tenant, place.as_ref(), inclusive, limit).await?;
            left = if chunk.len() == usize::try_from(limit).unwrap_or(usize::MAX) { left - limit } else { 0 };
            if simulated.newest.is_none() {
                simulated.newest = chunk.first().map(Decided::place);
            }
            if let Some(last) = chunk.last() {
                (place, inclusive) = (Some(last.place()), false);
            }
            for decided in chunk {
                let would =
                    simulation::again(&decided, asked.draft, &catalogue).map_err(Failure::internal)?;
                let effect = simulated.tally.add(&decided, &would);
                simulated.show(asked, Difference { effect, decided, would });
            }
        }
        Ok(simulated)
    }

    async fn decisions(
        &self,
        tenant: &Tenant,
        place: Option<&Place>,
        inclusive: bool,
        limit: i64,
    ) -> Result<Vec<Decided>, Failure> {
        self.reading(async |tx| decisions::up_to(tx, tenant, place, inclusive, limit).await).await
    }
}

impl PolicySimulated {
    /// Keeps a difference that belongs on the page.
    fn show(&mut self, asked: &PolicySimulation<'_>, difference: Difference) {
        let seen = asked.after.as_ref().is_some_and(|after| difference.decided.place() >= *after);
        if difference.effect == Effect::Same || seen {
            return;
        }
        if self.differences.len() < asked.page_size {
            self.differences.push(difference);
        } else {
            self.more = true;
        }
    }
}
