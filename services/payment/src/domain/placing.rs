//! Opening an order's account and authorising its tenders; giving them back when it is not placed.

use types::{Currency, OrderId, PaymentId, Reason, Refusal};

use super::account::Account;
use super::gateway::Answer;
use super::moment::{Moment, Schedule};
use super::origin::Origin;
use super::payment::{Kind, Payment, Proof, State};
use super::refund;
use super::reply::{Ended, Ending, Reply, StepOutcome};
use super::shared::Part;
use super::split::{Form, split};

/// What an order's account is opened with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub order_id: OrderId,
    pub currency: Currency,
    pub total_minor: i64,
    pub tenders: Vec<Tender>,
    pub external_payments: Vec<ExternalPayment>,
    /// Of an order that is restored: without tenders, what is missing is paid later.
    pub pay_later: bool,
    /// The decision of the order that it comes to so much by.
    pub worth_version: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tender {
    pub payment_id: PaymentId,
    pub gateway: String,
    pub token: String,
    pub amount_minor: i64,
    pub capture_now: bool,
    /// Of a payment that several orders share.
    pub part: Option<Part>,
}

/// A payment made elsewhere before. What was captured is at most what was authorised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalPayment {
    pub payment_id: PaymentId,
    pub gateway: String,
    pub reference: String,
    pub authorised_minor: i64,
    pub captured_minor: i64,
    /// By somebody who may attest what happened elsewhere.
    pub attested: bool,
}

impl ExternalPayment {
    /// Whether it is read at its gateway before the order is placed. Only money that was wholly taken can rest on
    /// somebody's word: what is merely authorised would be captured or voided on it.
    pub fn is_read_first(&self) -> bool {
        let settled = self.attested && self.captured_minor == self.authorised_minor;
        Kind::named(&self.gateway) == Kind::Gateway && !settled
    }
}

impl Account {
    /// Opens the account and asks for the authorisations. A tender of nothing makes no row.
    pub fn place(
        opening: &Opening,
        origin: &Origin,
        moment: Moment<'_>,
    ) -> Result<(Self, StepOutcome), Refusal> {
        let mut account =
            Self::open(opening.order_id.clone(), opening.currency, opening.total_minor, moment.now);
        for tender in opening.tenders.iter().filter(|tender| tender.amount_minor > 0) {
            account.authorise(tender, origin, moment)?;
        }
        for external in opening.external_payments.iter().filter(|external| external.authorised_minor > 0) {
            if external.is_read_first() {
                account.adopt(external, origin, moment)?;
            } else {
                account.bring_in(external, origin, moment)?;
            }
        }
        let outcome = match (account.payments.is_empty(), account.unsaved.tasks.is_empty()) {
            (true, _) => StepOutcome::nothing_to_do(),
            (false, true) => StepOutcome::Applied(Reply::default()),
            (false, false) => StepOutcome::Pending,
        };
        Ok((account, outcome))
    }

    /// Writes the payment down and asks the gateway for it.
    pub fn authorise(&mut self, tender: &Tender, origin: &Origin, moment: Moment<'_>) -> Result<(), Refusal> {
        if let Some(part) = &tender.part {
            return self.take_part(tender, part, origin, moment);
        }
        self.check_room_for(tender.amount_minor)?;
        let payment = Payment {
            payment_id: tender.payment_id.clone(),
            line_no: self.next_line_no(),
            kind: Kind::named(&tender.gateway),
            gateway: tender.gateway.clone(),
            token: tender.token.clone(),
            gateway_reference: String::new(),
            state: State::Authorising,
            amount_minor: tender.amount_minor,
            authorised_minor: 0,
            captured_minor: 0,
            voided_minor: 0,
            external: false,
            proof: Proof::Known,
            stated_minor: 0,
            capture_now: tender.capture_now,
            abandoned: false,
            shared_payment_id: None,
            origin: origin.clone(),
            detail: String::new(),
            schedule: Schedule::begun(moment),
            created_at: moment.now,
            step_minor: Payment::UNTOLD,
        };
        if payment.kind == Kind::Gateway {
            self.ask_to_authorise(&payment);
            self.payments.insert(payment.payment_id.clone(), payment);
        } else {
            // Ours, or in a person's hands already: there is nobody to ask.
            let payment_id = payment.payment_id.clone();
            let payment = Payment {
                gateway_reference: format!("own-{payment_id}"),
                authorised_minor: payment.amount_minor,
                state: State::Authorised,
                schedule: Schedule::REST,
                ..payment
            };
            self.payments.insert(payment_id, payment);
        }
        Ok(())
    }

