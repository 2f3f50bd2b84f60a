//! Generated clients of a suite's public ports, acting for a tenant as a user.

use std::time::Duration;

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
use proto::order::v1::role_service_client::RoleServiceClient;
use proto::order::v1::rule_service_client::RuleServiceClient;
use proto::payment::v1::payment_service_client::PaymentServiceClient;
use proto::payment::v1::refund_service_client::RefundServiceClient;
use proto::payment::v1::sandbox_service_client::SandboxServiceClient;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::suite::Service;

const CALL_MAX: Duration = Duration::from_secs(10);

/// Says who calls, in the development headers.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: String,
    pub user: String,
    pub organisation: String,
    pub role: String,
}

impl Default for Caller {
    fn default() -> Self {
        let [tenant, user, organisation, role] = ["default", "tester", "shop", "manager"].map(str::to_owned);
        Self { tenant, user, organisation, role }
    }
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers = [
            ("x-countermand-tenant", &self.tenant),
            ("x-countermand-user", &self.user),
            ("x-countermand-org", &self.organisation),
            ("x-countermand-role", &self.role),
        ];
        // Somebody who acts for no organisation sends no such header.
        for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
            let value = MetadataValue::try_from(value).map_err(|_| Status::internal("not a header value"))?;
            request.metadata_mut().insert(name, value);
        }
        Ok(request)
    }
}

pub type Connection = InterceptedService<Channel, Caller>;

/// Connections are made at the first call and again after a service was restarted.
#[derive(Clone)]
pub struct Clients {
    channels: [Channel; 4],
    caller: Caller,
}

impl Clients {
    /// # Panics
    /// When a url is none: the harness makes them.
    pub fn connect(url: impl Fn(Service) -> String) -> Self {
        let channels = Service::ALL.map(|service| {
            Endpoint::from_shared(url(service))
                .expect("the harness makes the urls")
                .timeout(CALL_MAX)
                .connect_lazy()
        });
        Self { channels, caller: Caller::default() }
    }

    #[must_use]
    pub fn acting_as(&self, caller: Caller) -> Self {
        Self { caller, ..self.clone() }
    }

    /// The same tenant, as somebody else.
    #[must_use]
    pub fn as_user(&self, user: &str, organisation: &str, role: &str) -> Self {
        let [user, organisation, role] = [user, organisation, role].map(str::to_owned);
        self.acting_as(Caller { user, organisation, role, tenant: self.caller.tenant.clone() })
    }

    /// For calls that no generated client makes.
    pub fn connection(&self, service: Service) -> Connection {
        let index = Service::ALL.iter().position(|one| *one == service).expect("ALL holds every service");
        InterceptedService::new(self.channels[index].clone(), self.caller.clone())
    }

    pub fn orders(&self) -> OrderServiceClient<Connection> {
        OrderServiceClient::new(self.connection(Service::Order))
    }

    pub fn changes(&self) -> ChangeOrderServiceClient<Connection> {
        ChangeOrderServiceClient::new(self.connection(Service::Order))
    }

    pub fn events(&self) -> EventStreamServiceClient<Connection> {
        EventStreamServiceClient::new(self.connection(Service::Order))
    }

    pub fn remedies(&self) -> RemedyServiceClient<Connection> {
        RemedyServiceClient::new(self.connection(Service::Order))
    }

    pub fn returns(&self) -> ReturnServiceClient<Connection> {
        ReturnServiceClient::new(self.connection(Service::Order))
    }

    pub fn proposals(&self) -> ProposalServiceClient<Connection> {
        ProposalServiceClient::new(self.connection(Service::Order))
    }

    pub fn batches(&self) -> BatchServiceClient<Connection> {
        BatchServiceClient::new(self.connection(Service::Order))
    }

    pub fn conversation(&self) -> ConversationServiceClient<Connection> {
        ConversationServiceClient::new(self.connection(Service::Order))
    }

    pub fn folders(&self) -> FolderServiceClient<Connection> {
        FolderServiceClient::new(self.connection(Service::Order))
    }

    pub fn reports(&self) -> ReportServiceClient<Connection> {
        ReportServiceClient::new(self.connection(Service::Order))
    }

    pub fn rules(&self) -> RuleServiceClient<Connection> {
        RuleServiceClient::new(self.connection(Service::Order))
    }

    pub fn operations(&self) -> OperationsServiceClient<Connection> {
        OperationsServiceClient::new(self.connection(Service::Order))
    }

    pub fn stock(&self) -> StockServiceClient<Connection> {
        StockServiceClient::new(self.connection(Service::Inventory))
    }

    pub fn fulfillments(&self) -> FulfillmentServiceClient<Connection> {
        FulfillmentServiceClient::new(self.connection(Service::Inventory))
    }

    pub fn labels(&self) -> LabelServiceClient<Connection> {
        LabelServiceClient::new(self.connection(Service::Inventory))
    }

    pub fn integrations(&self) -> IntegrationServiceClient<Connection> {
        IntegrationServiceClient::new(self.connection(Service::Inventory))
    }

    pub fn roles(&self) -> RoleServiceClient<Connection> {
        RoleServiceClient::new(self.connection(Service::Order))
    }

    pub fn policies(&self) -> PolicyServiceClient<Connection> {
        PolicyServiceClient::new(self.connection(Service::Order))
    }

    pub fn payments(&self) -> PaymentServiceClient<Connection> {
        PaymentServiceClient::new(self.connection(Service::Payment))
    }

    pub fn refunds(&self) -> RefundServiceClient<Connection> {
        RefundServiceClient::new(self.connection(Service::Payment))
    }

    pub fn sandbox(&self) -> SandboxServiceClient<Connection> {
        SandboxServiceClient::new(self.connection(Service::Payment))
    }

    pub fn notifications(&self) -> NotificationServiceClient<Connection> {
        NotificationServiceClient::new(self.connection(Service::Notification))
    }

    pub fn deliveries(&self) -> DeliveryServiceClient<Connection> {
        DeliveryServiceClient::new(self.connection(Service::Notification))
    }

    pub fn recipients(&self) -> RecipientServiceClient<Connection> {
        RecipientServiceClient::new(self.connection(Service::Notification))
    }

    pub fn webhooks(&self) -> WebhookServiceClient<Connection> {
        WebhookServiceClient::new(self.connection(Service::Notification))
    }

    pub fn audit(&self, service: Service) -> AuditServiceClient<Connection> {
        AuditServiceClient::new(self.connection(service)).max_decoding_message_size(16 << 20)
    }
}

/// Whether something accepts connections there; services listen only when they are ready to answer.
pub async fn is_serving(url: &str) -> bool {
    let Ok(endpoint) = Endpoint::from_shared(url.to_owned()) else { return false };
    let endpoint = endpoint.connect_timeout(Duration::from_secs(1));
    let Ok(channel) = endpoint.connect().await else { return false };
    let request = tonic_health::pb::HealthCheckRequest { service: String::new() };
    let answer = tonic_health::pb::health_client::HealthClient::new(channel).check(request).await;
    answer.is_ok_and(|answer| {
        answer.into_inner().status() == tonic_health::pb::health_check_response::ServingStatus::Serving
    })
}
