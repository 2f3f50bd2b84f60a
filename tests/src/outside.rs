//! The words of scenarios about carriers and fulfilment partners.

use anyhow::{Context, Result};
use proto::common::v1::Money;
use proto::inventory::v1::{
    AttachLabelRequest, Confirmation, Connector, CreateFulfillmentRequest, Fulfillment, GetLabelsRequest,
    Integration, Label, ListIntegrationsRequest, ListPartnerTasksRequest, PartnerMethod,
    PartnerMethodProfile, PartnerTask, PartnerWord, RespondCancellationRequest, ShipFulfillmentRequest,
    SubmitFulfillmentRequest, UpsertIntegrationRequest, UpsertWarehouseRequest, Warehouse, WarehouseKind,
};
use proto::order::v1::{GetCancelabilityRequest, GetCancelabilityResponse, Order};
use tonic::Status;

use crate::partner::FakePartner;
use crate::shop::{Shop, WAREHOUSE};

pub const PARTNER: &str = "partner";
pub const TRACKING: &str = "1Z999";

impl Shop {
    /// A third party's warehouse, reached by the profile of this key.
    pub async fn partner(&self, integration: &str) -> Result<()> {
        let warehouse = Warehouse {
            warehouse_id: PARTNER.to_owned(),
            kind: WarehouseKind::Dropship.into(),
            priority: 9,
            active: true,
            integration: integration.to_owned(),
        };
        let request = UpsertWarehouseRequest { request_id: self.request_id(), warehouse: Some(warehouse) };
        self.clients.stock().upsert_warehouse(request).await?;
        Ok(())
    }

    pub async fn integration(&self, key: &str) -> Result<Integration> {
        let request = ListIntegrationsRequest { key: key.to_owned() };
        let found = self.clients.integrations().list_integrations(request).await?.into_inner().integrations;
        found.into_iter().next().with_context(|| format!("there is no profile {key}"))
    }

    /// The seeded profile of this key, with the address of a program behind it, and its warehouse.
    pub async fn connect_partner(&self, key: &str, program: &FakePartner) -> Result<()> {
        let seeded = self.integration(key).await?;
        self.put_profile(Integration { connector: Some(connector(program)), ..seeded }).await?;
        self.partner(key).await
    }

    pub async fn put_profile(&self, integration: Integration) -> Result<(), Status> {
        let request =
            UpsertIntegrationRequest { request_id: self.request_id(), integration: Some(integration) };
        self.clients.integrations().upsert_integration(request).await?;
        Ok(())
    }

    /// An order of two units that the partner has under this number.
    pub async fn at_partner(&self, number: &str) -> Result<(Order, Fulfillment)> {
        let (order, fulfillment_id) = self.allocated_at_partner().await?;
        let fulfillment = self.hand_over(&fulfillment_id, number).await?;
        // What was handed over is told to the order by an event.
        let order_id = order.order_id;
        let order = crate::eventually("the order knows of the handover", async || {
            let order = self.order(&order_id).await?;
            Ok((!order.partner_handovers.is_empty()).then_some(order))
        })
        .await?;
        Ok((order, fulfillment))
    }

    pub async fn allocated_at_partner(&self) -> Result<(Order, String)> {
        let mut request = self.order_request(&self.sku("KITE"), 2, "10.00", 2_000);
        PARTNER.clone_into(&mut request.lines[0].warehouse_id);
        let order = self.create(request).await?;
        let fulfillment_id = self.allocate_at_partner(&order.order_id).await?;
        Ok((order, fulfillment_id))
    }

    /// Allocates everything of an order at the partner.
    pub async fn allocate_at_partner(&self, order_id: &str) -> Result<String> {
        let request = CreateFulfillmentRequest {
            request_id: self.request_id(),
            order_id: order_id.to_owned(),
            warehouse_id: PARTNER.to_owned(),
            lines: Vec::new(),
            ..CreateFulfillmentRequest::default()
        };
        let created = self.clients.fulfillments().create_fulfillment(request).await?.into_inner();
        Ok(created.fulfillment.context("the answer holds no fulfillment")?.fulfillment_id)
    }