    /// The order is not placed: what its step has authorised goes back, at once or as soon as the
    /// gateway has said that it was authorised at all. Nothing may be captured any more.
    pub fn abandon(&mut self, origin: &Origin, moment: Moment<'_>) {
        self.lower_ceiling_of(origin);
        let brought_in: Vec<_> = self
            .payments
            .values()
            .filter(|payment| payment.origin == *origin && !payment.abandoned && payment.external)
            .filter(|payment| payment.captured_minor > 0)
            .map(|payment| payment.payment_id.clone())
            .collect();
        for payment in self.payments.values_mut().filter(|payment| payment.origin == *origin) {
            payment.abandoned = true;
        }
        self.give_back_abandoned(origin, moment);
        for payment_id in brought_in {
            self.report_left_captured(&payment_id);
        }
    }

    pub(super) fn give_back_abandoned(&mut self, origin: &Origin, moment: Moment<'_>) {
        let mut sources = self.sources(|payment| payment.abandoned && payment.origin == *origin);
        sources
            .retain(|source| source.form == Form::Authorised || !self.payment(&source.payment_id).external);
        let (shares, _) = split(&sources, sources.iter().map(|source| source.free_minor).sum());
        let (_, id, step) = origin.columns();
        for share in &shares {
            let refund_id = self.add_leg(share, None, id, step, moment);
            self.submit_if_decided(&refund_id, moment);
        }
    }

    /// Takes the gateway's answer to an authorisation; None if this payment waits for none.
    pub fn authorisation_answered(
        &mut self,
        payment_id: &PaymentId,
        answer: &Answer,
        moment: Moment<'_>,
    ) -> Option<Vec<Ended>> {
        let payment =
            self.payments.get_mut(payment_id).filter(|payment| payment.state == State::Authorising)?;
        let origin = payment.origin.clone();
        match answer {
            Answer::Done { reference } | Answer::FailedAfter { reference, .. } => {
                payment.gateway_reference.clone_from(reference);
                payment.authorised_minor = payment.amount_minor;
                payment.state = State::Authorised;
                payment.schedule = payment.schedule.ended();
                if payment.abandoned {
                    self.give_back_abandoned(&origin, moment);
                }
            }
            Answer::Declined { detail } => {
                payment.detail.clone_from(detail);
                payment.state = State::Declined;
                payment.schedule = payment.schedule.ended();
                // All or nothing holds for the tenders of a placement; a tender asked for by a
                // client stands alone.
                match &origin {
                    Origin::Step { .. } => self.abandon(&origin, moment),
                    Origin::Request { .. } => {}
                }
            }
            Answer::Pending { detail, .. } | Answer::ActionRequired { detail } => {
                payment.detail.clone_from(detail);
                payment.schedule = payment.schedule.again(moment, &moment.timing.pending);
            }
            Answer::Unknown { detail } => {
                payment.detail.clone_from(detail);
                payment.schedule = payment.schedule.again(moment, &moment.timing.unknown);
                let schedule = payment.schedule;
                self.note_silence(("payment", payment_id.as_str()), None, schedule, moment);
            }
        }
        Some(self.authorised(&origin).into_iter().collect())
    }

    /// Ends the placing step when all its tenders have: applied if the gateway agreed to all of
    /// them, rejected once what it had agreed to is given back.
    pub(super) fn authorised(&self, origin: &Origin) -> Option<Ended> {
        let tenders = || self.payments.values().filter(|payment| payment.origin == *origin);
        if tenders().any(|payment| payment.state == State::Authorising) {
            return None;
        }
        let Some(declined) = tenders().find(|payment| payment.state == State::Declined) else {
            return Some(Ended { origin: origin.clone(), ending: Ending::Applied(Reply::default()) });
        };
        let moving = self.refunds.values().any(|refund| self.gives_back(refund, origin) && !is_over(refund));
        if moving {
            return None;
        }
        let refusal = if declined.external {
            let message = "a payment made elsewhere is not what it was said to be";
            Refusal::new(Reason::PaymentNotVerified, message).detail("reference", &declined.token)
        } else {
            Refusal::new(Reason::PaymentDeclined, "the gateway declined a payment")
        };
        let refusal = refusal
            .detail("payment_id", &declined.payment_id)
            .detail("gateway", &declined.gateway)
            .detail("gateway_detail", &declined.detail);
        Some(Ended { origin: origin.clone(), ending: Ending::Rejected(refusal) })
    }

    fn gives_back(&self, refund: &refund::Refund, origin: &Origin) -> bool {
        refund.change_order_id.is_none() && self.payment(&refund.payment_id).origin == *origin
    }
}

fn is_over(refund: &refund::Refund) -> bool {
    refund.state.stage().is_over()
}
