//! Batches: kept, started, stopped and watched. The worker carries them out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kit::{Failure, Principal};
use tokio::sync::watch;
use types::{BatchId, Reason, Refusal, RequestId};

use super::store::{self as batches, totals};
use crate::batches::domain::means::Rates;
use crate::batches::domain::{Batch, BatchState, BatchView, ITEMS_MAX, Item, ItemState, Totals};
use crate::domain::change::LabelAction;
use crate::domain::listing::{Listed, Page};
use crate::domain::policy::Capability;
use crate::ops::{Orders, actor, cut};

/// What no hint tells of (another replica's worker, a lost hint) is seen after this.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A batch as it is asked for.
#[derive(Debug, Clone)]
pub struct NewBatch {
    /// Ids or numbers, each once; empty where an article is named.
    pub orders: Vec<String>,
    pub sku: String,
    pub reason_code: String,
    pub note: String,
    /// Voiding concerns the orders that have a label.
    pub label_action: LabelAction,
    pub rates: Rates,
    pub dry_run: bool,
}

/// Tells those who watch batches that one has moved.
#[derive(Clone)]
pub(super) struct BatchBell(Arc<watch::Sender<()>>);

/// One who watches batches.
pub struct BatchWatch(pub(super) watch::Receiver<()>);

/// What batches can be asked for; cheap to clone.
#[derive(Clone)]
pub struct Batches {
    pub(crate) orders: Orders,
    pub(super) bell: BatchBell,
}

impl Batches {
    pub fn new(orders: Orders) -> Self {
        Self { orders, bell: BatchBell(Arc::new(watch::Sender::new(()))) }
    }
}

impl BatchBell {
    pub(super) fn ring(&self) {
        self.0.send_replace(());
    }
}

impl BatchWatch {
    /// Waits until a batch may have moved.
    pub async fn something_new(&mut self) {
        // A hint and the end of the wait mean the same: read again.
        let _hint_or_not = tokio::time::timeout(LOOK_AGAIN, self.0.changed()).await;
    }
}

impl Batches {
    pub async fn create_batch(
        &self,
        principal: &Principal,
        request_id: RequestId,
        new: NewBatch,
    ) -> Result<BatchView, Failure> {
        self.orders.shelf(&principal.tenant).await?.edition.check(Capability::Batches)?;
        let content = format!("{new:?}");
        let once = self.orders.once(principal, "CreateBatch", request_id, &content);
        let minted: BatchId = self.orders.ids().mint();
        let (once, new, minted) = (&once, &new, &minted);
        let created = self.orders.database.write("create_batch", |mut tx| async move {
            if let Some(before) = once.before(&mut tx).await? {
                return Ok((tx, before));
            }
            let items = match named(&mut tx, principal, new).await? {
                Ok(items) => items,
                Err(refusal) => return Ok((tx, Err(refusal))),
            };
            let batch = Batch {
                tenant: principal.tenant.clone(),
                batch_id: minted.clone(),
                state: if new.dry_run { BatchState::Estimating } else { BatchState::Running },
                sku: new.sku.clone(),
                reason_code: new.reason_code.clone(),
                note: new.note.clone(),
                label_action: new.label_action,
                rates: new.rates.clone(),
                items: i64::try_from(items.len()).expect("at most ten thousand"),
                created_by: actor(principal),
                created_at: once.at,
                finished_at: None,
            };
            batches::insert(&mut tx, &batch, &items).await?;
            once.accept(&mut tx, minted.as_str()).await?;
            Ok((tx, Ok(minted.to_string())))
        });
        let resource = created.await??;
        self.bell.ring();
        self.batch_named(principal, &resource).await
    }

    pub async fn pause_batch(
        &self,
        principal: &Principal,
        request_id: RequestId,
        batch_id: &BatchId,
    ) -> Result<BatchView, Failure> {
        self.steer_batch(principal, "PauseBatch", request_id, batch_id, Batch::paused).await
    }

    pub async fn resume_batch(
        &self,
        principal: &Principal,
        request_id: RequestId,
        batch_id: &BatchId,
    ) -> Result<BatchView, Failure> {
        self.steer_batch(principal, "ResumeBatch", request_id, batch_id, Batch::resumed).await
    }

