//! [`Orders`]: what it can be asked about returns.

mod clock;

use std::collections::BTreeSet;

use kit::{Deadline, Failure, Principal};
use types::{Fingerprint, OrderId, RequestId, ReturnId, Tenant};

use crate::domain::change::ChangeView;
use crate::domain::lifecycle::Opening;
use crate::domain::listing::{Concern, Listed, Page};
use crate::domain::returns::{Return, ReturnState};
use crate::ops::calls::asking::{actor, asked, unexpected};
use crate::ops::calls::orders::Orders;
use crate::ops::calls::reads::{cut, sees};
use crate::ops::calls::wait::Wait;
use crate::ops::command::{Answer, ReturnWish, Step, Wish};
use crate::store::{lists, returns};

impl Step {
    /// The RPC that asks for it, for its request ids.
    const fn method(&self) -> &'static str {
        match self {
            Self::Receive { .. } => "ReceiveReturn",
            Self::Accept { .. } => "AcceptReturn",
            Self::Reject { .. } => "RejectReturn",
            Self::Close { .. } => "CloseReturn",
            Self::Expire => "ExpireReturn",
        }
    }
}

impl Orders {
    pub async fn open_return(
        &self,
        principal: &Principal,
        request_id: RequestId,
        opening: Opening,
    ) -> Result<Return, Failure> {
        let asked = asked(principal, "OpenReturn", request_id, &[opening.content.as_str().as_bytes()]);
        let answer = self.ask(asked, Wish::Return(ReturnWish::Open(Box::new(opening)))).await?;
        self.return_of(&principal.tenant, answer).await
    }

    /// Receives, rejects or closes; `content` is of the canonical request.
    pub async fn move_return(
        &self,
        principal: &Principal,
        request_id: RequestId,
        return_id: ReturnId,
        step: Step,
        content: &Fingerprint,
    ) -> Result<Return, Failure> {
        let asked = asked(principal, step.method(), request_id, &[content.as_str().as_bytes()]);
        let answer = self.ask(asked, Wish::Return(ReturnWish::Move { return_id, step })).await?;
        self.return_of(&principal.tenant, answer).await
    }

    pub async fn accept_return(
        &self,
        principal: &Principal,
        request_id: RequestId,
        return_id: ReturnId,
        step: Step,
        content: &Fingerprint,
        (wait, deadline): (Wait, Deadline),
    ) -> Result<ChangeView, Failure> {
        let order_id = self.get_return(principal, &return_id).await?.order_id;
        let asked = asked(principal, step.method(), request_id, &[content.as_str().as_bytes()]);
        // Watching begins before the change does, so that no hint is missed.
        let watch = self.watch_for(wait, &principal.tenant, &order_id);
        let answer = self.ask(asked, Wish::Return(ReturnWish::Move { return_id, step })).await?;
        let view = self.change_of(&principal.tenant, answer).await?;
        self.wait_for_change(view, watch, wait, deadline).await
    }

    pub async fn get_return(&self, principal: &Principal, return_id: &ReturnId) -> Result<Return, Failure> {
        let key = (principal.tenant.clone(), return_id.clone());
        let found = self
            .reading(async |tx| {
                let head = lists::head_of_return(tx, &key).await?.filter(|head| sees(principal, head));
                match head {
                    Some(_) => Ok(returns::load(tx, &BTreeSet::from([key])).await?.pop()),
                    None => Ok(None),
                }
            })
            .await?;
        found.ok_or_else(|| Failure::not_found("Return", return_id.as_str()))
    }

    pub async fn list_returns(
        &self,
        principal: &Principal,
        order_id: Option<&OrderId>,
        states: &[ReturnState],
        page: &Page,
    ) -> Result<Listed<Return>, Failure> {
        let tenant = &principal.tenant;
        let concern = Concern::of(principal.grants.reach, &actor(principal));
        let found = self
            .reading(async |tx| returns::list(tx, tenant, order_id, states, concern.as_ref(), page).await)
            .await?;
        Ok(cut(found, page, |returned| returned.return_id.to_string()))
    }

    async fn return_of(&self, tenant: &Tenant, answer: Answer) -> Result<Return, Failure> {
        match answer {
            Answer::Return(returned) => Ok(*returned),
            Answer::AcceptedBefore(resource) => {
                self.return_by_id(tenant, &ReturnId::parse(&resource).map_err(Failure::internal)?).await
            }
            _ => Err(unexpected()),
        }
    }

    async fn return_by_id(&self, tenant: &Tenant, return_id: &ReturnId) -> Result<Return, Failure> {
        let keys = BTreeSet::from([(tenant.clone(), return_id.clone())]);
        let found = self.reading(async |tx| returns::load(tx, &keys).await).await?.pop();
        found.ok_or_else(|| Failure::not_found("Return", return_id.as_str()))
    }
}
