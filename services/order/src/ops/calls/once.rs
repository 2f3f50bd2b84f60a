//! Requests that write for themselves, beside the group commit, because they touch no order.

use kit::Principal;
use storage::{Accepted, DbError, Request, RequestKey, RequestKeys, Tx};
use types::{Fingerprint, Refusal, RequestId, StoredRequestId, Timestamp};

use crate::ops::calls::asking::request_key;
use crate::ops::calls::orders::Orders;

/// One such request. Its ids and its instant are made before the transaction, because that may run twice.
pub struct Once {
    key: RequestKey,
    fingerprint: Fingerprint,
    stored_as: StoredRequestId,
    pub at: Timestamp,
}

impl Orders {
    /// `content` is everything that was asked for.
    pub fn once(&self, principal: &Principal, method: &str, request_id: RequestId, content: &str) -> Once {
        Once {
            key: request_key(principal, method, request_id),
            fingerprint: Fingerprint::of(&[content.as_bytes()]),
            stored_as: self.ids().mint(),
            at: self.now(),
        }
    }
}

impl Once {
    /// Nothing when the request is new; else the resource that it made before, or that its id was used for another one.
    pub async fn before(&self, tx: &mut Tx) -> Result<Option<Result<String, Refusal>>, DbError> {
        let keys = RequestKeys::load(tx, std::slice::from_ref(&self.key)).await?;
        Ok(match keys.check(&self.key, &self.fingerprint) {
            Request::Fresh => None,
            Request::Seen(resource) => Some(Ok(resource)),
            Request::Reused(refusal) => Some(Err(refusal)),
        })
    }

    /// Notes what the request has made, in the transaction that made it.
    pub async fn accept(&self, tx: &mut Tx, resource: &str) -> Result<(), DbError> {
        let (id, fingerprint) = (self.stored_as.clone(), self.fingerprint.clone());
        let accepted = Accepted { id, fingerprint, resource_id: resource.to_owned(), at: self.at };
        let mut keys = RequestKeys::default();
        keys.store(self.key.clone(), accepted);
        keys.flush(tx).await
    }
}
