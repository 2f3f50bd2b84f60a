//! Reports: each reads one snapshot.

use kit::{Failure, Principal};

use super::store;
use crate::ops::Orders;
use crate::reports::domain::{Dimension, Span, Stats};

/// What can be counted; cheap to clone.
#[derive(Clone)]
pub struct Reports {
    orders: Orders,
}

impl Reports {
    pub fn new(orders: Orders) -> Self {
        Self { orders }
    }

    pub async fn cancellation_stats(
        &self,
        principal: &Principal,
        by: Dimension,
        span: Span,
    ) -> Result<Stats, Failure> {
        self.orders.reading(async |tx| store::cancellations(tx, &principal.tenant, by, span).await).await
    }
}
