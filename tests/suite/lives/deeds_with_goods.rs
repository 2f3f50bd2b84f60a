//! Deeds in the warehouse, at the partner, and with what comes back.

use anyhow::Result;
use proto::common::v1::{Money, Wait};
use proto::inventory::v1::{
    AttachLabelRequest, CreateFulfillmentRequest, DeliverFulfillmentRequest, Fulfillment,
    FulfillmentLineSelection, FulfillmentState, GetLabelsRequest, ListFulfillmentsRequest, PartnerTaskState,
    PartnerWord, ReportPartnerShipmentRequest, ShipFulfillmentRequest, SubmitFulfillmentRequest,
    VoidLabelRequest,
};
use proto::order::v1::{
    AcceptReturnLineInput, AcceptReturnRequest, CloseReturnRequest, ListReturnsRequest, OpenReturnRequest,
    OrderLine, ReceiveReturnRequest, RejectReturnRequest, Return, ReturnLine, ReturnLineInput, ReturnState,
};
use tests::outside::PARTNER;
use tests::shop::WAREHOUSE;

use super::living::{At, Outcome, chosen, heard, some};

impl At<'_> {
    async fn fulfilments(self, states: &[FulfillmentState]) -> Result<Vec<Fulfillment>> {
        let request = ListFulfillmentsRequest { order_id: self.order_id() };
        let found = self.shop.clients.fulfillments().list_fulfillments(request).await?.into_inner();
        let fits = |fulfilment: &Fulfillment| states.contains(&fulfilment.state());
        Ok(found.fulfillments.into_iter().filter(fits).collect())
    }

    fn is_at_partner(self) -> bool {
        self.living.at_partner
    }

    pub async fn allocate(self, choice: u32) -> Result<Outcome> {
        let warehouse = if self.is_at_partner() { PARTNER } else { WAREHOUSE };
        let order = self.shop.order(&self.order_id()).await?;
        // All that is left, or some units of one line.
        let lines = match chosen(choice >> 2, order.lines) {
            Some(line) if choice.is_multiple_of(3) => {
                vec![FulfillmentLineSelection { line_id: line.line_id, quantity: some(choice >> 5, 2) }]
            }
            Some(_) | None => Vec::new(),
        };
        let request = CreateFulfillmentRequest {
            request_id: self.shop.request_id(),
            order_id: self.order_id(),
            warehouse_id: warehouse.to_owned(),
            lines,
            ..CreateFulfillmentRequest::default()
        };
        let created = match self.shop.clients.fulfillments().create_fulfillment(request).await {
            Ok(created) => created.into_inner().fulfillment.unwrap_or_default(),
            Err(status) => return heard(Err::<(), _>(status)),
        };
        let external_number = if self.is_at_partner() {
            let id = created.fulfillment_id.as_str();
            format!("PO-{}", &id[id.len().saturating_sub(12)..])
        } else {
            String::new()
        };
        let request = SubmitFulfillmentRequest {
            request_id: self.shop.request_id(),
            fulfillment_id: created.fulfillment_id,
            external_number,
        };
        heard(self.shop.clients.fulfillments().submit_fulfillment(request).await)
    }

    pub async fn ship(self, choice: u32) -> Result<Outcome> {
        let packed = [FulfillmentState::Submitted, FulfillmentState::PartiallyShipped];
        let mut found = self.fulfilments(&packed).await?;
        if found.is_empty() {
            self.allocate(1).await?;
            found = self.fulfilments(&packed).await?;
        }
        let Some(fulfilment) = chosen(choice, found) else { return Ok(Outcome::Nothing) };
        let lines = match chosen(choice >> 2, fulfilment.lines) {
            Some(line) if choice.is_multiple_of(4) => {
                vec![FulfillmentLineSelection { line_id: line.line_id, quantity: 1 }]
            }
            Some(_) | None => Vec::new(),
        };
        let request = ShipFulfillmentRequest {
            request_id: self.shop.request_id(),
            fulfillment_id: fulfilment.fulfillment_id,
            lines,
            tracking_number: if choice.is_multiple_of(2) { self.tracking() } else { String::new() },
        };
        heard(self.shop.clients.fulfillments().ship_fulfillment(request).await)
    }

    fn tracking(self) -> String {
        format!("1Z{}", self.living.tag)
    }

    pub async fn deliver(self, choice: u32) -> Result<Outcome> {
        let shipped = [FulfillmentState::Shipped, FulfillmentState::PartiallyShipped];
        let Some(fulfilment) = chosen(choice, self.fulfilments(&shipped).await?) else {
            return Ok(Outcome::Nothing);
        };
        let request = DeliverFulfillmentRequest {
            request_id: self.shop.request_id(),
            fulfillment_id: fulfilment.fulfillment_id,
            ..DeliverFulfillmentRequest::default()
        };
        heard(self.shop.clients.fulfillments().deliver_fulfillment(request).await)
    }

    pub async fn attach_label(self, choice: u32) -> Result<Outcome> {
        const TOKENS: [&str; 4] = ["lbl_ok", "lbl_ok", "lbl_late", "lbl_used"];
        let packed = [FulfillmentState::Submitted, FulfillmentState::Shipped];
        let Some(fulfilment) = chosen(choice, self.fulfilments(&packed).await?) else {
            return Ok(Outcome::Nothing);
        };
        let request = AttachLabelRequest {
            request_id: self.shop.request_id(),
            fulfillment_id: fulfilment.fulfillment_id,
            carrier: "sandbox".to_owned(),
            token: chosen(choice, TOKENS.to_vec()).unwrap_or_default().to_owned(),
            tracking_number: self.tracking(),
            cost: Some(Money { currency_code: "GBP".to_owned(), minor_units: 450 }),
        };
        heard(self.shop.clients.labels().attach_label(request).await)
    }

    pub async fn void_label(self) -> Result<Outcome> {
        let request = GetLabelsRequest { order_id: self.order_id() };
        let labels = self.shop.clients.labels().get_labels(request).await?.into_inner().labels;
        let Some(label) = labels.into_iter().next() else { return Ok(Outcome::Nothing) };
        let request = VoidLabelRequest { request_id: self.shop.request_id(), label_id: label.label_id };
        heard(self.shop.clients.labels().void_label(request).await)
    }

    pub async fn partner_answers(self, choice: u32, word: PartnerWord) -> Result<Outcome> {
        let asked = self.living.tasks().await?.into_iter();
        let asked = asked.filter(|task| task.state() == PartnerTaskState::Requested).collect();
        let Some(task) = chosen(choice, asked) else { return Ok(Outcome::Nothing) };
        heard(self.shop.respond(&task.task_id, word).await)
    }

    pub async fn partner_ships(self, choice: u32) -> Result<Outcome> {
        if !self.is_at_partner() {
            return Ok(Outcome::Nothing);
        }
        let there = [FulfillmentState::Submitted, FulfillmentState::Cancelled];
        let Some(fulfilment) = chosen(choice, self.fulfilments(&there).await?) else {
            return Ok(Outcome::Nothing);
        };
        let request = ReportPartnerShipmentRequest {
            request_id: self.shop.request_id(),
            fulfillment_id: fulfilment.fulfillment_id,
            tracking_number: self.tracking(),
            ..ReportPartnerShipmentRequest::default()
        };
        heard(self.shop.clients.integrations().report_partner_shipment(request).await)
    }

    pub async fn open_return(self, choice: u32) -> Result<Outcome> {
        let order = self.shop.order(&self.order_id()).await?;
        let there = |line: &OrderLine| {
            let quantities = line.quantities.unwrap_or_default();
            let left = quantities.fulfilled - quantities.returned;
            (left > 0).then_some((line.line_number, left))
        };
        let Some((line_number, left)) = chosen(choice, order.lines.iter().filter_map(there).collect()) else {
            return Ok(Outcome::Nothing);
        };
        let quantity = some(choice >> 3, left);
        let request = OpenReturnRequest {
            request_id: self.shop.request_id(),
            order_id: order.order_id,
            lines: vec![ReturnLineInput { line_id: String::new(), line_number, quantity }],
            reason_code: "DAMAGED".to_owned(),
            note: String::new(),
            valid_seconds: 0,
        };
        heard(self.shop.clients.returns().open_return(request).await)
    }

    /// A line of an open return of which something fits, and how much.
    async fn returned(self, choice: u32, left: fn(&ReturnLine) -> i64) -> Result<Option<(Return, i64, i64)>> {
        let request = ListReturnsRequest {
            order_id: self.order_id(),
            states: vec![ReturnState::Open.into()],
            page_size: 20,
            ..ListReturnsRequest::default()
        };
        let found = self.shop.clients.returns().list_returns(request).await?.into_inner().returns;
        let lines = found.iter().flat_map(|found| found.lines.iter().map(move |line| (found, line)));
        let fitting = lines.filter(|(_, line)| left(line) > 0);
        let fitting = fitting.map(|(found, line)| (found.clone(), line.line_number, left(line)));
        Ok(chosen(choice, fitting.collect()))
    }

    pub async fn receive_return(self, choice: u32) -> Result<Outcome> {
        let found = self.returned(choice, |line| line.expected - line.received).await?;
        let Some((found, line_number, left)) = found else { return Ok(Outcome::Nothing) };
        let quantity = some(choice >> 3, left);
        let request = ReceiveReturnRequest {
            request_id: self.shop.request_id(),
            return_id: found.return_id,
            lines: vec![ReturnLineInput { line_id: String::new(), line_number, quantity }],
            note: String::new(),
        };
        heard(self.shop.clients.returns().receive_return(request).await)
    }

    pub async fn accept_return(self, choice: u32) -> Result<Outcome> {
        let found = self.returned(choice, |line| line.received - line.accepted - line.rejected).await?;
        let Some((found, line_number, left)) = found else { return Ok(Outcome::Nothing) };
        let units = some(choice >> 3, left);
        let restock = if choice.is_multiple_of(3) { units - 1 } else { units };
        let line = AcceptReturnLineInput {
            line_number,
            restock,
            write_off: units - restock,
            ..AcceptReturnLineInput::default()
        };
        let request = AcceptReturnRequest {
            request_id: self.shop.request_id(),
            return_id: found.return_id,
            lines: vec![line],
            note: String::new(),
            wait: Wait::Completed.into(),
        };
        heard(self.shop.clients.returns().accept_return(request).await)
    }

    pub async fn reject_return(self, choice: u32) -> Result<Outcome> {
        let found = self.returned(choice, |line| line.received - line.accepted - line.rejected).await?;
        let Some((found, line_number, left)) = found else { return Ok(Outcome::Nothing) };
        let quantity = some(choice >> 3, left);
        let request = RejectReturnRequest {
            request_id: self.shop.request_id(),
            return_id: found.return_id,
            lines: vec![ReturnLineInput { line_id: String::new(), line_number, quantity }],
            note: "worn".to_owned(),
        };
        heard(self.shop.clients.returns().reject_return(request).await)
    }

    pub async fn close_return(self, choice: u32) -> Result<Outcome> {
        let found = self.returned(choice, |line| line.expected).await?;
        let Some((found, ..)) = found else { return Ok(Outcome::Nothing) };
        let request = CloseReturnRequest {
            request_id: self.shop.request_id(),
            return_id: found.return_id,
            note: "nothing more comes".to_owned(),
        };
        heard(self.shop.clients.returns().close_return(request).await)
    }
}
