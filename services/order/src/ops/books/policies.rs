//! The policies and reasons of tenants: read once per revision, used in every batch, and written by the group commit like everything
//! else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use kit::Roles;
use storage::{DbError, Tx, role_map};
use types::Tenant;

use crate::domain::policy::Shelf;
use crate::store::policies::{self, Written};

/// Tenants whose policies are cached. Beyond that they are read again.
const SHELVES_MAX: usize = 1_000;

/// A cache of what was last read of each tenant. A batch reads only the revision and takes the rest from here.
#[derive(Debug, Clone)]
pub struct Shelves {
    read: Arc<Mutex<HashMap<Tenant, Arc<Shelf>>>>,
    /// The role map of a tenant that has written none, and where newer maps are made known.
    roles: Roles,
}

impl Shelves {
    pub fn new(roles: Roles) -> Self {
        Self { read: Arc::default(), roles }
    }

    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The policies of these tenants as of this transaction: one small read, and more only after a write.
    pub async fn load(
        &self,
        tx: &mut Tx,
        tenants: &BTreeSet<Tenant>,
    ) -> Result<BTreeMap<Tenant, Arc<Shelf>>, DbError> {
        let revisions = policies::revisions(tx, tenants).await?;
        let mut shelves = BTreeMap::new();
        for tenant in tenants {
            let revision = revisions.get(tenant).copied().unwrap_or(0);
            let found = match self.at_hand(tenant, revision) {
                Some(at_hand) => at_hand,
                None => self.keep(tenant, policies::shelf(tx, tenant, revision, self.roles.base()).await?),
            };
            shelves.insert(tenant.clone(), found);
        }
        Ok(shelves)
    }

    fn at_hand(&self, tenant: &Tenant, revision: i64) -> Option<Arc<Shelf>> {
        let shelves = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        shelves.get(tenant).filter(|shelf| shelf.revision == revision).cloned()
    }

    fn keep(&self, tenant: &Tenant, read: Shelf) -> Arc<Shelf> {
        let kept = Arc::new(read);
        let mut shelves = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if shelves.len() >= SHELVES_MAX {
            shelves.clear();
        }
        shelves.insert(tenant.clone(), Arc::clone(&kept));
        kept
    }
}

/// The policies that a batch decides by, and what it writes about them. Writing is the last thing that a command does, so a write never has
/// to be rolled back.
#[derive(Debug, Default)]
pub struct PolicyBook {
    pub shelves: BTreeMap<Tenant, Arc<Shelf>>,
    pub written: Written,
    pub role_maps: Vec<role_map::Written>,
}

impl PolicyBook {
    pub fn new(shelves: BTreeMap<Tenant, Arc<Shelf>>) -> Self {
        Self { shelves, ..Self::default() }
    }

    pub fn shelf(&self, tenant: &Tenant) -> Arc<Shelf> {
        Arc::clone(self.shelves.get(tenant).expect("the shelves of all who ask were loaded"))
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        policies::flush(tx, &self.written).await?;
        role_map::add(tx, &self.role_maps).await
    }

    pub fn put(&mut self, tenant: &Tenant, written: Shelf) {
        self.written.revisions.insert(tenant.clone(), written.revision);
        self.shelves.insert(tenant.clone(), Arc::new(written));
    }
}
