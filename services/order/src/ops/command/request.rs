//! Who asks, for what, what is answered, and what follows the commit.

use saga::{Advance, LeaseLost, SagaImage};
use storage::{Delivery, RequestKey};
use types::{AttentionId, ChangeOrderId, Fingerprint, Grants, OrderId, Reach, Refusal, Role, SagaId, Tenant};

use super::arrival::Arrival;
use super::desk::{DeskAnswer, DeskWish};
use super::queue::Queue;
use super::remedies::RemedyWish;
use super::returns::ReturnWish;
use crate::domain::attention::AttentionItem;
use crate::domain::change::{ChangeRequest, ChangeView};
use crate::domain::findings::Findings;
use crate::domain::order::{Actor, Order};
use crate::domain::placing::NewOrder;
use crate::domain::policy::{Document, Edition, Selector};
use crate::domain::quote::Presented;
use crate::domain::reason::CancelReason;
use crate::domain::returns::Return;

/// Who asks for what, and under which name, so that asking again does nothing twice.
pub struct Asked {
    pub tenant: Tenant,
    pub actor: Actor,
    /// Which orders are there for who asks, as far as the role map goes.
    pub reach: Reach,
    pub key: RequestKey,
    pub fingerprint: Fingerprint,
    pub traceparent: Option<String>,
}

pub enum Command {
    Ask(Box<Asked>, Wish),
    Advance(Box<Advance>),
    Deliver(Box<Arrival>),
    Queue(Queue),
}

/// What a caller of the public port may wish for.
pub enum Wish {
    CreateOrder(Box<NewOrder>),
    ConfirmOrder(OrderId),
    StartProcessing(OrderId),
    SubmitChange { request: Box<ChangeRequest>, quote: Option<Presented> },
    WithdrawChange { change_order_id: ChangeOrderId, note: String },
    RetryStep { saga_id: SagaId, note: String },
    AbortBeforePivot { saga_id: SagaId, note: String },
    WritePolicy { policy_id: String, document: Box<Document> },
    ChoosePolicy { policy_id: String, version: i64, selector: Selector },
    OfferReason(Box<CancelReason>),
    PutOnEdition(Box<Edition>),
    GrantRoles(Vec<(Role, Grants)>),
    RaiseFindings(Box<Findings>),
    Acknowledge { attention_id: AttentionId, note: String },
    Desk(DeskWish),
    Remedy(RemedyWish),
    Return(ReturnWish),
}

pub enum Answer {
    Refused(Refusal),
    /// The request was accepted before, and this is its resource.
    AcceptedBefore(String),
    Order(Box<Order>),
    Change(Box<ChangeView>),
    Saga(Box<SagaImage>),
    Desk(Box<DeskAnswer>),
    Return(Box<Return>),
    Attention(Box<AttentionItem>),
    /// What a policy command has written, by name.
    Written(String),
    Advanced(Result<Box<SagaImage>, LeaseLost>),
    Delivered(Delivery),
    Noted,
}

/// An answer, and the resource that the request id stands for from now on.
pub type Done = Result<(Answer, String), Refusal>;

/// What a decided command asks to be done after its commit.
#[derive(Default)]
pub struct After {
    pub start: Option<SagaImage>,
    pub due: bool,
}
