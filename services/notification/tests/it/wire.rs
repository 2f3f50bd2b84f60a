//! The whole service over the wire: events on the internal port, readers on the public one.

use kit::client::{self, Channel, ClientConfig};
use notification::app::App;
use notification::config::Config;
use notification::ports::Peers;
use proto::audit::v1::ExportBooksRequest;
use proto::audit::v1::audit_service_client::AuditServiceClient;
use proto::events::v1::Delivery;
use proto::events::v1::event_intake_service_client::EventIntakeServiceClient;
use proto::events::v1::{DeliverEventsRequest, EventEnvelope};
use proto::notification::v1::notification_service_client::NotificationServiceClient;
use proto::notification::v1::{GetNotificationRequest, ListNotificationsRequest, Notification};
use proto::order::v1::RefundSummary;
use storage::DatabaseConfig;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};
use types::{Clock, Ids, OrderId};

use crate::events::{change, committed, completed, on_the_wire, placed};

struct Service {
    public: Channel,
    internal: Channel,
    ids: Ids,
    shutdown: CancellationToken,
    ended: JoinHandle<anyhow::Result<()>>,
}

impl Service {
    async fn start() -> Self {
        let mut config = Config::default();
        config.database = DatabaseConfig::at("sqlite::memory:");
        config.listen = kit::config::Listen::default();
        config.auth.development_headers = true;
        let secret = kit::config::Secret::new("the-secret-of-these-tests-is-long-enough");
        config.internal = config.internal.with_secret(&secret);
        let shared = config.internal.clone();
        let bound = App::bind(config).await.expect("free ports and a private database");
        let connect = |address| {
            client::connect_peer(&format!("http://{address}"), &ClientConfig::default(), &shared)
                .expect("an address of ours")
        };
        let (public, internal) = (connect(bound.server.public_addr()), connect(bound.server.internal_addr()));
        let shutdown = CancellationToken::new();
        // Nobody is there to be told what needs a person; it waits in the outbox.
        let order =
            client::connect("http://127.0.0.1:9", &ClientConfig::default()).expect("it is an address");
        let ended = tokio::spawn(bound.run(Peers { order }, shutdown.clone()));
        Self { public, internal, ids: Ids::random(Clock::System), shutdown, ended }
    }

    async fn stop(self) {
        drop((self.public, self.internal));
        self.shutdown.cancel();
        self.ended.await.expect("the service does not panic").expect("the service drains");
    }

    async fn deliver(&self, events: Vec<EventEnvelope>) -> Result<Vec<Delivery>, tonic::Status> {
        let mut client = EventIntakeServiceClient::new(self.internal.clone());
        let reply = client.deliver_events(DeliverEventsRequest { events }).await?;
        Ok(reply.into_inner().deliveries().collect())
    }

    async fn list(
        &self,
        role: &'static str,
        list: ListNotificationsRequest,
    ) -> Result<Vec<Notification>, tonic::Status> {
        let mut client = NotificationServiceClient::new(self.public.clone());
        Ok(client.list_notifications(of(role, list)).await?.into_inner().notifications)
    }
}

fn of<T>(role: &'static str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-countermand-role", role.parse().expect("a role is ASCII"));
    request
}

fn about(order: &OrderId) -> ListNotificationsRequest {
    ListNotificationsRequest { order_id: order.to_string(), ..ListNotificationsRequest::default() }
}

fn templates(notifications: &[Notification], audience: &str) -> Vec<String> {
    notifications
        .iter()
        .filter(|row| row.audience == audience && row.channel == "inbox")
        .map(|row| row.template.clone())
        .collect()
}

#[tokio::test]
async fn a_cancellation_is_told_from_the_order_to_the_refund() {
    let service = Service::start().await;
    let (order, change_id): (OrderId, _) = (service.ids.mint(), service.ids.mint());
    let refund =
        RefundSummary { state: "succeeded".to_owned(), amount_minor: 1_234, ..RefundSummary::default() };
    let payloads = [
        placed(&order),
        committed(change(&order, &change_id, Vec::new()), &order),
        completed(change(&order, &change_id, vec![refund])),
    ];
    let events: Vec<EventEnvelope> = (1..)
        .zip(payloads)
        .map(|(seq, payload)| on_the_wire(&service.ids.mint(), &order, seq, payload))
        .collect();

    let out_of_order = service.deliver(events[1..].to_vec()).await.unwrap();
    let in_order = service.deliver(events.clone()).await.unwrap();
    let again = service.deliver(events).await.unwrap();

    assert_eq!(out_of_order, [Delivery::Later; 2]);
    assert_eq!(in_order, [Delivery::Accepted; 3]);
    assert_eq!(again, [Delivery::Duplicate; 3]);
    let told = service.list("staff", about(&order)).await.unwrap();
    assert_eq!(templates(&told, "buyer"), ["order.confirmed", "cancellation.confirmed", "refund.issued"]);
    assert_eq!(templates(&told, "staff"), ["cancellation.confirmed", "refund.issued"]);
    let refunded = told.iter().find(|row| row.template == "refund.issued").unwrap();
    assert!(refunded.body.contains("GBP 12.34"), "{}", refunded.body);
    assert_eq!(refunded.change_order_id, change_id.to_string());
    service.stop().await;
}

