//! Moving an open return: ReceiveReturn, AcceptReturn, RejectReturn, CloseReturn, and its end when its time is up. Accepting takes the units
//! back by a change of its own, whose saga starts in the same commit.

use types::{Fingerprint, Refusal, ReturnId, Tenant};

use super::{UseCase, Work};
use crate::domain::change::ChangeView;
use crate::domain::history::Happened;
use crate::domain::lifecycle::{self, Accepted, Author, Counted};
use crate::domain::order::Order;
use crate::domain::returns::Return;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;
use crate::ops::plans;

pub struct ReceiveReturn {
    pub return_id: ReturnId,
    pub lines: Counted,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

pub struct AcceptReturn {
    pub return_id: ReturnId,
    pub lines: Vec<Accepted>,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

pub struct RejectReturn {
    pub return_id: ReturnId,
    pub lines: Counted,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

pub struct CloseReturn {
    pub return_id: ReturnId,
    pub note: String,
    /// Of the canonical request.
    pub content: Fingerprint,
}

/// Asked for by the clock. A return that was closed meanwhile stays as it is.
pub struct ExpireReturn {
    pub return_id: ReturnId,
}

impl UseCase for ReceiveReturn {
    const METHOD: &'static str = "ReceiveReturn";
    type Answer = Return;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Return(&self.return_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Return, Refusal> {
        move_on(work, &self.return_id, |order, returned, author| {
            lifecycle::receive_return(order, returned, &self.lines, &self.note, author)
        })
    }
}

impl UseCase for AcceptReturn {
    const METHOD: &'static str = "AcceptReturn";
    type Answer = ChangeView;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Return(&self.return_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<ChangeView, Refusal> {
        let (mut order, returned) = work.returned(&self.return_id)?;
        let policies = work.shelf();
        let author = work.author(policies.of(&order));
        let (change, happened) =
            lifecycle::accept_return(&mut order, &returned, &self.lines, &self.note, &author)?;
        let (lease, traceparent) = work.saga_begins();
        let saga = plans::take_back(&order, &change, lease, traceparent);
        Ok(work.begin(&order, &change, happened, saga))
    }
}

impl UseCase for RejectReturn {
    const METHOD: &'static str = "RejectReturn";
    type Answer = Return;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Return(&self.return_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Return, Refusal> {
        move_on(work, &self.return_id, |order, returned, author| {
            lifecycle::reject_return(order, returned, &self.lines, &self.note, author)
        })
    }
}

impl UseCase for CloseReturn {
    const METHOD: &'static str = "CloseReturn";
    type Answer = Return;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.content.as_str().as_bytes()])
    }

    fn about(&self) -> Option<Named<'_>> {
        Some(Named::Return(&self.return_id))
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Return, Refusal> {
        move_on(work, &self.return_id, |order, returned, author| {
            lifecycle::close_return(order, returned, &self.note, author)
        })
    }
}

impl UseCase for ExpireReturn {
    const METHOD: &'static str = "ExpireReturn";
    type Answer = Return;

    fn content(&self) -> Fingerprint {
        Fingerprint::of(&[self.return_id.as_str().as_bytes()])
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.returned(tenant, &self.return_id);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Return, Refusal> {
        let (order, mut returned) = work.returned(&self.return_id)?;
        match lifecycle::expire_return(&order, &mut returned, work.books.now)? {
            Some(happened) => Ok(work.write_return(order, returned, happened)),
            None => Ok(returned),
        }
    }
}

/// Moves the return without a change of its order.
fn move_on(
    work: &mut Work<'_>,
    return_id: &ReturnId,
    step: impl FnOnce(&Order, &mut Return, &Author<'_>) -> Result<Happened, Refusal>,
) -> Result<Return, Refusal> {
    let (order, mut returned) = work.returned(return_id)?;
    let policies = work.shelf();
    let happened = step(&order, &mut returned, &work.author(policies.of(&order)))?;
    Ok(work.write_return(order, returned, happened))
}
