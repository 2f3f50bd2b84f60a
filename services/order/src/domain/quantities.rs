//! The units of one line, parted into buckets that exclude each other.

/// Every unit of a line is in exactly one bucket:
/// `ordered = open + cancel_pending + cancelled + fulfilled + cancelled_after_ship`, all at least 0.
///
/// The fields are public because they are stored column by column; [`Quantities::checked`] guards
/// what was read, and every move below gives back a line that still adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quantities {
    pub ordered: i64,
    /// Neither shipped nor cancelled nor held by a change.
    pub open: i64,
    /// Held by the change in progress.
    pub cancel_pending: i64,
    /// Of those, the ones that had left when the change took them.
    pub cancel_pending_shipped: i64,
    pub cancelled: i64,
    /// Shipped and still sold.
    pub fulfilled: i64,
    pub cancelled_after_ship: i64,
    /// Of the fulfilled ones.
    pub returned: i64,
    /// Of the fulfilled ones; a projection of carrier reports.
    pub delivered: i64,
}

/// A line that does not add up, or a move of more units than a bucket has: a defect, not a refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantitiesError {
    #[error("the buckets do not partition what was ordered: {0:?}")]
    NotAPartition(Quantities),
    #[error("{wanted} units cannot leave a bucket of {available} ({bucket})")]
    BucketShort { bucket: &'static str, wanted: i64, available: i64 },
}

impl Quantities {
    /// A new line: everything is open.
    pub fn placed(ordered: i64) -> Self {
        Self { ordered, open: ordered, ..Self::default() }
    }

    /// The same quantities, if they are a partition.
    pub fn checked(self) -> Result<Self, QuantitiesError> {
        let buckets =
            [self.open, self.cancel_pending, self.cancelled, self.fulfilled, self.cancelled_after_ship];
        let within_fulfilled = |part: i64| (0..=self.fulfilled).contains(&part);
        let holds = self.ordered >= 1
            && buckets.iter().all(|bucket| *bucket >= 0)
            && buckets.iter().map(|bucket| i128::from(*bucket)).sum::<i128>() == i128::from(self.ordered)
            && (0..=self.cancel_pending).contains(&self.cancel_pending_shipped)
            && within_fulfilled(self.returned)
            && within_fulfilled(self.delivered);
        if holds { Ok(self) } else { Err(QuantitiesError::NotAPartition(self)) }
    }

    /// What is still sold: ordered without what was cancelled or came back.
    pub fn net(self) -> i64 {
        self.ordered - self.taken_back()
    }

    /// Units that were cancelled or returned: the `k` from which the next refund telescopes.
    pub fn taken_back(self) -> i64 {
        self.cancelled + self.cancelled_after_ship + self.returned
    }

    /// A change takes units: open → cancel_pending.
    pub fn hold(self, units: i64) -> Result<Self, QuantitiesError> {
        let open = leave("open", self.open, units)?;
        Self { open, cancel_pending: self.cancel_pending + units, ..self }.checked()
    }

    /// As [`Quantities::hold`], where the policy lets shipped units go: open ones first, then what is on its way.
    pub fn hold_shipped_too(self, units: i64) -> Result<Self, QuantitiesError> {
        let open = units.min(self.open);
        let shipped = units - open;
        let fulfilled = leave("fulfilled", self.fulfilled, shipped)?;
        let cancel_pending_shipped = self.cancel_pending_shipped + shipped;
        Self { fulfilled, cancel_pending: self.cancel_pending + shipped, cancel_pending_shipped, ..self }
            .hold(open)
    }

    /// The inventory's word on how many of the pending units had left, which may be newer than ours.
    pub fn learn_shipped(self, shipped: i64) -> Result<Self, QuantitiesError> {
        Self { cancel_pending_shipped: shipped, ..self }.checked()
    }

    /// Units came back from the buyer, who must have had them: they count as delivered, too.
    pub fn bring_back(self, units: i64) -> Result<Self, QuantitiesError> {
        leave("fulfilled", self.fulfilled - self.returned, units)?;
        let returned = self.returned + units;
        Self { returned, delivered: self.delivered.max(returned), ..self }.checked()
    }

    /// A change was decided: cancel_pending → cancelled, and what had left → cancelled_after_ship.
    pub fn cancel(self, units: i64) -> Result<Self, QuantitiesError> {
        let (pending, shipped) = self.take_pending(units)?;
        Self {
            cancelled: self.cancelled + units - shipped,
            cancelled_after_ship: self.cancelled_after_ship + shipped,
            ..pending
        }
        .checked()
    }

    fn take_pending(self, units: i64) -> Result<(Self, i64), QuantitiesError> {
        let cancel_pending = leave("cancel_pending", self.cancel_pending, units)?;
        let shipped = self.cancel_pending_shipped.min(units);
        let cancel_pending_shipped = self.cancel_pending_shipped - shipped;
        Ok((Self { cancel_pending, cancel_pending_shipped, ..self }, shipped))
    }

    /// Cancelled before or after they were shipped.
    pub fn cancelled_at_all(self) -> i64 {
        self.cancelled + self.cancelled_after_ship
    }

    /// The order was restored, wholly: cancelled → open, and what had left → fulfilled.
    pub fn restore(self, units: i64) -> Result<Self, QuantitiesError> {
        let left = leave("cancelled", self.cancelled_at_all(), units)?;
        if left > 0 {
            return Err(QuantitiesError::BucketShort { bucket: "restored", wanted: left, available: 0 });
        }
        Self {
            cancelled: 0,
            cancelled_after_ship: 0,
            open: self.open + self.cancelled,
            fulfilled: self.fulfilled + self.cancelled_after_ship,
            ..self
        }
        .checked()
    }

    /// A change was rejected: cancel_pending → open, and what had left → fulfilled.
    pub fn put_back(self, units: i64) -> Result<Self, QuantitiesError> {
        let (pending, shipped) = self.take_pending(units)?;
        Self { open: self.open + units - shipped, fulfilled: self.fulfilled + shipped, ..pending }.checked()
    }

    /// Units left the warehouse: open → fulfilled.
    pub fn ship(self, units: i64) -> Result<Self, QuantitiesError> {
        let open = leave("open", self.open, units)?;
        Self { open, fulfilled: self.fulfilled + units, ..self }.checked()
    }

    /// A shipment was taken back before delivery: fulfilled → open.
    pub fn unship(self, units: i64) -> Result<Self, QuantitiesError> {
        let fulfilled = leave("fulfilled", self.fulfilled, units)?;
        let delivered = self.delivered.min(fulfilled);
        Self { fulfilled, delivered, open: self.open + units, ..self }.checked()
    }

    /// A carrier reported deliveries. The report is a projection: it never exceeds what was shipped,
    /// and an older, lower report changes nothing.
    #[must_use]
    pub fn deliver_up_to(self, delivered: i64) -> Self {
        Self { delivered: self.delivered.max(delivered.min(self.fulfilled)), ..self }
    }
}

fn leave(bucket: &'static str, available: i64, units: i64) -> Result<i64, QuantitiesError> {
    if (0..=available).contains(&units) {
        Ok(available - units)
    } else {
        Err(QuantitiesError::BucketShort { bucket, wanted: units, available })
    }
}
