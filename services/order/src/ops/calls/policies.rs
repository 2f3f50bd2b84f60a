//! What a tenant has written about policies, reasons, its edition and its roles.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::{Failure, Principal};
use types::{RequestId, Tenant};

use crate::domain::policy::Shelf;
use crate::ops::calls::orders::Orders;
use crate::ops::use_cases::{UpsertRoles, Written};

impl Orders {
    /// Everything that a tenant has written about policies and reasons.
    pub async fn shelf(&self, tenant: &Tenant) -> Result<Arc<Shelf>, Failure> {
        let tenants = BTreeSet::from([tenant.clone()]);
        let shelves = self.shelves().clone();
        let mut found = self.reading(async |tx| shelves.load(tx, &tenants).await).await?;
        Ok(found.remove(tenant).expect("a shelf is loaded for every tenant that is asked for"))
    }

    /// Writes roles, and answers the version of the map.
    pub async fn upsert_roles(
        &self,
        caller: &Principal,
        request_id: RequestId,
        roles: UpsertRoles,
    ) -> Result<String, Failure> {
        let Written(version) = self.ask(caller, request_id, roles).await?;
        // This process checks calls against the new map at once; other replicas learn of it within a second.
        let now = self.shelf(&caller.tenant).await?;
        self.shelves().roles().learn(caller.tenant.clone(), now.roles_version, Arc::clone(&now.roles));
        Ok(version)
    }
}
