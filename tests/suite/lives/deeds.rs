//! What each deed is, as calls of the public ports: changes of the order and proposals.

use anyhow::Result;
use proto::common::v1::Wait;
use proto::inventory::v1::PartnerWord;
use proto::order::v1::{
    ApproveChangeOrderRequest, ChangeOrder, ChangeOrderState, ChangeOrderType, DeclineChangeOrderRequest,
    LabelAction, OrderLine, ProposeChangeOrderRequest, ProposedItem, ProposedLine, RequestWithdrawalRequest,
    ShippingReversalInput, ShortShipLine, ShortShipRequest, StartProcessingRequest,
};
use tests::clients::Caller;
use tests::shop::card;

use super::life::{Deed, SANDBOX};
use super::living::{At, CONTACT, Outcome, chosen, heard, pounds, some};
use crate::scenarios::proposals::{buyer, supplier};
use crate::scenarios::restore::{pay, restore};

impl At<'_> {
    pub async fn does(self, deed: Deed, choice: u32) -> Result<Outcome> {
        match deed {
            Deed::CancelUnits => self.cancel_units(choice).await,
            Deed::CancelWhole => {
                heard(self.shop.submit(self.shop.cancel_request(&self.order_id(), &[])).await)
            }
            Deed::CancelEligible => {
                let mut request = self.shop.cancel_request(&self.order_id(), &[]);
                request.change.get_or_insert_default().set_type(ChangeOrderType::AllEligible);
                heard(self.shop.submit(request).await)
            }
            Deed::CancelVoidingLabel => {
                let mut request = self.shop.cancel_request(&self.order_id(), &[]);
                request.change.get_or_insert_default().set_label_action(LabelAction::Void);
                heard(self.shop.submit(request).await)
            }
            Deed::WithdrawChange => self.withdraw_change().await,
            Deed::ProposeFewer
            | Deed::ProposeMore
            | Deed::ProposeItem
            | Deed::ProposeCheaper
            | Deed::ProposeShipping => self.propose(deed, choice).await,
            Deed::Approve => self.approve(choice).await,
            Deed::Decline => self.decline(choice).await,
            Deed::RequestWithdrawal => self.request_withdrawal().await,
            Deed::StartProcessing => {
                let request =
                    StartProcessingRequest { request_id: self.shop.request_id(), order_id: self.order_id() };
                heard(self.shop.clients.orders().start_processing(request).await)
            }
            Deed::ShortShip => self.short_ship(choice).await,
            Deed::Restore => self.restore(choice).await,
            Deed::RestoreUnpaid => heard(restore(self.shop, &self.order_id(), Vec::new()).await),
            Deed::Pay => self.pay().await,
            Deed::Goodwill => self.goodwill(choice).await,
            Deed::RetryRefund => self.retry_refund(choice).await,
            Deed::ResolveRefund => self.resolve_refund(choice).await,
            Deed::Capture => self.capture(choice).await,
            Deed::RefundAtDashboard => self.refund_at_dashboard(choice).await,
            Deed::OpenDispute => self.dispute(choice, "open").await,
            Deed::WinDispute => self.dispute(choice, "won").await,
            Deed::LoseDispute => self.dispute(choice, "lost").await,
            Deed::Allocate => self.allocate(choice).await,
            Deed::Ship => self.ship(choice).await,
            Deed::Deliver => self.deliver(choice).await,
            Deed::AttachLabel => self.attach_label(choice).await,
            Deed::VoidLabel => self.void_label().await,
            Deed::OpenReturn => self.open_return(choice).await,
            Deed::ReceiveReturn => self.receive_return(choice).await,
            Deed::AcceptReturn => self.accept_return(choice).await,
            Deed::RejectReturn => self.reject_return(choice).await,
            Deed::CloseReturn => self.close_return(choice).await,
            Deed::PartnerAgrees => self.partner_answers(choice, PartnerWord::Accepted).await,
            Deed::PartnerRefuses => self.partner_answers(choice, PartnerWord::Rejected).await,
            Deed::PartnerShips => self.partner_ships(choice).await,
            Deed::Pause => {
                tokio::time::sleep(std::time::Duration::from_millis(u64::from(choice % 500))).await;
                Ok(Outcome::Done)
            }
        }
    }

    async fn cancel_units(self, choice: u32) -> Result<Outcome> {
        let order = self.shop.order(&self.order_id()).await?;
        let open = |line: &OrderLine| {
            let open = line.quantities.unwrap_or_default().open;
            (open > 0).then_some((line.line_number, open))
        };
        let Some((line, open)) = chosen(choice, order.lines.iter().filter_map(open).collect()) else {
            return Ok(Outcome::Nothing);
        };
        let request = self.shop.cancel_request(&order.order_id, &[(line, some(choice >> 4, open))]);
        heard(self.shop.submit(request).await)
    }

    async fn withdraw_change(self) -> Result<Outcome> {
        let running = |change: &ChangeOrder| {
            matches!(change.state(), ChangeOrderState::Executing | ChangeOrderState::Requested)
        };
        let Some(change) = self.living.changes().await?.into_iter().find(running) else {
            return Ok(Outcome::Nothing);
        };
        heard(self.shop.withdraw(&change.change_order_id).await)
    }

    async fn propose(self, deed: Deed, choice: u32) -> Result<Outcome> {
        let order = self.shop.order(&self.order_id()).await?;
        let Some(line) = chosen(choice, order.lines.clone()) else { return Ok(Outcome::Nothing) };
        let open = line.quantities.unwrap_or_default().open;
        let named = ProposedLine { line_number: line.line_number, ..ProposedLine::default() };
        let (kind, lines) = match deed {
            Deed::ProposeMore => {
                let left = open + some(choice >> 4, 2);
                (ChangeOrderType::EditQuantity, vec![ProposedLine { new_quantity: left, ..named }])
            }
            Deed::ProposeItem => (ChangeOrderType::AddItem, Vec::new()),
            Deed::ProposeCheaper => {
                let off_minor = some(choice >> 4, 120);
                (ChangeOrderType::PriceAdjust, vec![ProposedLine { off_minor, ..named }])
            }
            Deed::ProposeShipping => (ChangeOrderType::ShippingAdjust, Vec::new()),
            _ => {
                let left = (open - some(choice >> 4, open)).max(0);
                (ChangeOrderType::EditQuantity, vec![ProposedLine { new_quantity: left, ..named }])
            }
        };
        let item = ProposedItem {
            sku: self.living.sku(0),
            quantity: 1,
            unit_price: pounds(some(choice >> 4, 900)),
            ..ProposedItem::default()
        };
        let off = ShippingReversalInput {
            shipping_minor: some(choice >> 4, 90),
            ..ShippingReversalInput::default()
        };
        let request = ProposeChangeOrderRequest {
            request_id: self.shop.request_id(),
            order_id: order.order_id,
            r#type: kind.into(),
            lines,
            items: if kind == ChangeOrderType::AddItem { vec![item] } else { Vec::new() },
            shipping: if kind == ChangeOrderType::ShippingAdjust { vec![off] } else { Vec::new() },
            ..ProposeChangeOrderRequest::default()
        };
        heard(supplier(self.shop).proposals().propose_change_order(request).await)
    }

    async fn requested(self, choice: u32) -> Result<Option<ChangeOrder>> {
        let requested = |change: &ChangeOrder| change.state() == ChangeOrderState::Requested;
        Ok(chosen(choice, self.living.changes().await?.into_iter().filter(requested).collect()))
    }

    async fn approve(self, choice: u32) -> Result<Outcome> {
        let Some(change) = self.requested(choice).await? else { return Ok(Outcome::Nothing) };
        let order = self.shop.order(&self.order_id()).await?;
        let more = change.total_after_minor - order.totals.unwrap_or_default().total_minor;
        let withdrawn = change.r#type() == ChangeOrderType::Withdrawal;
        let by = if withdrawn { supplier(self.shop) } else { buyer(self.shop) };
        let request = ApproveChangeOrderRequest {
            request_id: self.shop.request_id(),
            change_order_id: change.change_order_id,
            wait: Wait::Completed.into(),
            tenders: if more > 0 { vec![card("tok_approve", more, true)] } else { Vec::new() },
        };
        heard(by.proposals().approve_change_order(request).await)
    }

    async fn decline(self, choice: u32) -> Result<Outcome> {
        let Some(change) = self.requested(choice).await? else { return Ok(Outcome::Nothing) };
        let request = DeclineChangeOrderRequest {
            request_id: self.shop.request_id(),
            change_order_id: change.change_order_id,
            note: "no".to_owned(),
        };
        heard(buyer(self.shop).proposals().decline_change_order(request).await)
    }

    async fn request_withdrawal(self) -> Result<Outcome> {
        let nobody = Caller { user: "web".to_owned(), role: "guest".to_owned(), ..Caller::default() };
        let request = RequestWithdrawalRequest {
            request_id: self.shop.request_id(),
            order_number: self.living.order.number.clone(),
            client_contact: CONTACT.to_owned(),
            note: String::new(),
        };
        heard(self.shop.clients.acting_as(nobody).proposals().request_withdrawal(request).await)
    }

    async fn short_ship(self, choice: u32) -> Result<Outcome> {
        let request = ShortShipRequest {
            request_id: self.shop.request_id(),
            order_id: self.order_id(),
            lines: vec![ShortShipLine { line_id: String::new(), line_number: 1, quantity: some(choice, 2) }],
            reason_code: "OUT_OF_STOCK".to_owned(),
            note: String::new(),
            wait: Wait::Completed.into(),
        };
        heard(self.shop.clients.remedies().short_ship(request).await)
    }

    async fn restore(self, choice: u32) -> Result<Outcome> {
        // All that was cancelled comes back, so the order comes to what it was placed for, less goodwill.
        let totals = self.shop.order(&self.order_id()).await?.totals.unwrap_or_default();
        let missing = totals.placed_minor - totals.goodwill_minor;
        if missing <= 0 {
            return Ok(Outcome::Nothing);
        }
        let token = if choice.is_multiple_of(7) { "tok_decline" } else { "tok_approve" };
        heard(restore(self.shop, &self.order_id(), vec![card(token, missing, true)]).await)
    }

    async fn pay(self) -> Result<Outcome> {
        let missing = self.shop.order(&self.order_id()).await?.awaits_payment_minor;
        if missing <= 0 {
            return Ok(Outcome::Nothing);
        }
        let tender = proto::order::v1::TenderInput {
            gateway: SANDBOX.to_owned(),
            ..card("tok_approve", missing, true)
        };
        heard(pay(self.shop, &self.order_id(), vec![tender]).await)
    }
}
