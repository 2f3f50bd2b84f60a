//! What the service can be asked to write, a file for each use case: what it reads, how it decides and what it answers.
//! All else about a request follows from its type.

mod acknowledge_attention;
mod add_note;
mod answer_proposal;
mod confirm_order;
mod create_order;
mod expire_unpaid;
mod folders;
mod open_return;
mod pay_order;
mod policies;
mod process_return;
mod propose_change;
mod raise_findings;
mod refund_order;
mod reissue_order;
mod request_withdrawal;
mod restore_order;
mod short_ship;
mod steer_saga;
mod submit_change;
mod withdraw_change;
mod work;

use std::any::Any;

use types::{Fingerprint, Refusal, Tenant};

use crate::domain::policy::Capability;
use crate::ops::books::wanted::Wanted;
use crate::ops::command::Named;

pub use acknowledge_attention::AcknowledgeAttention;
pub use add_note::AddNote;
pub use answer_proposal::{ApproveChange, DeclineChange, ExpireProposal};
pub use confirm_order::{ConfirmOrder, StartProcessing};
pub use create_order::CreateOrder;
pub use expire_unpaid::{ExpireUnpaid, WarnOfExpiry};
pub use folders::{DeleteFolder, MoveOrder, Moved, UpsertFolder};
pub use open_return::OpenReturn;
pub use pay_order::PayOrder;
pub use policies::{ActivatePolicy, SetEdition, UpsertPolicy, UpsertReason, UpsertRoles, Written};
pub use process_return::{AcceptReturn, CloseReturn, ExpireReturn, ReceiveReturn, RejectReturn};
pub use propose_change::ProposeChange;
pub use raise_findings::{FindingsRaised, RaiseFindings};
pub use refund_order::{PayOut, RefundOrder};
pub use reissue_order::ReissueOrder;
pub use request_withdrawal::RequestWithdrawal;
pub use restore_order::RestoreOrder;
pub use short_ship::ShortShip;
pub use steer_saga::{AbortBeforePivot, RetryStep};
pub use submit_change::SubmitChange;
pub use withdraw_change::WithdrawChange;
pub use work::Work;

/// One thing that the service can be asked to write.
pub trait UseCase: Send + Sync + 'static {
    /// The RPC, or the clock's name for it: a request id stands for one request of one method.
    const METHOD: &'static str;
    /// The part of the program that has to be in the tenant's edition.
    const NEEDS: Option<Capability> = None;
    type Answer: Resource;

    /// Of all that is asked for. The same request id with other content is refused.
    fn content(&self) -> Fingerprint;

    /// The order, change or return that it names. Whoever does not see that is answered as if it did not exist. None where
    /// the role alone decides, or a proof that the request itself brings.
    fn about(&self) -> Option<Named<'_>> {
        None
    }

    /// What has to be at hand to decide it: what it names, unless it needs more. The tenant's policies always are.
    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        if let Some(named) = self.about() {
            wanted.named(tenant, &named);
        }
    }

    /// Changes the overlay, or refuses: then nothing of it stays.
    fn decide(&self, work: &mut Work<'_>) -> Result<Self::Answer, Refusal>;
}

/// What a use case answers. Its id is kept with the request id, and a request that comes again is answered by reading it.
pub trait Resource: Send + 'static {
    fn resource_id(&self) -> String;
}

/// A use case whose answer the group commit does not need to know.
pub trait AnyUseCase: Send + Sync {
    fn about(&self) -> Option<Named<'_>>;
    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted);
    fn decide(&self, work: &mut Work<'_>) -> Result<Decided, Refusal>;
}

/// An answer, and the resource that the request id stands for from now on.
pub struct Decided {
    pub answer: Box<dyn Any + Send>,
    pub resource_id: String,
}

impl<U: UseCase> AnyUseCase for U {
    fn about(&self) -> Option<Named<'_>> {
        UseCase::about(self)
    }

    fn reads(&self, tenant: &Tenant, wanted: &mut Wanted) {
        wanted.tenants.insert(tenant.clone());
        UseCase::reads(self, tenant, wanted);
    }

    fn decide(&self, work: &mut Work<'_>) -> Result<Decided, Refusal> {
        if let Some(needed) = U::NEEDS {
            work.shelf().edition.check(needed)?;
        }
        let answer = UseCase::decide(self, work)?;
        let resource_id = answer.resource_id();
        Ok(Decided { answer: Box::new(answer), resource_id })
    }
}
