//! The policies and reasons of tenants: read once a revision, decided by in every batch, written through the group
//! commit like everything else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use kit::{Failure, Principal, Roles};
use prost::Message as _;
use proto::events::v1::RolesChanged;
use storage::{DbError, NewEvent, Tx, role_map};
use types::{Grants, RequestId, Role, RoleMap, Tenant};

use super::accept::Done;
use super::batch::{Answer, Asked, Wish};
use super::books::Books;
use super::orders::{Orders, asked};
use crate::domain::policy::{Document, Edition, Selector, Shelf};
use crate::domain::reason::CancelReason;
use crate::store::policies::{self, Written};

/// Tenants whose shelves are kept at hand; beyond that they are read again.
const SHELVES_MAX: usize = 1_000;

/// What was read last of each tenant. A batch asks for the revision alone and takes the rest from here.
#[derive(Debug, Clone)]
pub struct Shelves {
    read: Arc<Mutex<HashMap<Tenant, Arc<Shelf>>>>,
    /// What the roles of a tenant are until it writes a map of its own, and where newer ones are made known.
    roles: Roles,
}

impl Shelves {
    pub fn new(roles: Roles) -> Self {
        Self { read: Arc::default(), roles }
    }

    pub(super) fn roles(&self) -> &Roles {
        &self.roles
    }

    /// The shelves of these tenants as they are in this transaction: one small read, and more only after a write.
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

/// The shelves a batch decides by, and what it writes on them. A write is the last thing its command does, so there is
/// never one to take back.
#[derive(Debug, Default)]
pub struct PolicyBook {
    pub(super) shelves: BTreeMap<Tenant, Arc<Shelf>>,
    written: Written,
    role_maps: Vec<role_map::Written>,
}

impl PolicyBook {
    pub fn new(shelves: BTreeMap<Tenant, Arc<Shelf>>) -> Self {
        Self { shelves, ..Self::default() }
    }

    pub fn shelf(&self, tenant: &Tenant) -> Arc<Shelf> {
        Arc::clone(self.shelves.get(tenant).expect("the shelves of all who ask were loaded"))
    }

    pub(super) async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        policies::flush(tx, &self.written).await?;
        role_map::add(tx, &self.role_maps).await
    }

    fn put(&mut self, tenant: &Tenant, written: Shelf) {
        self.written.revisions.insert(tenant.clone(), written.revision);
        self.shelves.insert(tenant.clone(), Arc::new(written));
    }
}

/// Adds the next version of a policy.
pub(super) fn write(books: &mut Books, asked: &Asked, policy_id: &str, document: &Document) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    let stored = shelf.write(policy_id, document.clone(), &asked.actor, books.now)?;
    let resource = stored.policy.version_text();
    books.policies.written.policies.push((asked.tenant.clone(), stored));
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(resource.clone()), resource))
}

/// Puts orders under a version of a policy.
pub(super) fn choose(
    books: &mut Books,
    asked: &Asked,
    policy_id: &str,
    version: i64,
    selector: &Selector,
) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    let policy = shelf.choose(selector.clone(), policy_id, version)?;
    let resource = policy.version_text();
    let key = (asked.tenant.clone(), selector.clone());
    books.policies.written.choices.insert(key, (policy.policy_id, policy.version));
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(resource.clone()), resource))
}

pub(super) fn offer(books: &mut Books, asked: &Asked, reason: &CancelReason) -> Done {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    shelf.offer(reason.clone())?;
    let key = (asked.tenant.clone(), reason.code.clone());
    books.policies.written.reasons.insert(key, reason.clone());
    books.policies.put(&asked.tenant, shelf);
    Ok((Answer::Written(reason.code.clone()), reason.code.clone()))
}

pub(super) fn put_on(books: &mut Books, asked: &Asked, edition: &Edition) -> (Answer, String) {
    let mut shelf = Shelf::clone(&books.policies.shelf(&asked.tenant));
    shelf.put_on(edition.clone());
    books.policies.written.editions.insert(asked.tenant.clone(), edition.clone());
    books.policies.put(&asked.tenant, shelf);
    (Answer::Written(edition.name.clone()), edition.name.clone())
}

