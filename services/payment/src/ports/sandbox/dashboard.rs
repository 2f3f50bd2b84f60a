//! What people and banks do at the gateway, without us.

use storage::DbError;
use types::{PaymentId, Tenant};

use super::Sandbox;
use super::store::dashboard::{self, Disputed, End};
use super::store::happening::{self, Happening};

impl Sandbox {
    /// Somebody gives money back at the gateway's dashboard. A repeat with the same reference is the
    /// same refund.
    pub async fn refund_at_dashboard(
        &self,
        tenant: &Tenant,
        payment_id: &PaymentId,
        reference: &str,
        amount_minor: i64,
    ) -> Result<(), DbError> {
        let now = self.clock.now();
        self.database
            .write("sandbox.refund_at_dashboard", async |mut tx| {
                let refund = (reference, amount_minor);
                dashboard::insert_refund(&mut tx, tenant, payment_id, refund, now).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// The same at a dashboard that gives back no more than is left of the capture; false if it is not.
    pub async fn refund_at_dashboard_if_left(
        &self,
        tenant: &Tenant,
        payment_id: &PaymentId,
        reference: &str,
        amount_minor: i64,
    ) -> Result<bool, DbError> {
        let now = self.clock.now();
        self.database
            .write("sandbox.refund_at_dashboard_if_left", async |mut tx| {
                let left = dashboard::left(&mut tx, tenant, payment_id).await?;
                if left >= amount_minor {
                    let refund = (reference, amount_minor);
                    dashboard::insert_refund(&mut tx, tenant, payment_id, refund, now).await?;
                }
                Ok((tx, left >= amount_minor))
            })
            .await
    }

    /// The bank opens a dispute, or ends one.
    pub async fn dispute(&self, tenant: &Tenant, disputed: &Disputed) -> Result<(), DbError> {
        let now = self.clock.now();
        self.database
            .write("sandbox.dispute", async |mut tx| {
                dashboard::put_dispute(&mut tx, tenant, disputed, now).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// Ends a refund that is pending, or lets one fail that had succeeded; false if it is neither.
    pub async fn end_refund(&self, tenant: &Tenant, key: &str, end: End) -> Result<bool, DbError> {
        self.database
            .write("sandbox.end_refund", async |mut tx| {
                let ended = dashboard::end_refund(&mut tx, tenant, key, end).await?;
                Ok((tx, ended))
            })
            .await
    }

    /// Writes down what a webhook shall tell.
    pub(super) async fn note(&self, tenant: &Tenant, happening: &Happening) -> Result<(), DbError> {
        self.database
            .write("sandbox.note", async |mut tx| {
                happening::insert(&mut tx, tenant, happening).await?;
                Ok((tx, ()))
            })
            .await
    }

    pub(super) async fn untold(&self, tenant: &Tenant) -> Result<Vec<Happening>, DbError> {
        let mut tx = self.database.read().await?;
        happening::unsent(&mut tx, tenant).await
    }

    pub(super) async fn told(&self, tenant: &Tenant, event_id: &str) -> Result<(), DbError> {
        self.database
            .write("sandbox.told", async |mut tx| {
                happening::sent(&mut tx, tenant, event_id).await?;
                Ok((tx, ()))
            })
            .await
    }
}
