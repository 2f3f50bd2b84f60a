//! Which requests were accepted: the same request again finds its resource, another body under its id is refused.

use std::collections::BTreeSet;

use types::{Fingerprint, RequestId, Tenant, Timestamp};

use crate::error::DbError;
use crate::statement::Statement;
use crate::table::Table;
use crate::tx::Tx;
use crate::value::Rows;
use crate::values;

static LOAD: Statement = Statement::new(
    "storage.load_request_keys",
    "SELECT k.tenant_id, k.method, k.request_id, k.fingerprint, k.resource_id, k.created_at
       FROM request_key AS k
       JOIN rows($1: tenant_id text, method text, request_id text) AS r
         ON k.tenant_id = r.tenant_id AND k.method = r.method AND k.request_id = r.request_id",
);

static STORE: Statement = Statement::new(
    "storage.store_request_keys",
    "INSERT INTO request_key (tenant_id, method, request_id, fingerprint, resource_id, created_at)
     SELECT tenant_id, method, request_id, fingerprint, resource_id, created_at
       FROM rows($1: tenant_id text, method text, request_id text, fingerprint text, resource_id text,
                 created_at text)",
);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestKey {
    pub tenant: Tenant,
    /// The RPC's name, such as `CreateOrder`.
    pub method: String,
    pub request_id: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Fresh,
    /// Accepted before, with this resource.
    Seen(String),
    /// The id was accepted with another body, which made this resource.
    Reused(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    fingerprint: Fingerprint,
    resource_id: String,
    created_at: Timestamp,
}

/// The accepted requests a batch asks about, and those it accepts.
#[derive(Debug, Default)]
pub struct RequestKeys {
    keys: Table<RequestKey, Stored>,
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
            .map(|key| values![&key.tenant, &key.method, key.request_id.as_str()])
            .collect();
        for row in tx.fetch_all(&LOAD, values![rows]).await? {
            let key = RequestKey {
                tenant: row.tenant()?,
                method: row.text("method")?,
                request_id: row.parsed("request_id", RequestId::parse)?,
            };
            let stored = Stored {
                fingerprint: row.parsed("fingerprint", Fingerprint::parse)?,
                resource_id: row.text("resource_id")?,
                created_at: row.timestamp("created_at")?,
            };
            loaded.keys.load(key, stored);
        }
        Ok(loaded)
    }

    pub fn check(&self, key: &RequestKey, fingerprint: &Fingerprint) -> Request {
        match self.keys.get(key) {
            None => Request::Fresh,
            Some(stored) if stored.fingerprint == *fingerprint => Request::Seen(stored.resource_id.clone()),
            Some(stored) => Request::Reused(stored.resource_id.clone()),
        }
    }

    /// Notes an accepted request. Only accepted ones: a refused request may be tried again under the same id.
    pub fn store(&mut self, key: RequestKey, fingerprint: Fingerprint, resource_id: String, at: Timestamp) {
        self.keys.insert(key, Stored { fingerprint, resource_id, created_at: at });
    }

    pub fn mark(&mut self) {
        self.keys.mark();
    }

    pub fn rollback(&mut self) {
        self.keys.rollback();
    }

    pub async fn flush(&self, tx: &mut Tx) -> Result<(), DbError> {
        self.keys
            .flush_inserts(tx, &STORE, |key, stored| {
                values![
                    &key.tenant,
                    &key.method,
                    key.request_id.as_str(),
                    &stored.fingerprint,
                    &stored.resource_id,
                    stored.created_at,
                ]
            })
            .await
    }
}