/// Writes roles over those of the same name, and tells the other services of the whole map.
pub(super) fn grant(books: &mut Books, asked: &Asked, granted: &[(Role, Grants)]) -> Done {
    let shelf = Shelf::clone(&books.policies.shelf(&asked.tenant)).grant(&asked.actor.role, granted)?;
    let (tenant, version) = (asked.tenant.clone(), shelf.roles_version);
    let event = RolesChanged { version, roles: kit::roles::to_wire(&shelf.roles) };
    books.tell_beside(NewEvent {
        tenant: tenant.clone(),
        event_id: books.ids.mint(),
        aggregate_type: kit::roles::AGGREGATE,
        aggregate_id: tenant.to_string(),
        aggregate_seq: version,
        kind: "countermand.events.v1.RolesChanged",
        payload: event.encode_to_vec(),
        traceparent: asked.traceparent.clone(),
        occurred_at: books.now,
    });
    let roles = RoleMap::clone(&shelf.roles);
    books.policies.role_maps.push(role_map::Written { tenant, version, roles });
    books.policies.put(&asked.tenant, shelf);
    let resource = version.to_string();
    Ok((Answer::Written(resource.clone()), resource))
}

impl Orders {
    /// Everything that a tenant has written about policies and reasons.
    pub async fn shelf(&self, tenant: &Tenant) -> Result<Arc<Shelf>, Failure> {
        let tenants = BTreeSet::from([tenant.clone()]);
        let shelves = self.shelves().clone();
        let mut found = self.reading(async |tx| shelves.load(tx, &tenants).await).await?;
        Ok(found.remove(tenant).expect("a shelf is loaded for every tenant that is asked for"))
    }

    /// Answers the text of the version that was written, such as "ours-2".
    pub async fn upsert_policy(
        &self,
        principal: &Principal,
        request_id: RequestId,
        policy_id: String,
        document: Document,
    ) -> Result<String, Failure> {
        let text = document.to_text();
        let asked = asked(principal, "UpsertPolicy", request_id, &[policy_id.as_bytes(), text.as_bytes()]);
        self.written(asked, Wish::WritePolicy { policy_id, document: Box::new(document) }).await
    }

    pub async fn activate_policy(
        &self,
        principal: &Principal,
        request_id: RequestId,
        policy_id: String,
        version: i64,
        selector: Selector,
    ) -> Result<String, Failure> {
        let (by, value) = selector.as_texts();
        let number = version.to_be_bytes();
        let content: [&[u8]; 4] = [policy_id.as_bytes(), &number, by.as_bytes(), value.as_bytes()];
        let asked = asked(principal, "ActivatePolicy", request_id, &content);
        self.written(asked, Wish::ChoosePolicy { policy_id, version, selector }).await
    }

    pub async fn upsert_reason(
        &self,
        principal: &Principal,
        request_id: RequestId,
        reason: CancelReason,
    ) -> Result<String, Failure> {
        let text = serde_json::to_string(&reason).expect("texts always have a JSON form");
        let asked = asked(principal, "UpsertReason", request_id, &[text.as_bytes()]);
        self.written(asked, Wish::OfferReason(Box::new(reason))).await
    }

    pub async fn set_edition(
        &self,
        principal: &Principal,
        request_id: RequestId,
        edition: Edition,
    ) -> Result<String, Failure> {
        let content = format!("{edition:?}");
        let asked = asked(principal, "SetTenantCapabilities", request_id, &[content.as_bytes()]);
        self.written(asked, Wish::PutOnEdition(Box::new(edition))).await
    }

    /// Answers the version of the map that was written.
    pub async fn upsert_roles(
        &self,
        principal: &Principal,
        request_id: RequestId,
        given: Vec<(Role, Grants)>,
    ) -> Result<String, Failure> {
        let content = format!("{given:?}");
        let asked = asked(principal, "UpsertRoles", request_id, &[content.as_bytes()]);
        let version = self.written(asked, Wish::GrantRoles(given)).await?;
        // This process holds calls against the new map at once; others learn of it within a second.
        let now = self.shelf(&principal.tenant).await?;
        self.shelves().roles().learn(principal.tenant.clone(), now.roles_version, Arc::clone(&now.roles));
        Ok(version)
    }

    async fn written(&self, asked: Asked, wish: Wish) -> Result<String, Failure> {
        match self.ask(asked, wish).await? {
            Answer::Written(resource) | Answer::AcceptedBefore(resource) => Ok(resource),
            _ => Err(Failure::internal("a policy command was answered by another command's answer")),
        }
    }
}
