//! What was told to whom. Each read sees one snapshot and locks nothing.

use kit::Failure;
use storage::{Database, DbError};
use types::{NotificationId, Tenant};

use crate::domain::Notification;
use crate::store::notifications;
pub use crate::store::notifications::Filter;

/// Cheap to clone.
#[derive(Clone)]
pub struct Notifications {
    database: Database,
}

impl Notifications {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Those behind a notification's id, the oldest first.
    pub async fn list(
        &self,
        tenant: &Tenant,
        filter: &Filter,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Notification>, DbError> {
        self.database.reading(async |tx| notifications::list(tx, tenant, filter, after, limit).await).await
    }

    pub async fn get(&self, tenant: &Tenant, id: &NotificationId) -> Result<Notification, Failure> {
        let found = self.database.reading(async |tx| notifications::get(tx, tenant, id).await).await?;
        found.ok_or_else(|| Failure::not_found("notification", id.as_str()))
    }
}
