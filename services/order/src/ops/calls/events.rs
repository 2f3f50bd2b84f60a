//! Opening a reader of the tenant's events.

use kit::{Failure, Principal};
use types::{Reason, Refusal};

use crate::ops::calls::orders::Orders;
use crate::ops::commit::event_log::{EventFilter, EventReader, Start};
use crate::store::event_log;

impl Orders {
    /// A reader of the caller's tenant. A position that this store never gave out is refused.
    pub async fn read_events(
        &self,
        principal: &Principal,
        filter: EventFilter,
        start: Start,
    ) -> Result<EventReader, Failure> {
        let tenant = &principal.tenant;
        // Listening begins before the first read, so that nothing falls between them.
        let reader = self.event_log.reader(tenant.clone(), 0);
        self.event_log.catch_up(tenant).await?;
        let last = self.reading(async |tx| event_log::last_position(tx, tenant).await).await?;
        let after = match start {
            Start::Now => last,
            Start::After(position) if position <= last => position,
            Start::After(position) => {
                let message = "the token is ahead of every event here: it is from another store";
                let refusal = Refusal::new(Reason::StateConflict, message).field("resume_token");
                return Err(refusal.detail("position", position).detail("last_position", last).into());
            }
        };
        Ok(reader.with(filter, after))
    }
}
