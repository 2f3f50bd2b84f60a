//! [`Orders`]: the remedies that it can be asked for.

mod clock;
mod expiry;
mod preview;

use kit::{Deadline, Failure, Principal};
use types::{ChangeOrderId, Fingerprint, OrderId, RequestId};

use crate::domain::change::ChangeView;
use crate::domain::lifecycle::{PayRequest, Proposal, RefundRequest, RestoreRequest, ShortShipRequest};
use crate::domain::order::Order;
use crate::domain::placing::NewTender;
use crate::domain::reissue::Reissue;
use crate::ops::calls::asking::asked;
use crate::ops::calls::orders::Orders;
use crate::ops::calls::wait::Wait;
use crate::ops::command::{RemedyWish, Wish};

impl Orders {
    pub async fn reissue_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        wish: Reissue,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<Order, Failure> {
        let asked = asked(principal, "ReissueOrder", request_id, &[wish.content.as_str().as_bytes()]);
        let answer = self.ask(asked, Wish::Remedy(RemedyWish::Reissue(Box::new(wish)))).await?;
        let order = self.order_of(&principal.tenant, answer).await?;
        self.wait_for_order(order, wait, deadline).await
    }

    pub async fn restore_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: RestoreRequest,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let (order_id, content) = (request.order_id.clone(), request.content.clone());
        let lacking = self.lacking(principal, &order_id).await;
        let wish = RemedyWish::Restore(Box::new(RestoreRequest { lacking, ..request }));
        let named = Named { method: "RestoreOrder", request_id, order_id, content };
        self.remedy(principal, named, wish, wait, deadline).await
    }

    pub async fn pay_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: PayRequest,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let (order_id, content) = (request.order_id.clone(), request.content.clone());
        let wish = RemedyWish::Pay(Box::new(request));
        let named = Named { method: "PayOrder", request_id, order_id, content };
        self.remedy(principal, named, wish, wait, deadline).await
    }

    pub async fn refund_order(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: RefundRequest,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let (order_id, content) = (request.order_id.clone(), request.content.clone());
        let wish = RemedyWish::Refund(Box::new(request));
        let named = Named { method: "RefundOrder", request_id, order_id, content };
        self.remedy(principal, named, wish, wait, deadline).await
    }

    pub async fn pay_out(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: RefundRequest,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let (order_id, content) = (request.order_id.clone(), request.content.clone());
        let wish = RemedyWish::PayOut(Box::new(request));
        let named = Named { method: "PayOut", request_id, order_id, content };
        self.remedy(principal, named, wish, wait, deadline).await
    }

    pub async fn short_ship(
        &self,
        principal: &Principal,
        request_id: RequestId,
        request: ShortShipRequest,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let (order_id, content) = (request.order_id.clone(), request.content.clone());
        let wish = RemedyWish::ShortShip(Box::new(request));
        let named = Named { method: "ShortShip", request_id, order_id, content };
        self.remedy(principal, named, wish, wait, deadline).await
    }

    pub async fn propose_change(
        &self,
        principal: &Principal,
        request_id: RequestId,
        order_id: OrderId,
        proposal: Proposal,
        counter_of: Option<ChangeOrderId>,
        content: Fingerprint,
    ) -> Result<ChangeView, Failure> {
        let asked = asked(principal, "ProposeChangeOrder", request_id, &[content.as_str().as_bytes()]);
        let wish = RemedyWish::Propose { order_id, proposal: Box::new(proposal), counter_of };
        let answer = self.ask(asked, Wish::Remedy(wish)).await?;
        self.change_of(&principal.tenant, answer).await
    }

    pub async fn approve_change(
        &self,
        principal: &Principal,
        request_id: RequestId,
        approval: Approval,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let Approval { change_order_id, tenders, content } = approval;
        let proposed = self.get_change(principal, &change_order_id).await?;
        let order_id = proposed.change.order_id;
        let named = Named { method: "ApproveChangeOrder", request_id, order_id, content };
        self.remedy(principal, named, RemedyWish::Approve { change_order_id, tenders }, wait, deadline).await
    }

    pub async fn decline_change(
        &self,
        principal: &Principal,
        request_id: RequestId,
        change_order_id: ChangeOrderId,
        note: String,
    ) -> Result<ChangeView, Failure> {
        let content: [&[u8]; 2] = [change_order_id.as_str().as_bytes(), note.as_bytes()];
        let asked = asked(principal, "DeclineChangeOrder", request_id, &content);
        let answer = self.ask(asked, Wish::Remedy(RemedyWish::Decline { change_order_id, note })).await?;
        self.change_of(&principal.tenant, answer).await
    }

    pub async fn request_withdrawal(
        &self,
        principal: &Principal,
        request_id: RequestId,
        number: String,
        contact: String,
        note: String,
    ) -> Result<ChangeView, Failure> {
        let content = [number.as_bytes(), contact.as_bytes(), note.as_bytes()];
        let asked = asked(principal, "RequestWithdrawal", request_id, &content);
        // An absent order goes the way of one whose contact is another: nobody learns which it was.
        let order_id = self.id_of_number(&principal.tenant, &number).await?;
        let order_id = order_id.unwrap_or_else(|| self.ids().mint());
        let wish = RemedyWish::ReceiveWithdrawal { order_id, number, contact, note };
        let answer = self.ask(asked, Wish::Remedy(wish)).await?;
        self.change_of(&principal.tenant, answer).await
    }

    /// Asks for a change of an order and waits for it.
    async fn remedy(
        &self,
        principal: &Principal,
        named: Named,
        wish: RemedyWish,
        wait: Wait,
        deadline: Deadline,
    ) -> Result<ChangeView, Failure> {
        let content = named.content.as_str().as_bytes();
        let asked = asked(principal, named.method, named.request_id, &[content]);
        // Watching begins before the change does, so that no hint is missed.
        let watch = self.watch_for(wait, &principal.tenant, &named.order_id);
        let answer = self.ask(asked, Wish::Remedy(wish)).await?;
        let view = self.change_of(&principal.tenant, answer).await?;
        self.wait_for_change(view, watch, wait, deadline).await
    }
}

/// The other side agrees, and pays what the order comes to more.
pub struct Approval {
    pub change_order_id: ChangeOrderId,
    pub tenders: Vec<NewTender>,
    /// Of the canonical request.
    pub content: Fingerprint,
}

/// A request as its id stands for it, and the order it is about.
struct Named {
    method: &'static str,
    request_id: RequestId,
    order_id: OrderId,
    content: Fingerprint,
}
