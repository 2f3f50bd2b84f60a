//! Requests that touch no order and therefore write in a transaction of their own, beside the group commit.

use kit::Principal;
use storage::{Accepted, DbError, Request, RequestKey, RequestKeys, Tx};
use types::{Fingerprint, Refusal, RequestId, StoredRequestId, Timestamp};

use crate::ops::calls::asking::request_key;
use crate::ops::calls::orders::Orders;

/// One such request. Its ids and its instant are made before the transaction, because the transaction may run twice.
pub struct Once {
    key: RequestKey,
    fingerprint: Fingerprint,
    stored_as: StoredRequestId,
    pub at: Timestamp,
}

impl Orders {
    /// `content` is all that was asked for: the same request id with other content is refused.
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
    /// None for a new request. Otherwise the resource that the request made, or a refusal because its id was used for another request.
    pub async fn before(&self, tx: &mut Tx) -> Result<Option<Result<String, Refusal>>, DbError> {
        let keys = RequestKeys::load(tx, std::slice::from_ref(&self.key)).await?;
        Ok(match keys.check(&self.key, &self.fingerprint) {
            Request::Fresh => None,
            Request::Seen(resource) => Some(Ok(resource)),
            Request::Reused(refusal) => Some(Err(refusal)),
        })
    }

    /// Records what the request has made, in the transaction that made it.
    pub async fn accept(&self, tx: &mut Tx, resource: &str) -> Result<(), DbError> {
        let (id, fingerprint) = (self.stored_as.clone(), self.fingerprint.clone());
        let accepted = Accepted { id, fingerprint, resource_id: resource.to_owned(), at: self.at };
        let mut keys = RequestKeys::default();
        keys.store(self.key.clone(), accepted);
        keys.flush(tx).await
    }
}
