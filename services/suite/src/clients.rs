//! The suite as a client sees it: the four public addresses, nothing else.

use anyhow::{Context, Result};
use clap::Args;
use kit::client::ClientConfig;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::inventory::v1::fulfillment_service_client::FulfillmentServiceClient;
use proto::inventory::v1::integration_service_client::IntegrationServiceClient;
use proto::inventory::v1::label_service_client::LabelServiceClient;
use proto::inventory::v1::stock_service_client::StockServiceClient;
use proto::notification::v1::delivery_service_client::DeliveryServiceClient;
use proto::notification::v1::notification_service_client::NotificationServiceClient;
use proto::notification::v1::recipient_service_client::RecipientServiceClient;
use proto::notification::v1::webhook_service_client::WebhookServiceClient;
use proto::order::v1::batch_service_client::BatchServiceClient;
use proto::order::v1::change_order_service_client::ChangeOrderServiceClient;
use proto::order::v1::conversation_service_client::ConversationServiceClient;
use proto::order::v1::event_stream_service_client::EventStreamServiceClient;
use proto::order::v1::folder_service_client::FolderServiceClient;
use proto::order::v1::operations_service_client::OperationsServiceClient;
use proto::order::v1::order_service_client::OrderServiceClient;
use proto::order::v1::policy_service_client::PolicyServiceClient;
use proto::order::v1::proposal_service_client::ProposalServiceClient;
use proto::order::v1::remedy_service_client::RemedyServiceClient;
use proto::order::v1::report_service_client::ReportServiceClient;
use proto::order::v1::return_service_client::ReturnServiceClient;
use proto::order::v1::rule_service_client::RuleServiceClient;
use proto::payment::v1::payment_service_client::PaymentServiceClient;
use proto::payment::v1::refund_service_client::RefundServiceClient;
use proto::payment::v1::sandbox_service_client::SandboxServiceClient;

use tonic::service::interceptor::InterceptedService;

use crate::caller::{Caller, Identity};

/// A connection on which every call says who makes it.
type Channel = InterceptedService<kit::client::Channel, Caller>;

/// A person waits for the answer; a mutation asks the service to answer before this.
const CALL_TIMEOUT_MS: u64 = 9_000;

/// Where the services' public listeners are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Addresses")]
pub struct Addresses {
    #[arg(
        long = "order-url",
        id = "order-url",
        value_name = "URL",
        env = "COUNTERMAND_ORDER_URL",
        default_value = "http://127.0.0.1:7001",
        global = true
    )]
    pub order: String,
    #[arg(
        long = "inventory-url",
        id = "inventory-url",
        value_name = "URL",
        env = "COUNTERMAND_INVENTORY_URL",
        default_value = "http://127.0.0.1:7002",
        global = true
    )]
    pub inventory: String,
    #[arg(
        long = "payment-url",
        id = "payment-url",
        value_name = "URL",
        env = "COUNTERMAND_PAYMENT_URL",
        default_value = "http://127.0.0.1:7003",
        global = true
    )]
    pub payment: String,
    #[arg(
        long = "notification-url",
        id = "notification-url",
        value_name = "URL",
        env = "COUNTERMAND_NOTIFICATION_URL",
        default_value = "http://127.0.0.1:7004",
        global = true
    )]
    pub notification: String,
}

/// One of the four services, named as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    Order,
    Inventory,
    Payment,
    Notification,
}

impl Service {
    pub const ALL: [Self; 4] = [Self::Order, Self::Inventory, Self::Payment, Self::Notification];

    pub fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Inventory => "inventory",
            Self::Payment => "payment",
            Self::Notification => "notification",
        }
    }
}

#[derive(Clone)]
pub struct Clients {
    order: Channel,
    inventory: Channel,
    payment: Channel,
    notification: Channel,
}

impl Clients {
    /// Connections to where the services listen, as whoever runs them on a machine of their own.
    pub fn anonymous(addresses: &Addresses) -> Result<Self> {
        Self::connect(addresses, &Identity::default().caller()?)
    }

