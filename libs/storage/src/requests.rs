//! Which requests were accepted: the same request again finds its resource, another body under its id is refused.

use std::collections::BTreeSet;

use types::{Fingerprint, Reason, Refusal, RequestId, StoredRequestId, Subject, Tenant, Timestamp};

use crate::error::DbError;
use crate::overlay::Overlay;
use crate::record;
use crate::statement::Statement;
use crate::table::Table;
use crate::tx::Tx;
use crate::value::Rows;
use crate::values;

static LOAD: Statement = Statement::new(
    "storage.load_request_keys",
    "SELECT k.tenant_id, k.subject, k.method, k.request_id, k.id, k.fingerprint, k.resource_id, k.created_at
       FROM request_key AS k
       JOIN rows($1: tenant_id text, subject text, method text, request_id text) AS r
         ON k.tenant_id = r.tenant_id AND k.subject = r.subject AND k.method = r.method
            AND k.request_id = r.request_id",
);

static STORE: Statement = Statement::new(
    "storage.store_request_keys",
    "INSERT INTO request_key rows($1: tenant_id text, subject text, method text, request_id text, id text,
       fingerprint text, resource_id text, created_at text)",
);

/// A caller's own name for a request. Two callers may use one name: neither learns of the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    pub tenant: Tenant,
    pub subject: Subject,
    /// The RPC's name, such as `CreateOrder`.
    pub method: String,
    pub request_id: RequestId,
}

impl RequestKey {
    /// The key in one text, for the one batch that may hold it once. No part of it holds a line feed.
    pub fn text(&self) -> String {
        let Self { tenant, subject, method, request_id } = self;
        format!("{tenant}\n{subject}\n{method}\n{request_id}")
    }
}

/// A request that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    pub id: StoredRequestId,
    /// Of what was asked for; who asked stands in the key.
    pub fingerprint: Fingerprint,
    /// What has become of it.
    pub resource_id: String,
    pub at: Timestamp,
}

fn reused(key: &RequestKey, accepted: &Accepted) -> Refusal {
    let message = format!("request_id {} was used for another request; take a new one", key.request_id);
    Refusal::new(Reason::IdempotencyKeyReused, message)
        .field("request_id")
        .detail("method", &key.method)
        .detail("resource_id", &accepted.resource_id)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Fresh,
    /// Accepted before, with this resource.
    Seen(String),
    /// The id was accepted with another body: IDEMPOTENCY_KEY_REUSED, with the resource that was made then.
    Reused(Refusal),
}

/// The accepted requests a batch asks about, and those it accepts.
#[derive(Debug, Default)]
pub struct RequestKeys {
    keys: Table<RequestKey, Accepted>,
}

impl Overlay for RequestKeys {
    fn parts(&mut self) -> Vec<&mut dyn Overlay> {
        let Self { keys } = self;
        vec![keys]
    }
}

impl RequestKeys {
    pub async fn load(tx: &mut Tx, keys: &[RequestKey]) -> Result<Self, DbError> {
        let mut loaded = Self::default();
        let distinct: BTreeSet<&RequestKey> = keys.iter().collect();
        if distinct.is_empty() {
            return Ok(loaded);
        }
        let rows: Rows = distinct
            .into_iter()
            .map(|key| values![&key.tenant, &key.subject, &key.method, key.request_id.as_str()])
            .collect();
        for row in tx.fetch_all(&LOAD, values![rows]).await? {
            let key = RequestKey {
                tenant: row.tenant()?,
                subject: row.parsed("subject", Subject::parse)?,
                method: row.text("method")?,
                request_id: row.parsed("request_id", RequestId::parse)?,
            };
            let accepted = Accepted {
                id: row.parsed("id", StoredRequestId::parse)?,
                fingerprint: row.parsed("fingerprint", Fingerprint::parse)?,
                resource_id: row.text("resource_id")?,
                at: row.timestamp("created_at")?,
            };
            loaded.keys.load(key, accepted);
        }
        Ok(loaded)
    }

    pub fn check(&self, key: &RequestKey, fingerprint: &Fingerprint) -> Request {
        match self.keys.get(key) {
            None => Request::Fresh,
            Some(accepted) if accepted.fingerprint == *fingerprint => {
                Request::Seen(accepted.resource_id.clone())
            }
            Some(accepted) => Request::Reused(reused(key, accepted)),
        }
    }

    /// Notes an accepted request. Only accepted ones: a refused request may be tried again under the same id.
    pub fn store(&mut self, key: RequestKey, accepted: Accepted) {
        self.keys.insert(key, accepted);
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        self.keys
            .flush_inserts(tx, &STORE, |key, accepted| {
                record! {
                    tenant_id: &key.tenant,
                    subject: &key.subject,
                    method: &key.method,
                    request_id: key.request_id.as_str(),
                    id: &accepted.id,
                    fingerprint: &accepted.fingerprint,
                    resource_id: &accepted.resource_id,
                    created_at: accepted.at,
                }
            })
            .await
    }
}