    pub async fn batch(&self, principal: &Principal, batch_id: &BatchId) -> Result<BatchView, Failure> {
        let found = self
            .orders
            .reading(async |tx| {
                let Some(batch) = batches::find(tx, &principal.tenant, batch_id).await? else {
                    return Ok(None);
                };
                let counts = totals::counts(tx, &batch).await?;
                let totals = totals::totals(tx, &batch).await?;
                Ok(Some(BatchView { batch, counts, totals }))
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Batch", batch_id.as_str()))
    }

    /// Batches with their counts, and without their totals.
    pub async fn list_batches(
        &self,
        principal: &Principal,
        page: &Page,
    ) -> Result<Listed<BatchView>, Failure> {
        let after = page.after.as_deref().unwrap_or_default();
        self.orders
            .reading(async |tx| {
                let found = batches::list(tx, &principal.tenant, after, page.size + 1).await?;
                let listed = cut(found, page, |batch| batch.batch_id.to_string());
                let mut items = Vec::with_capacity(listed.items.len());
                for batch in listed.items {
                    let counts = totals::counts(tx, &batch).await?;
                    items.push(BatchView { batch, counts, totals: Totals::default() });
                }
                Ok(Listed { items, next: listed.next })
            })
            .await
    }

    pub async fn batch_items(
        &self,
        principal: &Principal,
        batch_id: &BatchId,
        states: &[ItemState],
        page: &Page,
    ) -> Result<Listed<Item>, Failure> {
        self.batch(principal, batch_id).await?;
        let after = page.after.as_deref().unwrap_or("0").parse().map_err(Failure::internal)?;
        let tenant = &principal.tenant;
        let found = self
            .orders
            .reading(async |tx| batches::items(tx, tenant, batch_id, states, after, page.size + 1).await)
            .await?;
        Ok(cut(found, page, |item| item.item_number.to_string()))
    }

    /// Hints that a batch has moved.
    pub fn watch_batches(&self) -> BatchWatch {
        BatchWatch(self.bell.0.subscribe())
    }

    async fn steer_batch(
        &self,
        principal: &Principal,
        method: &str,
        request_id: RequestId,
        batch_id: &BatchId,
        next: fn(&Batch) -> Result<BatchState, Refusal>,
    ) -> Result<BatchView, Failure> {
        let once = &self.orders.once(principal, method, request_id, batch_id.as_str());
        let steered = self.orders.database.write("steer_batch", |mut tx| async move {
            if let Some(before) = once.before(&mut tx).await? {
                return Ok((tx, before.map(|_| ())));
            }
            let Some(batch) = batches::find(&mut tx, &principal.tenant, batch_id).await? else {
                return Ok((tx, Err(Refusal::not_found("Batch", batch_id.as_str()))));
            };
            let state = match next(&batch) {
                Ok(state) => state,
                Err(refusal) => return Ok((tx, Err(refusal))),
            };
            if !batches::set_state(&mut tx, &batch, state, batch.finished_at).await? {
                let message = "the batch has moved on meanwhile; try again";
                return Ok((tx, Err(Refusal::new(Reason::ConcurrentUpdate, message))));
            }
            once.accept(&mut tx, batch_id.as_str()).await?;
            Ok((tx, Ok(())))
        });
        steered.await??;
        self.bell.ring();
        self.batch(principal, batch_id).await
    }

    async fn batch_named(&self, principal: &Principal, resource: &str) -> Result<BatchView, Failure> {
        self.batch(principal, &BatchId::parse(resource).map_err(Failure::internal)?).await
    }
}

/// The items of a new batch: every order once, by the name it was given first.
async fn named(
    tx: &mut storage::Tx,
    principal: &Principal,
    new: &NewBatch,
) -> Result<Result<Vec<Item>, Refusal>, storage::DbError> {
    let tenant = &principal.tenant;
    let most = i64::try_from(ITEMS_MAX).expect("ten thousand fit");
    let found: Vec<(String, Option<types::OrderId>)> = if new.sku.is_empty() {
        let known = totals::resolve(tx, tenant, &new.orders).await?;
        let mut seen = BTreeSet::new();
        let orders = new.orders.iter().map(|name| (name.clone(), known.get(name).cloned()));
        orders.filter(|(_, id)| id.as_ref().is_none_or(|id| seen.insert(id.clone()))).collect()
    } else {
        let ids = totals::with_open_units(tx, tenant, &new.sku, most + 1).await?;
        ids.into_iter().map(|id| (id.to_string(), Some(id))).collect()
    };
    if found.is_empty() {
        let message = format!("no order has open units of {}", new.sku);
        return Ok(Err(Refusal::new(Reason::NothingToCancel, message).field("sku")));
    }
    if found.len() > ITEMS_MAX {
        let message = format!("more than {ITEMS_MAX} orders have open units of {}", new.sku);
        return Ok(Err(Refusal::new(Reason::StateConflict, message).field("sku").detail("max", ITEMS_MAX)));
    }
    let item = |(number, (named, order_id)): (i64, (String, Option<types::OrderId>))| Item {
        item_number: number,
        named,
        order_id,
        state: ItemState::Waiting,
        estimate: None,
        lines: None,
        label_action: LabelAction::Keep,
        integration: String::new(),
        fixed_at: 0,
        change_order_id: None,
        cause: None,
        currency: String::new(),
        amount_minor: 0,
        units: 0,
    };
    Ok(Ok((1..).zip(found).map(item).collect()))
}