    /// Connections are made at the first call, so that a service that starts late is no error here.
    pub fn connect(addresses: &Addresses, caller: &Caller) -> Result<Self> {
        let channel = |url: &str| {
            let config = ClientConfig { timeout_ms: CALL_TIMEOUT_MS, ..ClientConfig::default() };
            let channel = kit::client::connect(url, &config)
                .with_context(|| format!("the address {url} cannot be used"))?;
            anyhow::Ok(InterceptedService::new(channel, caller.clone()))
        };
        Ok(Self {
            order: channel(&addresses.order)?,
            inventory: channel(&addresses.inventory)?,
            payment: channel(&addresses.payment)?,
            notification: channel(&addresses.notification)?,
        })
    }

    pub fn orders(&self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.order.clone())
    }

    pub fn changes(&self) -> ChangeOrderServiceClient<Channel> {
        ChangeOrderServiceClient::new(self.order.clone())
    }

    pub fn events(&self) -> EventStreamServiceClient<Channel> {
        EventStreamServiceClient::new(self.order.clone())
    }

    pub fn policies(&self) -> PolicyServiceClient<Channel> {
        PolicyServiceClient::new(self.order.clone())
    }

    pub fn remedies(&self) -> RemedyServiceClient<Channel> {
        RemedyServiceClient::new(self.order.clone())
    }

    pub fn returns(&self) -> ReturnServiceClient<Channel> {
        ReturnServiceClient::new(self.order.clone())
    }

    pub fn proposals(&self) -> ProposalServiceClient<Channel> {
        ProposalServiceClient::new(self.order.clone())
    }

    pub fn integrations(&self) -> IntegrationServiceClient<Channel> {
        IntegrationServiceClient::new(self.inventory.clone())
    }

    pub fn labels(&self) -> LabelServiceClient<Channel> {
        LabelServiceClient::new(self.inventory.clone())
    }

    pub fn batches(&self) -> BatchServiceClient<Channel> {
        BatchServiceClient::new(self.order.clone())
    }

    pub fn conversation(&self) -> ConversationServiceClient<Channel> {
        ConversationServiceClient::new(self.order.clone())
    }

    pub fn folders(&self) -> FolderServiceClient<Channel> {
        FolderServiceClient::new(self.order.clone())
    }

    pub fn reports(&self) -> ReportServiceClient<Channel> {
        ReportServiceClient::new(self.order.clone())
    }

    pub fn rules(&self) -> RuleServiceClient<Channel> {
        RuleServiceClient::new(self.order.clone())
    }

    pub fn operations(&self) -> OperationsServiceClient<Channel> {
        OperationsServiceClient::new(self.order.clone())
    }

    pub fn stock(&self) -> StockServiceClient<Channel> {
        StockServiceClient::new(self.inventory.clone())
    }

    pub fn fulfillments(&self) -> FulfillmentServiceClient<Channel> {
        FulfillmentServiceClient::new(self.inventory.clone())
    }

    pub fn payments(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.payment.clone())
    }

    pub fn refunds(&self) -> RefundServiceClient<Channel> {
        RefundServiceClient::new(self.payment.clone())
    }

    pub fn sandbox(&self) -> SandboxServiceClient<Channel> {
        SandboxServiceClient::new(self.payment.clone())
    }

    pub fn notifications(&self) -> NotificationServiceClient<Channel> {
        NotificationServiceClient::new(self.notification.clone())
    }

    pub fn deliveries(&self) -> DeliveryServiceClient<Channel> {
        DeliveryServiceClient::new(self.notification.clone())
    }

    pub fn recipients(&self) -> RecipientServiceClient<Channel> {
        RecipientServiceClient::new(self.notification.clone())
    }

    pub fn webhooks(&self) -> WebhookServiceClient<Channel> {
        WebhookServiceClient::new(self.notification.clone())
    }

    /// Export messages hold up to 500 rows, so they may be larger than the 4 MiB gRPC default.
    pub fn audit(&self, service: Service) -> AuditServiceClient<Channel> {
        const EXPORT_BYTES_MAX: usize = 16 << 20;
        let channel = match service {
            Service::Order => &self.order,
            Service::Inventory => &self.inventory,
            Service::Payment => &self.payment,
            Service::Notification => &self.notification,
        };
        AuditServiceClient::new(channel.clone()).max_decoding_message_size(EXPORT_BYTES_MAX)
    }
}
