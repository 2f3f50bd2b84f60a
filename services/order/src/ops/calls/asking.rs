//! Handing a use case to the group commit, with who asks and under which request id, and waiting for the result.

use kit::{Deadline, Failure, Principal};
use saga::SagaImage;
use storage::RequestKey;
use types::{
    AttentionId, ChangeOrderId, FolderId, MessageId, OrderId, Permission, Reach, RequestId, ReturnId, SagaId,
    Subject, Tenant,
};

use crate::domain::attention::AttentionItem;
use crate::domain::change::ChangeView;
use crate::domain::conversation::Message;
use crate::domain::folders::Folder;
use crate::domain::order::{Actor, Order};
use crate::domain::quote::Bearer;
use crate::domain::returns::Return;
use crate::ops::calls::orders::Orders;
use crate::ops::calls::wait::Wait;
use crate::ops::command::{Asked, Named};
use crate::ops::commit::command::{Answer, Command};
use crate::ops::use_cases::{FindingsRaised, Moved, Resource, UseCase, Written};

/// An answer that can be read again by its id, for a request that is repeated.
pub trait Stored: Resource + Sized {
    fn read(orders: &Orders, tenant: &Tenant, id: &str)
    -> impl Future<Output = Result<Self, Failure>> + Send;
}

impl Orders {
    /// Runs a use case. A repeated request id is answered with what the first request wrote; with other content it is refused.
    pub async fn ask<U: UseCase<Answer: Stored>>(
        &self,
        caller: &Principal,
        request_id: RequestId,
        use_case: U,
    ) -> Result<U::Answer, Failure> {
        let asked = Asked {
            tenant: caller.tenant.clone(),
            fingerprint: use_case.content(),
            actor: actor(caller),
            reach: caller.grants.reach,
            key: request_key(caller, U::METHOD, request_id),
            traceparent: kit::telemetry::traceparent(),
        };
        // Boxed: every call holds what it reads here.
        Box::pin(self.is_there_for(&asked, use_case.about())).await?;
        self.commit(asked, use_case).await
    }

    /// The same for a use case that places an order: answers when the order has come as far as the caller asked for.
    pub async fn ask_for_order<U: UseCase<Answer = Order>>(
        &self,
        caller: &Principal,
        request_id: RequestId,
        use_case: U,
        (wait, deadline): (Wait, Deadline),
    ) -> Result<Order, Failure> {
        let order = self.ask(caller, request_id, use_case).await?;
        self.wait_for_order(order, wait, deadline).await
    }

    /// The same for a use case that changes an order.
    pub async fn ask_for_change<U: UseCase<Answer = ChangeView>>(
        &self,
        caller: &Principal,
        request_id: RequestId,
        use_case: U,
        (wait, deadline): (Wait, Deadline),
    ) -> Result<ChangeView, Failure> {
        // Watching begins before the change does, so that no hint is missed.
        let watch = match (wait, use_case.about()) {
            (Wait::Accepted, _) | (_, None) => None,
            (Wait::Committed | Wait::Completed, Some(named)) => {
                let order_id = self.order_named(caller, named).await?;
                Some(self.watch(&caller.tenant, &order_id))
            }
        };
        let view = self.ask(caller, request_id, use_case).await?;
        self.wait_for_change(view, watch, wait, deadline).await
    }

    /// Runs a use case for one of this service's own clocks. The same request id runs it once.
    pub async fn ask_by_clock<U: UseCase<Answer: Stored>>(
        &self,
        tenant: &Tenant,
        request_id: &str,
        use_case: U,
    ) -> Result<U::Answer, Failure> {
        let asked = Asked {
            tenant: tenant.clone(),
            fingerprint: use_case.content(),
            actor: Actor::system(),
            reach: Reach::TENANT,
            key: RequestKey {
                tenant: tenant.clone(),
                subject: Subject::internal("clock"),
                method: U::METHOD.to_owned(),
                request_id: RequestId::parse(request_id).expect("ids and numbers of ours are request ids"),
            },
            traceparent: None,
        };
        self.commit(asked, use_case).await
    }

    async fn commit<U: UseCase<Answer: Stored>>(
        &self,
        asked: Asked,
        use_case: U,
    ) -> Result<U::Answer, Failure> {
        let tenant = asked.tenant.clone();
        let command = Command::Ask(Box::new(asked), Box::new(use_case));
        match self.writer.submit(command).await?.answer {
            Answer::Refused(refusal) => Err(Failure::from(refusal)),
            Answer::AcceptedBefore(id) => U::Answer::read(self, &tenant, &id).await,
            Answer::Accepted(answer) => match answer.downcast() {
                Ok(answer) => Ok(*answer),
                Err(_) => Err(unexpected()),
            },
            Answer::Advanced(_) | Answer::Delivered(_) | Answer::Noted => Err(unexpected()),
        }
    }

    async fn order_named(&self, caller: &Principal, named: Named<'_>) -> Result<OrderId, Failure> {
        Ok(match named {
            Named::Order(order_id) => order_id.clone(),
            Named::Change(id) => self.get_change(caller, id).await?.change.order_id,
            Named::Return(id) => self.get_return(caller, id).await?.order_id,
        })
    }
}

pub fn request_key(principal: &Principal, method: &str, request_id: RequestId) -> RequestKey {
    RequestKey {
        tenant: principal.tenant.clone(),
        subject: principal.subject(),
        method: method.to_owned(),
        request_id,
    }
}

/// Whose quotes the caller may use.
pub fn bearer(principal: &Principal) -> Bearer {
    if principal.holds(Permission::QuoteAny) { Bearer::Anyone } else { Bearer::Subject(principal.subject()) }
}

/// The caller, as timelines and books record it.
pub fn actor(principal: &Principal) -> Actor {
    Actor {
        user: principal.user.clone(),
        organisation: principal.organisation.clone(),
        role: principal.role.to_string(),
    }
}

fn unexpected() -> Failure {
    Failure::internal("a command was answered by another command's answer")
}

impl Stored for Order {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.order(tenant, &OrderId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for ChangeView {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.change(tenant, &ChangeOrderId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for SagaImage {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.saga_by_id(tenant, SagaId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for Return {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.return_by_id(tenant, &ReturnId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for Message {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.message(tenant, &MessageId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for Folder {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.folder(tenant, &FolderId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for Moved {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.folder_of_order(tenant, &OrderId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for AttentionItem {
    async fn read(orders: &Orders, tenant: &Tenant, id: &str) -> Result<Self, Failure> {
        orders.attention_item(tenant, &AttentionId::parse(id).map_err(Failure::internal)?).await
    }
}

impl Stored for Written {
    async fn read(_: &Orders, _: &Tenant, id: &str) -> Result<Self, Failure> {
        Ok(Self(id.to_owned()))
    }
}

impl Stored for FindingsRaised {
    async fn read(_: &Orders, _: &Tenant, _: &str) -> Result<Self, Failure> {
        Ok(Self)
    }
}
