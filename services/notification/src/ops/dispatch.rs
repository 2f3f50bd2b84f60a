//! Sends what is due through one channel: claims a few deliveries, lets the carrier try them side by side, and settles
//! each as soon as its try has ended.
//!
//! A crash in between leaves a row claimed; when the claim has run out it is tried again. A channel that takes no key
//! counts such a try as one in doubt, and makes at most one of them good: that is the one possible duplicate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use storage::{Database, DbError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use types::{Clock, Ids, NotificationId, Timestamp};

use super::alarms::{self, Alarm};
use crate::domain::{DeliveryState, Next, Outcome, SuppressionCause};
use crate::ports::Carrier;
use crate::store::deliveries::{self, Claim, Claimed};
use crate::store::suppressions::{self, Key, Suppression};

/// Deliveries under way at once.
pub const AT_ONCE: i64 = 16;
/// The poll that finds what fell due, and what a crashed replica left behind.
const POLL: Duration = Duration::from_secs(1);

pub struct Dispatch<C> {
    database: Database,
    clock: Clock,
    ids: Ids,
    carrier: C,
    /// Names this worker's claims. It is fresh with every process.
    token: String,
}

/// What was claimed: to be tried, or already decided.
struct Taken {
    to_try: Vec<Claimed>,
    settled: usize,
}

/// Does some work while the tries go on. A try that stands still in the middle of a write would keep an embedded database's
/// one writer from the very work that is waited for.
async fn beside<Try: Future<Output = (Claimed, Outcome)>, T>(
    tries: &mut FuturesUnordered<Try>,
    ended: &mut Vec<(Claimed, Outcome)>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(one) = tries.next(), if !tries.is_empty() => ended.push(one),
        }
    }
}

impl<C: Carrier> Dispatch<C> {
    pub fn new(database: Database, clock: Clock, ids: &Ids, carrier: C) -> Self {
        let token = ids.mint::<NotificationId>().to_string();
        Self { database, clock, ids: ids.clone(), carrier, token }
    }

    /// Runs until `shutdown`; tries that are under way then are ended and noted. A receiver that takes its time holds up
    /// nobody else: whatever room its try leaves is claimed again at once.
    pub async fn run(self, queued: Arc<Notify>, shutdown: CancellationToken) {
        let mut tries = FuturesUnordered::new();
        let mut ended = Vec::new();
        while !shutdown.is_cancelled() {
            if !ended.is_empty() {
                let noted = self.note(std::mem::take(&mut ended));
                beside(&mut tries, &mut ended, noted).await;
            }
            let under_way = i64::try_from(tries.len()).expect("the bound is small");
            let claimed = match beside(&mut tries, &mut ended, self.claim(AT_ONCE - under_way)).await {
                Ok(Taken { to_try, settled }) => {
                    let claimed = to_try.len() + settled;
                    tries.extend(to_try.into_iter().map(|claimed| self.try_one(claimed)));
                    claimed
                }
                Err(problem) => {
                    tracing::warn!(channel = C::OUTLET.as_str(), %problem, "deliveries could not be claimed");
                    0
                }
            };
            let full = tries.len() as u64 >= AT_ONCE.unsigned_abs();
            if !ended.is_empty() || (claimed > 0 && !full) {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = queued.notified(), if !full => {}
                () = tokio::time::sleep(POLL), if !full => {}
                Some(one) = tries.next(), if !tries.is_empty() => ended.push(one),
            }
        }
        ended.extend(tries.collect::<Vec<_>>().await);
        self.note(ended).await;
    }

    async fn try_one(&self, claimed: Claimed) -> (Claimed, Outcome) {
        let outcome = self.carrier.carry(&claimed.tenant, &claimed.delivery).await;
        (claimed, outcome)
    }

    async fn note(&self, ended: Vec<(Claimed, Outcome)>) {
        if ended.is_empty() {
            return;
        }
        if let Err(problem) = self.settle(ended).await {
            // The claims run out, and the tries are repeated under the same keys.
            tracing::warn!(channel = C::OUTLET.as_str(), %problem, "what became of deliveries could not be noted");
        }
    }

    /// Sends what is due now, and tells how many deliveries it dealt with.
    pub async fn turn(&self) -> Result<usize, DbError> {
        let Taken { to_try, settled } = self.claim(AT_ONCE).await?;
        let mut count = settled;
        let tries: FuturesUnordered<_> = to_try.into_iter().map(|claimed| self.try_one(claimed)).collect();
        let ended: Vec<_> = tries.collect().await;
        count += ended.len();
        self.settle(ended).await?;
        Ok(count)
    }

