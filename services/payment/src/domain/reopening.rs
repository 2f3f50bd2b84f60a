//! Restoring an order's account: it gets a higher ceiling and tenders for what is missing, and loses both again if the order is not restored after
//! all.

use types::{ChangeOrderId, Reason, Refusal};

use super::account::{Account, Hold, HoldState};
use super::explain::Parts;
use super::moment::Moment;
use super::origin::Origin;
use super::owing::Told;
use super::payment::State;
use super::placing::{Opening, Tender};
use super::reply::{Reply, StepOutcome};
use super::split::Form;

impl Account {
    /// Raises the ceiling to the order's new total and asks for exactly what is missing of it, or for nothing yet where it
    /// may be paid later.
    pub fn reopen(
        &mut self,
        opening: &Opening,
        change_order_id: &ChangeOrderId,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<StepOutcome, Refusal> {
        if opening.currency != self.currency {
            let refusal = Refusal::new(Reason::CurrencyMismatch, "the account is kept in another currency");
            return Err(refusal.detail("currency", self.currency.code()));
        }
        self.committed_before(opening.worth_version);
        let kept = self.kept_minor();
        let missing = (opening.total_minor - kept).max(0);
        let offered: i64 = opening.tenders.iter().map(|tender| tender.amount_minor).sum();
        let later = opening.pay_later && opening.tenders.is_empty();
        if offered != missing && !later {
            let refusal =
                Refusal::new(Reason::TendersMismatch, "the tenders do not pay exactly what is missing");
            return Err(refusal
                .field("tenders")
                .detail("missing_minor", missing)
                .detail("offered_minor", offered));
        }
        let owed_minor = (kept - opening.total_minor).max(0);
        let (_, saga_id, step) = origin.columns();
        let hold = Hold {
            saga_id: saga_id.to_owned(),
            change_order_id: change_order_id.clone(),
            prior_ceiling_minor: self.ceiling_minor,
            new_ceiling_minor: opening.total_minor,
            owed_minor,
            move_no_money: true,
            store_credit_fallback: false,
            moves_on: false,
            over_minor: 0,
            parts: Parts::default(),
            // It has no legs of its own to settle; it keeps the ceiling that it replaced.
            state: HoldState::Settled,
            settle_step: step.to_owned(),
            told: Told { worth_version: opening.worth_version, ..Told::default() },
        };
        self.holds.insert(saga_id.to_owned(), hold);
        self.ceiling_minor = opening.total_minor;
        self.foresee_owed(saga_id);
        // What is paid in addition is taken like what was paid before.
        let taken = self.position_minor() + self.in_flight_minor() > 0;
        for tender in opening.tenders.iter().filter(|tender| tender.amount_minor > 0) {
            let capture_now = tender.capture_now || taken;
            self.authorise(&Tender { capture_now, ..tender.clone() }, origin, moment)?;
        }
        Ok(if self.unsaved.tasks.is_empty() {
            StepOutcome::Applied(Reply { owed_minor, missing_minor: missing - offered, ..Reply::default() })
        } else {
            StepOutcome::Pending
        })
    }

    /// Refuses what cannot be counted, and what would be held on the customer's card beyond what the order still needs.
    pub fn check_missing(&self, amount_minor: i64) -> Result<(), Refusal> {
        self.check_room_for(amount_minor)?;
        let asked = self.payments.values().filter(|payment| payment.state == State::Authorising);
        let asked: i64 = asked.map(|payment| payment.amount_minor).sum();
        let missing = (self.ceiling_minor - self.kept_minor() - asked).max(0);
        if amount_minor <= missing {
            return Ok(());
        }
        let refusal = Refusal::new(Reason::AboveCaptureCeiling, "the order does not need so much any more");
        Err(refusal
            .field("amount_minor")
            .detail("missing_minor", missing)
            .detail("asked_minor", amount_minor))
    }

    /// What is captured and not on its way back, being captured, or authorised and not yet captured.
    fn kept_minor(&self) -> i64 {
        let sources = self.sources(|_| true);
        let uncaptured = sources.iter().filter(|source| source.form == Form::Authorised);
        let uncaptured: i64 = uncaptured.map(|source| source.free_minor).sum();
        uncaptured + self.in_flight_minor() + self.position_minor()
    }

    /// The ceiling of an order whose placing, or restoring, is put back: nothing, or what it was before.
    pub(super) fn lower_ceiling_of(&mut self, origin: &Origin) {
        let (_, saga_id, _) = origin.columns();
        match self.holds.get_mut(saga_id) {
            None => {
                self.ceiling_minor = 0;
                self.worth_minor = 0;
            }
            Some(hold) if hold.state == HoldState::Settled => {
                hold.state = HoldState::Released;
                hold.settle_step.clear();
                if self.ceiling_minor == hold.new_ceiling_minor {
                    self.ceiling_minor = hold.prior_ceiling_minor;
                }
            }
            // It was put back before: a declined tender does so itself, and the saga asks once more.
            Some(_) => {}
        }
    }
}