    pub async fn hand_over(&self, fulfillment_id: &str, number: &str) -> Result<Fulfillment, Status> {
        let request = SubmitFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id: fulfillment_id.to_owned(),
            external_number: number.to_owned(),
        };
        let answer = self.clients.fulfillments().submit_fulfillment(request).await?.into_inner();
        answer.fulfillment.ok_or_else(|| Status::internal("the answer holds no fulfillment"))
    }

    pub async fn tasks(&self, order_id: &str) -> Result<Vec<PartnerTask>> {
        let request =
            ListPartnerTasksRequest { order_id: order_id.to_owned(), ..ListPartnerTasksRequest::default() };
        Ok(self.clients.integrations().list_partner_tasks(request).await?.into_inner().tasks)
    }

    /// The one task of an order, as soon as there is one that fits.
    pub async fn task(&self, order_id: &str, fits: impl Fn(&PartnerTask) -> bool) -> Result<PartnerTask> {
        crate::eventually("there is such a partner task", async || {
            Ok(self.tasks(order_id).await?.into_iter().find(&fits))
        })
        .await
    }

    pub async fn respond(&self, task_id: &str, word: PartnerWord) -> Result<PartnerTask, Status> {
        let request = RespondCancellationRequest {
            request_id: self.request_id(),
            task_id: task_id.to_owned(),
            word: word.into(),
            note: "heard by telephone".to_owned(),
        };
        let answer = self.clients.integrations().respond_cancellation(request).await?.into_inner();
        answer.task.ok_or_else(|| Status::internal("the answer holds no task"))
    }

    pub async fn cancelability(&self, order_id: &str) -> Result<GetCancelabilityResponse> {
        let request = GetCancelabilityRequest { order_id: order_id.to_owned() };
        Ok(self.clients.changes().get_cancelability(request).await?.into_inner())
    }

    pub async fn attach_label(&self, fulfillment_id: &str, token: &str) -> Result<Label> {
        let request = AttachLabelRequest {
            request_id: self.request_id(),
            fulfillment_id: fulfillment_id.to_owned(),
            carrier: "sandbox".to_owned(),
            token: token.to_owned(),
            tracking_number: TRACKING.to_owned(),
            cost: Some(Money { currency_code: "GBP".to_owned(), minor_units: 450 }),
        };
        let label = self.clients.labels().attach_label(request).await?.into_inner().label;
        label.context("the answer holds no label")
    }

    /// The order's one label.
    pub async fn label(&self, order_id: &str) -> Result<Label> {
        let request = GetLabelsRequest { order_id: order_id.to_owned() };
        let labels = self.clients.labels().get_labels(request).await?.into_inner().labels;
        labels.into_iter().next().context("the order has no label")
    }

    /// An order of three units allocated in our own warehouse under a label, known to the order by then.
    pub async fn labelled(&self, token: &str) -> Result<(Order, Fulfillment)> {
        let order = self.placed(&self.sku("LAMP"), 3).await?;
        let fulfillment = self.submitted(&order.order_id).await?;
        self.attach_label(&fulfillment.fulfillment_id, token).await?;
        let order_id = order.order_id;
        let order = crate::eventually("the order knows of its label", async || {
            let order = self.order(&order_id).await?;
            Ok((!order.labels.is_empty()).then_some(order))
        })
        .await?;
        Ok((order, fulfillment))
    }

    /// Ships it all under the label's number, and waits until the order knows.
    pub async fn ship_labelled(&self, order_id: &str, fulfillment_id: &str) -> Result<()> {
        let request = ShipFulfillmentRequest {
            request_id: self.request_id(),
            fulfillment_id: fulfillment_id.to_owned(),
            lines: Vec::new(),
            tracking_number: TRACKING.to_owned(),
        };
        self.clients.fulfillments().ship_fulfillment(request).await?;
        crate::eventually("the order knows that it was shipped", async || {
            let order = self.order(order_id).await?;
            let shipped = order.lines.iter().any(|line| line.quantities.unwrap_or_default().fulfilled > 0);
            Ok(shipped.then_some(()))
        })
        .await
    }

    /// On hand and reserved in our own warehouse.
    pub async fn shelf(&self, sku: &str) -> Result<(i64, i64)> {
        let stock = self.stock(sku).await?;
        anyhow::ensure!(stock.warehouse_id == WAREHOUSE, "{stock:?}");
        Ok((stock.on_hand, stock.reserved))
    }
}

/// How the fake partner is called.
pub fn connector(program: &FakePartner) -> Connector {
    Connector {
        url: format!("{}/orders/{{{{ external_number }}}}/cancel", program.url()),
        headers: [("authorization".to_owned(), "Bearer {{ secret('partner_key') }}".to_owned())].into(),
        body: r#"{"reason": "{{ reason }}", "units": {{ units }}}"#.to_owned(),
        success: "status == 200 and body.cancelled".to_owned(),
        ..Connector::default()
    }
}

/// A profile with one button and nothing else.
pub fn profile(key: &str, methods: &[(PartnerMethod, i64, i64)]) -> Integration {
    let method =
        |&(method, window_seconds, deadline_seconds): &(PartnerMethod, i64, i64)| PartnerMethodProfile {
            method: method.into(),
            window_seconds,
            deadline_seconds,
            address: "orders@partner.example".to_owned(),
        };
    Integration {
        key: key.to_owned(),
        name: key.to_owned(),
        methods: methods.iter().map(method).collect(),
        confirmation: Confirmation::None.into(),
        ..Integration::default()
    }
}
