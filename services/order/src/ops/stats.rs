//! Reports: each reads one snapshot.

use kit::{Failure, Principal};

use crate::domain::stats::{Dimension, Span, Stats};
use crate::ops::calls::orders::Orders;
use crate::store::stats;

impl Orders {
    pub async fn cancellation_stats(
        &self,
        principal: &Principal,
        by: Dimension,
        span: Span,
    ) -> Result<Stats, Failure> {
        self.reading(async |tx| stats::cancellations(tx, &principal.tenant, by, span).await).await
    }
}
