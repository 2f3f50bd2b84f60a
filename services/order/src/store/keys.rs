//! Keys of what is stored, and the batches of keys that statements take.

use storage::{Rows, values};
use types::{ChangeOrderId, OrderId, Tenant};

pub type OrderKey = (Tenant, OrderId);
pub type ChangeKey = (Tenant, ChangeOrderId);

/// Keys as rows of two texts.
pub fn rows<'a, Id: AsRef<str> + 'a>(keys: impl IntoIterator<Item = &'a (Tenant, Id)>) -> Rows {
    keys.into_iter().map(|(tenant, id)| values![tenant, id]).collect()
}