    /// Claims what is due; what nobody may be told any more, or must not be tried again, is decided in the same commit.
    async fn claim(&self, limit: i64) -> Result<Taken, DbError> {
        let (token, now) = (self.token.as_str(), self.clock.now());
        self.database
            .write("notification.claim_deliveries", |mut tx| async move {
                let claim = Claim { outlet: C::OUTLET, token, limit };
                let claimed = deliveries::claim(&mut tx, claim).await?;
                let keys: Vec<Key> = claimed.iter().map(key_of).collect();
                let suppressed = suppressions::active(&mut tx, &keys).await?;
                let (mut to_try, mut decided) = (Vec::new(), Vec::new());
                for claimed in claimed {
                    match decided_already(&claimed, suppressed.get(&key_of(&claimed)), now) {
                        Some(next) => decided.push((claimed, next)),
                        None => to_try.push(claimed),
                    }
                }
                deliveries::settle(&mut tx, token, &decided).await?;
                alarms::tell(&mut tx, &self.alarms(&decided), now).await?;
                Ok((tx, Taken { to_try, settled: decided.len() }))
            })
            .await
    }

    async fn settle(&self, ended: Vec<(Claimed, Outcome)>) -> Result<(), DbError> {
        let now = self.clock.now();
        let settled: Vec<(Claimed, Next)> = ended
            .into_iter()
            .map(|(claimed, outcome)| {
                let next = claimed.delivery.after(outcome, now);
                tell(&claimed, &next);
                (claimed, next)
            })
            .collect();
        let suppress: BTreeMap<Key, Suppression> = settled
            .iter()
            .filter_map(|(claimed, next)| {
                Some((key_of(claimed), suppression(claimed, next, next.suppress?, now)))
            })
            .collect();
        let alarms = self.alarms(&settled);
        let (token, settled, suppress, alarms) = (self.token.as_str(), &settled, &suppress, &alarms);
        let noted = self
            .database
            .write("notification.settle_deliveries", |mut tx| async move {
                let noted = deliveries::settle(&mut tx, token, settled).await?;
                suppressions::put(&mut tx, suppress).await?;
                alarms::tell(&mut tx, alarms, now).await?;
                Ok((tx, noted))
            })
            .await?;
        if noted != settled.len() as u64 {
            tracing::warn!(
                tried = settled.len(),
                noted,
                "some claims had run out; another worker repeats those"
            );
        }
        Ok(())
    }

    /// A person hears of what is dead.
    fn alarms(&self, settled: &[(Claimed, Next)]) -> Vec<Alarm> {
        let dead = settled.iter().filter(|(_, next)| next.progress.state == DeliveryState::Dead);
        dead.filter_map(|(Claimed { tenant, delivery }, next)| {
            let why = next.progress.last_error.as_deref().unwrap_or_default();
            Alarm::dead(&self.ids, tenant, delivery, why)
        })
        .collect()
    }
}

fn key_of(claimed: &Claimed) -> Key {
    (claimed.tenant.clone(), claimed.delivery.outlet, claimed.delivery.recipient.clone())
}

fn decided_already(claimed: &Claimed, suppressed: Option<&Suppression>, now: Timestamp) -> Option<Next> {
    if let Some(suppression) = suppressed {
        let why = format!("{}: {}", suppression.cause.as_str(), suppression.detail);
        return Some(claimed.delivery.suppressed(&why, now));
    }
    let why = "two tries may have arrived, so it is not tried again";
    claimed.delivery.is_in_doubt_for_good().then(|| claimed.delivery.dead(why, now))
}

fn suppression(claimed: &Claimed, next: &Next, cause: SuppressionCause, now: Timestamp) -> Suppression {
    Suppression {
        outlet: claimed.delivery.outlet,
        recipient: claimed.delivery.recipient.clone(),
        cause,
        detail: next.progress.last_error.clone().unwrap_or_default(),
        is_active: true,
        changed_at: now,
    }
}

fn tell(Claimed { tenant, delivery }: &Claimed, next: &Next) {
    tracing::info!(
        %tenant,
        delivery_id = %delivery.delivery_id,
        event_id = %delivery.event_id,
        channel = delivery.outlet.as_str(),
        template = delivery.template,
        state = next.progress.state.as_str(),
        tries = delivery.progress.tries,
        last_error = next.progress.last_error,
        "delivery tried"
    );
}