#[tokio::test]
async fn a_party_is_shown_nothing_before_this_service_knows_the_parties() {
    let service = Service::start().await;
    let order: OrderId = service.ids.mint();
    service.deliver(vec![on_the_wire(&service.ids.mint(), &order, 1, placed(&order))]).await.unwrap();
    let asked = |audience: &str| ListNotificationsRequest { audience: audience.to_owned(), ..about(&order) };

    let unseen = service.list("buyer", about(&order)).await.unwrap_err();
    let absent = service.list("buyer", about(&service.ids.mint())).await.unwrap_err();
    let suppliers = service.list("staff", asked("supplier")).await.unwrap();
    let mut client = NotificationServiceClient::new(service.public.clone());
    let get = GetNotificationRequest { notification_id: suppliers[0].notification_id.clone() };
    let hidden = client.get_notification(of("buyer", get.clone())).await.unwrap_err();
    let shown = client.get_notification(of("staff", get)).await.unwrap().into_inner().notification.unwrap();

    assert_eq!(unseen.code(), Code::NotFound);
    assert_eq!((unseen.message(), unseen.details()), (absent.message(), absent.details()));
    assert_eq!(hidden.code(), Code::NotFound);
    // The courier may have come by since the listing.
    assert_eq!(shown.notification_id, suppliers[0].notification_id);
    service.stop().await;
}

#[tokio::test]
async fn a_listing_is_read_page_by_page() {
    let service = Service::start().await;
    let order: OrderId = service.ids.mint();
    service.deliver(vec![on_the_wire(&service.ids.mint(), &order, 1, placed(&order))]).await.unwrap();
    let mut client = NotificationServiceClient::new(service.public.clone());
    let mut request = ListNotificationsRequest { page_size: 3, ..about(&order) };

    let first = client.list_notifications(request.clone()).await.unwrap().into_inner();
    request.page_token.clone_from(&first.next_page_token);
    let second = client.list_notifications(request).await.unwrap().into_inner();

    assert_eq!((first.notifications.len(), second.notifications.len()), (3, 1));
    assert!(first.notifications.last().unwrap().notification_id < second.notifications[0].notification_id);
    assert_eq!(second.next_page_token, "");
    service.stop().await;
}

#[tokio::test]
async fn a_malformed_envelope_is_refused_and_a_strange_event_waits() {
    let service = Service::start().await;
    let order: OrderId = service.ids.mint();
    let good = on_the_wire(&service.ids.mint(), &order, 1, placed(&order));

    let no_events = service.deliver(Vec::new()).await.unwrap_err();
    let bad_tenant = EventEnvelope { tenant: "No Such".to_owned(), ..good.clone() };
    let refused = service.deliver(vec![bad_tenant]).await.unwrap_err();
    let occurred_at = Clock::System.now().to_string();
    let strange = EventEnvelope { occurred_at, ..good.clone() };
    let newer = EventEnvelope { r#type: "countermand.events.v1.OrderFolded".to_owned(), ..strange.clone() };
    let rubbish = EventEnvelope { payload: vec![0xff; 9], ..strange };

    assert_eq!(no_events.code(), Code::InvalidArgument);
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert_eq!(service.deliver(vec![newer]).await.unwrap(), [Delivery::Later]);
    assert_eq!(service.deliver(vec![rubbish]).await.unwrap(), [Delivery::Later]);
    assert_eq!(service.deliver(vec![good]).await.unwrap(), [Delivery::Accepted]);
    service.stop().await;
}

#[tokio::test]
async fn the_books_show_every_row_of_the_caller_and_end_with_the_snapshot() {
    let service = Service::start().await;
    let mut delivered = Vec::new();
    for _ in 0..120 {
        let order = service.ids.mint();
        delivered.push(on_the_wire(&service.ids.mint(), &order, 1, placed(&order)));
    }
    service.deliver(delivered).await.unwrap();
    let mut client = AuditServiceClient::new(service.public.clone());

    let request = of("manager", ExportBooksRequest::default());
    let mut stream = client.export_books(request).await.unwrap().into_inner();
    let mut rows = std::collections::BTreeMap::<String, usize>::new();
    let mut snapshot_at = String::new();
    while let Some(message) = stream.message().await.unwrap() {
        assert!(message.rows.iter().all(|row| row.cells.len() == message.columns.len()));
        *rows.entry(message.book).or_default() += message.rows.len();
        snapshot_at = message.snapshot_at;
    }
    let denied = client.export_books(of("buyer", ExportBooksRequest::default())).await.unwrap_err();
    let unknown = ExportBooksRequest { books: vec!["stock".to_owned()] };
    let refused = client.export_books(of("manager", unknown)).await.unwrap_err();

    assert_eq!((rows["notification"], rows["inbox"], rows["inbox_position"]), (480, 120, 120));
    assert_ne!(snapshot_at, "");
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert_eq!(refused.code(), Code::InvalidArgument);
    service.stop().await;
}
