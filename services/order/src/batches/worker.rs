//! A batch at work.
//!
//! ```text
//!   claim ─▶ fix what the next items do (one commit) ─▶ submit each under its own request id ─▶ write how they ended
//!     ▲                                                                                                     │
//!     └──────────────────────────── until nothing waits, somebody pauses, or the claim is lost ─────────────┘
//! ```
//!
//! Cut anywhere, whoever claims the batch next finds what was fixed and asks for the same again: the order service
//! answers with the change that was made before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use kit::{Deadline, Failure, Principal, Roles};
use tokio_util::sync::CancellationToken;
use types::{OrderId, Reason, Role};

use super::ask::Batches;
use super::store as batches;
use super::store::forecast;
use crate::batches::domain::means::Allowance;
use crate::batches::domain::{Batch, BatchState, Item, ItemState};
use crate::batches::store::Claim;
use crate::domain::order::Order;
use crate::ops::Wait;
use crate::ops::use_cases::SubmitChange;
use crate::store::orders;

/// What no hint tells of is looked for this often.
const LOOK: Duration = Duration::from_millis(500);
/// How long a worker has a batch to itself; it is renewed with every round.
const CLAIM: Duration = Duration::from_secs(15);
/// Items that are under way at once.
const ROUND: i64 = 32;
/// Accepted items that are looked after at once.
const FOLLOWED: i64 = 500;
/// What rates are counted over.
const MINUTE: Duration = Duration::from_mins(1);
/// How long one round waits for its changes; one that takes longer is followed.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an item is tried while another change holds its order, and how long in between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// What a round left.
#[derive(PartialEq, Eq)]
enum Round {
    /// There may be more to do at once.
    More,
    /// Only changes of others' pace are left.
    Waiting,
    Over,
}

impl Batches {
    /// Carries batches out until `shutdown`.
    pub async fn work_batches(self, shutdown: CancellationToken) {
        let mut watch = self.watch_batches();
        loop {
            let worked = match self.work_on_a_batch(&shutdown).await {
                Ok(worked) => worked,
                Err(failure) => {
                    tracing::warn!(%failure, "a batch could not be carried on; it is tried again");
                    false
                }
            };
            if shutdown.is_cancelled() {
                return;
            }
            if worked {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                _hint_or_not = tokio::time::timeout(LOOK, watch.0.changed()) => {}
            }
        }
    }

    /// Works on the batch that has waited longest; false when none is due.
    pub async fn work_on_a_batch(&self, shutdown: &CancellationToken) -> Result<bool, Failure> {
        let claimed = self.orders.database.write("claim_batch", |mut tx| async move {
            let now = tx.db_now().await?;
            let claim = batches::claim(&mut tx, now, now + micros(CLAIM)).await?;
            Ok((tx, claim))
        });
        let Some(mut claim) = claimed.await? else { return Ok(false) };
        loop {
            let round = match claim.batch.state {
                BatchState::Estimating => self.estimate_round(&claim.batch).await?,
                BatchState::Running => self.run_round(&claim.batch).await?,
                BatchState::Estimated | BatchState::Paused | BatchState::Completed => Round::Over,
            };
            self.bell.ring();
            let keep = round == Round::More && !shutdown.is_cancelled();
            // A batch that waits for others is looked at again a little later, so that the next one has its turn.
            let pause = if round == Round::Waiting { LOOK } else { Duration::ZERO };
            match self.renew(&claim, if keep { CLAIM } else { pause }).await? {
                Some(renewed) if keep => claim = renewed,
                Some(_) | None => return Ok(true),
            }
        }
    }

    async fn renew(&self, claim: &Claim, length: Duration) -> Result<Option<Claim>, Failure> {
        let renewed = self.orders.database.write("renew_batch_claim", |mut tx| async move {
            let until = tx.db_now().await? + micros(length);
            let state = batches::renew(&mut tx, claim, until).await?;
            Ok((tx, state.map(|state| (state, until))))
        });
        Ok(renewed
            .await?
            .map(|(state, until)| Claim { batch: Batch { state, ..claim.batch.clone() }, until }))
    }

