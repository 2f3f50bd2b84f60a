//! Policies, reasons, editions and roles, as `api` asks for them.

use std::collections::BTreeSet;
use std::sync::Arc;

use kit::{Failure, Principal};
use types::{Grants, RequestId, Role, Tenant};

use crate::domain::policy::{Document, Edition, Selector, Shelf};
use crate::domain::reason::CancelReason;
use crate::ops::calls::asking::asked;
use crate::ops::calls::orders::Orders;
use crate::ops::command::{Answer, Asked, Wish};

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
