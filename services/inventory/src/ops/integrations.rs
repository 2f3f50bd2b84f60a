//! Profiles of partners and carts.

use types::{Refusal, Tenant};

use super::books::{Books, Stop};
use super::command::{Resource, ShownIntegration};
use crate::domain::{Integration, IntegrationKey};

pub fn upsert(
    books: &mut Books,
    tenant: &Tenant,
    key: &IntegrationKey,
    integration: &Integration,
) -> Result<Resource, Stop> {
    let put = books.integrations.update(tenant, |all| all.put(key.clone(), integration.clone()));
    put.expect("the profiles of every tenant of the batch were read");
    show(books, tenant, key)
}

pub fn show(books: &Books, tenant: &Tenant, key: &IntegrationKey) -> Result<Resource, Stop> {
    let all = books.integrations(tenant);
    let integration = all.named(key).ok_or_else(|| Refusal::not_found("integration", key))?;
    Ok(Resource::Integration(ShownIntegration {
        key: key.clone(),
        integration: integration.clone(),
        seeded: all.is_seeded(key),
        shipped_after_cancel: 0,
    }))
}