    async fn estimate_round(&self, batch: &Batch) -> Result<Round, Failure> {
        let tenant = &batch.tenant;
        let items = self
            .orders
            .reading(async |tx| batches::unforeseen(tx, tenant, &batch.batch_id, FOLLOWED).await)
            .await?;
        if items.is_empty() {
            self.move_on(batch, BatchState::Estimated).await?;
            return Ok(Round::Over);
        }
        let found = self.orders_of(batch, &items).await?;
        let foreseen = self.foresee(batch, items, &found).await?;
        let foreseen = &foreseen;
        let written = self.orders.database.write("foresee_batch", |mut tx| async move {
            batches::update_items(&mut tx, batch, &foreseen.items).await?;
            batches::insert_estimate(&mut tx, batch, &foreseen.units).await?;
            forecast::insert(&mut tx, batch, &foreseen.expected).await?;
            Ok((tx, ()))
        });
        written.await?;
        Ok(Round::More)
    }

    async fn run_round(&self, batch: &Batch) -> Result<Round, Failure> {
        let (now, mut allowance, next) = self.due_items(batch).await?;
        if next.is_empty() {
            return self.follow_round(batch).await;
        }
        let (waiting, mut items): (Vec<Item>, Vec<Item>) =
            next.into_iter().partition(|item| item.state == ItemState::Waiting);
        let found = self.orders_of(batch, &waiting).await?;
        let fixed: Vec<Item> = waiting
            .into_iter()
            .map(|item| {
                let order = item.order_id.as_ref().and_then(|id| found.get(id));
                within_rates(item.clone(), batch.fixed(item, order), &mut allowance, now)
            })
            .collect();
        self.write_items(batch, &fixed).await?;
        items.extend(fixed.into_iter().filter(|item| item.state == ItemState::Submitting));

        let ended = join_all(items.into_iter().map(|item| self.submit_item(batch, item))).await;
        let ended = ended.into_iter().collect::<Result<Vec<_>, _>>()?;
        self.write_items(batch, &ended).await?;
        Ok(Round::More)
    }

    /// What may be submitted now, and the instant of the database's clock at which that was asked.
    async fn due_items(&self, batch: &Batch) -> Result<(i64, Allowance, Vec<Item>), Failure> {
        self.orders
            .reading(async |tx| {
                let now = tx.db_now().await?;
                let fixed = if batch.rates.is_empty() {
                    BTreeMap::new()
                } else {
                    batches::fixed_since(tx, batch, now - micros(MINUTE)).await?
                };
                let allowance = Allowance::of(&batch.rates, &fixed);
                let next = batches::due(tx, batch, &allowance, ROUND).await?;
                Ok((now, allowance, next))
            })
            .await
    }

    /// Looks after the changes that were accepted; the batch is done with the last of them.
    async fn follow_round(&self, batch: &Batch) -> Result<Round, Failure> {
        let executing = self.items_in(batch, &[ItemState::Executing], FOLLOWED).await?;
        if executing.is_empty() {
            // What a rate holds back waits for its minute to pass.
            if !self.items_in(batch, &[ItemState::Waiting], 1).await?.is_empty() {
                return Ok(Round::Waiting);
            }
            self.move_on(batch, BatchState::Completed).await?;
            return Ok(Round::Over);
        }
        let mut ended = Vec::new();
        for item in executing {
            let id = item
                .change_order_id
                .clone()
                .ok_or_else(|| Failure::internal("an item without its change"))?;
            let view = self.orders.change(&batch.tenant, &id).await?;
            let item = item.followed(&view.change, &view.currency.to_string());
            ended.extend(Some(item).filter(Item::is_over));
        }
        self.write_items(batch, &ended).await?;
        Ok(if ended.is_empty() { Round::Waiting } else { Round::More })
    }

    /// Asks for an item's change, and waits a while for its decision.
    async fn submit_item(&self, batch: &Batch, item: Item) -> Result<Item, Failure> {
        let Some(order_id) = item.order_id.clone() else {
            return Err(Failure::internal("an item was fixed without its order"));
        };
        let caller = caller(batch, self.orders.shelves().roles());
        let request = batch.request(&item, &order_id)?;
        let mut tries = 1;
        loop {
            let request_id = batch.request_id(&item);
            let submit = SubmitChange { request: request.clone(), quote: None };
            let until = (Wait::Committed, Deadline::after(PATIENCE));
            match self.orders.ask_for_change(&caller, request_id, submit, until).await {
                Ok(view) => return Ok(item.followed(&view.change, &view.currency.to_string())),
                Err(failure) if failure.reason().class().is_answer() => {
                    return Ok(item.refused(failure.refusal().clone()));
                }
                Err(failure) if failure.reason() == Reason::ChangeInProgress => {
                    if tries == TRIES {
                        return Ok(item.refused(failure.refusal().clone()));
                    }
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn items_in(&self, batch: &Batch, states: &[ItemState], limit: i64) -> Result<Vec<Item>, Failure> {
        let (tenant, batch_id) = (&batch.tenant, &batch.batch_id);
        self.orders.reading(async |tx| batches::items(tx, tenant, batch_id, states, 0, limit).await).await
    }

    async fn orders_of(&self, batch: &Batch, items: &[Item]) -> Result<BTreeMap<OrderId, Order>, Failure> {
        let keys: BTreeSet<_> = items
            .iter()
            .filter_map(|item| item.order_id.clone())
            .map(|order_id| (batch.tenant.clone(), order_id))
            .collect();
        let found = self.orders.reading(async |tx| orders::load(tx, &keys).await).await?;
        Ok(found.into_iter().map(|order| (order.order_id.clone(), order)).collect())
    }

    async fn write_items(&self, batch: &Batch, items: &[Item]) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let written = self.orders.database.write("write_batch_items", |mut tx| async move {
            batches::update_items(&mut tx, batch, items).await?;
            Ok((tx, ()))
        });
        Ok(written.await?)
    }

    /// Moves a batch on, unless somebody has paused it meanwhile.
    async fn move_on(&self, batch: &Batch, state: BatchState) -> Result<(), Failure> {
        let finished_at = (state == BatchState::Completed).then(|| self.orders.now());
        let moved = self.orders.database.write("move_batch_on", |mut tx| async move {
            let moved = batches::set_state(&mut tx, batch, state, finished_at).await?;
            Ok((tx, moved))
        });
        if !moved.await? {
            tracing::debug!(batch_id = %batch.batch_id, "the batch was steered while its worker ended");
        }
        Ok(())
    }
}

/// Whose authority a batch goes on with: its creator's, as far as the role map reaches today.
pub(super) fn caller(batch: &Batch, roles: &Roles) -> Principal {
    let by = &batch.created_by;
    // A role that the tenant has taken off its map since then may do nothing any more.
    let role = Role::parse(&by.role).unwrap_or_else(|_| Role::nobody());
    Principal {
        tenant: batch.tenant.clone(),
        issuer: Principal::OURSELVES.to_owned(),
        user: by.user.clone(),
        organisation: by.organisation.clone(),
        role: role.clone(),
        grants: roles.of(&batch.tenant).grants(&role),
    }
}

/// An item that was fixed, if its rate lets it go now. Otherwise it keeps waiting, and it is known for whom.
fn within_rates(waiting: Item, fixed: Item, allowance: &mut Allowance, now: i64) -> Item {
    if fixed.state != ItemState::Submitting {
        return fixed;
    }
    if allowance.take(&fixed.integration) {
        return Item { fixed_at: now, ..fixed };
    }
    Item { integration: fixed.integration, ..waiting }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).expect("a claim is seconds long")
}
